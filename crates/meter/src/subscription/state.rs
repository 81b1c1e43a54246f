//! What a subscription is at the moment.

use std::fmt;

use super::SubscriptionFact as Fact;
use super::active::Active;
use super::approved::Approved;
use super::past_due::PastDue;
use super::released::Released;
use super::requested::Requested;
use super::suspended::Suspended;
use super::under_review::UnderReview;
use crate::text::Words;
use crate::{Date, News, SubscriptionId, WrongMoment};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum State {
    Requested(Requested),
    UnderReview(UnderReview),
    Approved(Approved),
    Active(Active),
    PastDue(PastDue),
    Suspended(Suspended),
    Released(Released),
}

impl State {
    pub(super) fn requested() -> Self {
        Self::Requested(Requested)
    }

    pub(super) fn hear(self, today: Date, fact: Fact) -> Result<Self, WrongMoment> {
        match self {
            Self::Requested(state) => state.hear(fact),
            Self::UnderReview(state) => state.hear(fact),
            Self::Approved(state) => Ok(state.hear(today, fact)),
            // All that led here has been, so that it can only be repeated.
            _ if fact == Fact::Released => Ok(Self::Released(Released)),
            later => Ok(later),
        }
    }

    /// The month that was asked for is in the journal.
    pub(super) fn paid(self, today: Date) -> Self {
        match self {
            Self::Active(state) => state.paid(),
            Self::PastDue(state) => state.paid(),
            Self::Suspended(state) => state.paid(today),
            other => other,
        }
    }

    /// The month that was asked for is not covered.
    pub(super) fn unpaid(self, today: Date, id: &SubscriptionId) -> (Self, Option<News>) {
        match self {
            Self::Active(state) => state.unpaid(today, id),
            Self::PastDue(state) => state.unpaid(today, id),
            other => (other, None),
        }
    }

    /// When something is to be asked for next.
    pub(super) fn due(&self) -> Option<Date> {
        self.months()?.due()
    }

    /// The month to ask for, and its first day.
    pub(super) fn month_due(&self, today: Option<Date>) -> Option<(u32, Date)> {
        self.months()?.due_by(today?)
    }

    fn months(&self) -> Option<super::months::Months> {
        match self {
            Self::Active(state) => Some(state.months),
            Self::PastDue(state) => Some(state.months),
            Self::Suspended(state) => Some(state.months),
            Self::Requested(_) | Self::UnderReview(_) | Self::Approved(_) | Self::Released(_) => {
                None
            }
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Requested(_) => "requested",
            Self::UnderReview(_) => "under review",
            Self::Approved(_) => "approved",
            Self::Active(_) => "active",
            Self::PastDue(_) => "past due",
            Self::Suspended(_) => "suspended",
            Self::Released(_) => "released",
        }
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = Words::of(text);
        let state = match words.stored()? {
            "requested" => Self::Requested(Requested),
            "under-review" => Self::UnderReview(UnderReview),
            "approved" => Self::Approved(Approved),
            "active" => Self::Active(Active::parse(&mut words)?),
            "past-due" => Self::PastDue(PastDue::parse(&mut words)?),
            "suspended" => Self::Suspended(Suspended::parse(&mut words)?),
            "released" => Self::Released(Released),
            _ => return None,
        };
        words.end(state)
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested(_) => out.write_str("requested"),
            Self::UnderReview(_) => out.write_str("under-review"),
            Self::Approved(_) => out.write_str("approved"),
            Self::Active(state) => write!(out, "active {}", state.months),
            Self::PastDue(state) => write!(out, "past-due {} {}", state.months, state.since),
            Self::Suspended(state) => write!(out, "suspended {}", state.months),
            Self::Released(_) => out.write_str("released"),
        }
    }
}
