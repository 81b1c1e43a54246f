//! The payment is waited for.

use super::expired::Expired;
use super::failed::Failed;
use super::paid::Paid;
use super::refunded::Refunded;
use super::state::State;
use super::{Out, PaymentFact, Wanted};
use crate::News;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Asked;

impl Asked {
    pub(super) fn hear(self, wanted: &Wanted, fact: PaymentFact, out: &mut Out) -> State {
        match fact {
            PaymentFact::Paid(payment) => {
                Paid::by(wanted, payment, out).unwrap_or(State::Asked(self))
            }
            PaymentFact::Failed { why } => {
                let order = wanted.id.clone();
                out.tell(wanted, News::PaymentFailed { order, why });
                State::Failed(Failed)
            }
            // The news that it was paid is on its way, or lost.
            PaymentFact::Refunded { reference, .. } => State::Refunded(Refunded { reference }),
            PaymentFact::Expired => State::Expired(Expired),
        }
    }
}
