//! Somebody asked for a number, and gave the registration of the business.

use super::SubscriptionFact as Fact;
use super::released::Released;
use super::state::State;
use super::under_review::UnderReview;
use crate::WrongMoment;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Requested;

impl Requested {
    pub(super) fn hear(self, fact: Fact) -> Result<State, WrongMoment> {
        match fact {
            Fact::Submitted => Ok(State::UnderReview(UnderReview)),
            Fact::Released => Ok(State::Released(Released)),
            Fact::Approved | Fact::Declined | Fact::Activated => Err(WrongMoment {
                fact: fact.name(),
                state: "requested",
            }),
        }
    }
}
