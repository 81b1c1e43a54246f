//! The wall clock of the pages. Charges never read it (see `meter`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Where the pages read the time: the machine, or a test.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until a test moves it; milliseconds since 1970.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// Returns a clock that stands at `ms`.
    pub fn standing_at(ms: i64) -> Self {
        Self::Set(Arc::new(AtomicI64::new(ms)))
    }

    /// Returns now as unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Set(ms) => ms.load(Ordering::Relaxed),
        }
    }

    /// Moves a standing clock; the machine's clock is not ours to move.
    pub fn advance(&self, by_ms: i64) {
        if let Self::Set(ms) = self {
            ms.fetch_add(by_ms, Ordering::Relaxed);
        }
    }
}
