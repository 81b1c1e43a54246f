//! The registration is being looked at.

use super::SubscriptionFact as Fact;
use super::approved::Approved;
use super::released::Released;
use super::state::State;
use crate::WrongMoment;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct UnderReview;

impl UnderReview {
    pub(super) fn hear(self, fact: Fact) -> Result<State, WrongMoment> {
        match fact {
            Fact::Submitted => Ok(State::UnderReview(self)),
            Fact::Approved => Ok(State::Approved(Approved)),
            Fact::Declined | Fact::Released => Ok(State::Released(Released)),
            Fact::Activated => Err(WrongMoment {
                fact: fact.name(),
                state: "under review",
            }),
        }
    }
}
