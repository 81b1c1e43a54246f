//! The credits are bought.

use super::refunded::Refunded;
use super::state::State;
use super::{Out, Payment, PaymentFact, Wanted};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Paid {
    /// The payment that bought them.
    pub(super) reference: String,
}

impl Paid {
    /// What a payment leads to; none if it is not of the sum that the order asks for.
    pub(super) fn by(wanted: &Wanted, payment: Payment, out: &mut Out) -> Option<State> {
        if payment.amount != wanted.price {
            out.tell(wanted, wanted.odd(payment));
            return None;
        }
        out.entries
            .push(wanted.bought(&payment.reference, &payment.by));
        Some(State::Paid(Self {
            reference: payment.reference,
        }))
    }

    pub(super) fn hear(self, wanted: &Wanted, fact: PaymentFact, out: &mut Out) -> State {
        match fact {
            PaymentFact::Paid(payment) if payment.reference != self.reference => {
                out.tell(wanted, wanted.odd(payment));
                State::Paid(self)
            }
            PaymentFact::Refunded { reference, by } if reference == self.reference => {
                out.take_back(wanted, &reference, by);
                State::Refunded(Refunded { reference })
            }
            // Told twice; of an attempt before; or of a second payment that went back.
            PaymentFact::Paid(_)
            | PaymentFact::Failed { .. }
            | PaymentFact::Refunded { .. }
            | PaymentFact::Expired => State::Paid(self),
        }
    }
}
