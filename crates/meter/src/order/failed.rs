//! The payment failed. Another attempt may succeed.

use super::expired::Expired;
use super::paid::Paid;
use super::refunded::Refunded;
use super::state::State;
use super::{Out, PaymentFact, Wanted};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failed;

impl Failed {
    pub(super) fn hear(self, wanted: &Wanted, fact: PaymentFact, out: &mut Out) -> State {
        match fact {
            PaymentFact::Paid(payment) => {
                Paid::by(wanted, payment, out).unwrap_or(State::Failed(self))
            }
            PaymentFact::Failed { .. } => State::Failed(self),
            PaymentFact::Refunded { reference, .. } => State::Refunded(Refunded { reference }),
            PaymentFact::Expired => State::Expired(Expired),
        }
    }
}
