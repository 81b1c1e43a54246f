//! Nobody paid in time. Money that comes late is money all the same.

use super::paid::Paid;
use super::refunded::Refunded;
use super::state::State;
use super::{Out, PaymentFact, Wanted};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Expired;

impl Expired {
    pub(super) fn hear(self, wanted: &Wanted, fact: PaymentFact, out: &mut Out) -> State {
        match fact {
            PaymentFact::Paid(payment) => {
                Paid::by(wanted, payment, out).unwrap_or(State::Expired(self))
            }
            PaymentFact::Failed { .. } | PaymentFact::Expired => State::Expired(self),
            PaymentFact::Refunded { reference, .. } => State::Refunded(Refunded { reference }),
        }
    }
}
