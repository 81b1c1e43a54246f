//! Time as money counts it.

use std::fmt;

/// Whole milliseconds since a session's start, on a clock that never steps.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Millis(pub u64);

impl Millis {
    /// The session's start.
    pub const ZERO: Self = Self(0);

    /// One minute.
    pub const MINUTE: Self = Self::from_minutes(1);

    /// Returns a number of minutes as milliseconds.
    pub const fn from_minutes(minutes: u64) -> Self {
        Self(minutes.saturating_mul(60_000))
    }

    /// Returns the time since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// Returns the moment `later` after this one.
    pub fn plus(self, later: Self) -> Self {
        Self(self.0.saturating_add(later.0))
    }
}

/// Minutes, seconds and milliseconds: `15:00.001`.
impl fmt::Display for Millis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0 / 1_000, self.0 % 1_000);
        write!(out, "{}:{:02}.{millis:03}", seconds / 60, seconds % 60)
    }
}
