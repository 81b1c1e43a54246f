//! The registration is in order; the number does not work yet and costs nothing.

use super::SubscriptionFact as Fact;
use super::active::Active;
use super::released::Released;
use super::state::State;
use crate::Date;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Approved;

impl Approved {
    pub(super) fn hear(self, today: Date, fact: Fact) -> State {
        match fact {
            Fact::Submitted | Fact::Approved => State::Approved(self),
            Fact::Activated => State::Active(Active::since(today)),
            Fact::Declined | Fact::Released => State::Released(Released),
        }
    }
}
