//! The clock that charges run on, which a test may put forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use housecall::ports::{Clock, SystemClock, WallMillis};

/// The machine's monotonic clock, plus what a test has added to it.
#[derive(Clone, Debug, Default)]
pub struct MoneyClock {
    ahead_ms: Arc<AtomicU64>,
}

impl MoneyClock {
    /// Returns now.
    #[must_use]
    pub fn now(&self) -> Instant {
        SystemClock.now() + self.ahead()
    }

    /// Lets time pass at once, for charges alone: media does not notice.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(by, Ordering::Relaxed);
    }

    fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }
}

impl Clock for MoneyClock {
    fn now(&self) -> Instant {
        MoneyClock::now(self)
    }

    fn wall(&self) -> WallMillis {
        SystemClock.wall()
    }
}
