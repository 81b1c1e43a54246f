use housecall_sip::user_agent::End;

use crate::Outcome;

/// How a call ended, who ended it, and the words for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// What is recorded.
    pub outcome: Outcome,
    /// Who ended it.
    pub by: Side,
    /// The SIP status that refused it, if one did.
    pub status: Option<u16>,
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
    pub(super) fn by_us(outcome: Outcome) -> Self {
        Self {
            outcome,
            by: Side::Us,
            status: None,
            words: outcome.words(),
        }
    }

    fn by_them(outcome: Outcome) -> Self {
        Self {
            by: Side::Them,
            ..Self::by_us(outcome)
        }
    }

    /// The end of a call that nobody had answered.
    pub(super) fn unanswered(end: &End) -> Self {
        match end {
            End::Refused(message) => Self {
                status: message.status().map(|status| status.code()),
                ..Self::by_them(Outcome::of_refusal(message))
            },
            End::ByUs => Self::by_us(Outcome::Cancelled),
            _ => Self::by_them(Outcome::Failed),
        }
    }

    /// The end of a call that somebody had answered.
    pub(super) fn answered(end: &End) -> Self {
        match end {
            End::ByThem(_) => Self::by_them(Outcome::Completed),
            End::ByUs => Self::by_us(Outcome::Completed),
            _ => Self::by_them(Outcome::MediaLost),
        }
    }
}
