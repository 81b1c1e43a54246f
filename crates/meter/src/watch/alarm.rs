//! A limit that is crossed once.

use std::fmt;

use crate::Balance;

/// Whether a balance is above a limit, and has to be heard of when it is not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Alarm {
    limit: Option<Balance>,
    /// The balance was at the limit or below when it was seen last.
    is_raised: bool,
}

impl Alarm {
    /// Sets another limit, for which the balance may be low again.
    pub(super) fn set(&mut self, limit: Option<Balance>) {
        if self.limit != limit {
            *self = Self {
                limit,
                is_raised: false,
            };
        }
    }

    pub(super) fn limit(self) -> Option<Balance> {
        self.limit
    }

    /// Sees the balance; returns the limit if this crossed it.
    pub(super) fn hear(&mut self, balance: Balance) -> Option<Balance> {
        let limit = self.limit?;
        let was_raised = std::mem::replace(&mut self.is_raised, balance <= limit);
        (self.is_raised && !was_raised).then_some(limit)
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (state, limit) = text.split_once(':')?;
        Some(Self {
            limit: match limit {
                "off" => None,
                limit => Some(Balance(limit.parse().ok()?)),
            },
            is_raised: match state {
                "raised" => true,
                "armed" => false,
                _ => return None,
            },
        })
    }
}

/// `raised:10`, `armed:10`, `armed:off`.
impl fmt::Display for Alarm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_raised { "raised" } else { "armed" };
        match self.limit {
            Some(limit) => write!(out, "{state}:{limit}"),
            None => write!(out, "{state}:off"),
        }
    }
}
