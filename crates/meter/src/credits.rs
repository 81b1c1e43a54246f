//! Quantities of prepaid credits.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

/// A quantity of prepaid credits. Never negative.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Credits(pub u64);

impl Credits {
    /// No credits.
    pub const ZERO: Self = Self(0);

    /// Returns this many credits `times` over, at most `u64::MAX`.
    pub fn times(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }

    /// Returns the quantity as a journal writes it, at most `i64::MAX`.
    pub fn posted(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

/// What is left; zero when there is not enough.
impl Sub for Credits {
    type Output = Self;

    fn sub(self, spent: Self) -> Self {
        Self(self.0.saturating_sub(spent.0))
    }
}

/// At most `u64::MAX`.
impl Add for Credits {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

/// At most `u64::MAX`.
impl Sum for Credits {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::ZERO, Self::add)
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => out.write_str("1 credit"),
            many => write!(out, "{many} credits"),
        }
    }
}

/// What an account has: below zero when a session in progress outran it (M8).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Balance(pub i64);

impl Balance {
    /// Returns whether `asked` could be taken and leave nothing below zero.
    pub fn covers(self, asked: Credits) -> bool {
        u64::try_from(self.0).is_ok_and(|had| had >= asked.0)
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}
