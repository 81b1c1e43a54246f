//! The fencing token.

use std::fmt;

/// One life of one node, from when it joined until it left or was declared gone. Given in order, and never twice.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Of a program that has its database to itself.
    pub(crate) const NONE: Self = Self(0);

    /// Returns what a BIGINT column holds of it.
    pub fn stored(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
