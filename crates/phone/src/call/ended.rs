use housecall_sip::user_agent::End;

use crate::{Outcome, Overrides, RawCause};

/// How a call ended, who ended it, and the words for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// What is recorded.
    pub outcome: Outcome,
    /// Who ended it.
    pub by: Side,
    /// What the network said about it; empty if it said nothing.
    pub cause: RawCause,
    /// What a person reads.
    pub words: &'static str,
}

/// One of the two ends of a call.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Side {
    /// We: the practice.
    Us,
    /// The called person, or the network for them.
    Them,
}

impl Ended {
    /// We ended it, for a reason that the network did not give.
    pub fn by_us(outcome: Outcome) -> Self {
        Self {
            outcome,
            by: Side::Us,
            cause: RawCause::default(),
            words: outcome.words(),
        }
    }

    fn by_them(outcome: Outcome, cause: RawCause) -> Self {
        Self {
            by: Side::Them,
            cause,
            ..Self::by_us(outcome)
        }
    }

    /// The end of a call that nobody had answered.
    pub(super) fn unanswered(end: &End, overrides: &Overrides) -> Self {
        match end {
            End::Refused(message) => {
                let cause = RawCause::of(message);
                Self::by_them(Outcome::of_cause(&cause, overrides), cause)
            }
            End::ByUs => Self::by_us(Outcome::Cancelled),
            End::Unanswered => Self::trunk_away(
                "The phone provider does not respond. Please try again in a moment; if it stays silent, an administrator must check the trunk",
            ),
            End::Unreachable => Self::trunk_away(
                "The phone provider cannot be reached. Please try again in a moment; if it stays away, an administrator must check the trunk",
            ),
            _ => Self::by_them(Outcome::Failed, RawCause::default()),
        }
    }

    /// The trunk itself is not there; nothing was heard of the called phone.
    fn trunk_away(words: &'static str) -> Self {
        Self {
            words,
            ..Self::by_them(Outcome::Failed, RawCause::default())
        }
    }

    /// The end of a call that somebody had answered.
    pub(super) fn answered(end: &End) -> Self {
        match end {
            End::ByThem(bye) => Self::by_them(Outcome::Completed, RawCause::of(bye)),
            End::ByUs => Self::by_us(Outcome::Completed),
            // Nobody refreshed the session (RFC 4028 §10), or the other side has forgotten it: its BYE was lost.
            _ => Self::by_them(Outcome::MediaLost, RawCause::default()),
        }
    }
}
