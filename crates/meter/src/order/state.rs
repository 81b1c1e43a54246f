//! What an order is at the moment.

use std::fmt;

use super::asked::Asked;
use super::expired::Expired;
use super::failed::Failed;
use super::paid::Paid;
use super::refunded::Refunded;
use super::{Out, PaymentFact, Wanted, Word, Words};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum State {
    Asked(Asked),
    Paid(Paid),
    Failed(Failed),
    Refunded(Refunded),
    Expired(Expired),
}

impl State {
    pub(super) fn hear(self, wanted: &Wanted, fact: PaymentFact, out: &mut Out) -> Self {
        match self {
            Self::Asked(state) => state.hear(wanted, fact, out),
            Self::Paid(state) => state.hear(wanted, fact, out),
            Self::Failed(state) => state.hear(wanted, fact, out),
            Self::Refunded(state) => state.hear(wanted, fact, out),
            Self::Expired(state) => state.hear(wanted, fact, out),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Asked(_) => "asked",
            Self::Paid(_) => "paid",
            Self::Failed(_) => "failed",
            Self::Refunded(_) => "refunded",
            Self::Expired(_) => "expired",
        }
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = Words::of(text);
        let state = match words.stored()? {
            "asked" => Self::Asked(Asked),
            "paid" => Self::Paid(Paid {
                reference: words.word()?,
            }),
            "failed" => Self::Failed(Failed),
            "refunded" => Self::Refunded(Refunded {
                reference: words.word()?,
            }),
            "expired" => Self::Expired(Expired),
            _ => return None,
        };
        words.end(state)
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())?;
        match self {
            Self::Paid(Paid { reference }) | Self::Refunded(Refunded { reference }) => {
                write!(out, " {}", Word(reference))
            }
            Self::Asked(_) | Self::Failed(_) | Self::Expired(_) => Ok(()),
        }
    }
}
