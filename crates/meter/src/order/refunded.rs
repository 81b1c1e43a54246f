//! The money went back, and the credits with it: the end.

use super::state::State;
use super::{Out, PaymentFact, Wanted};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refunded {
    /// The payment that went back. The news that it was made may come later.
    pub(super) reference: String,
}

impl Refunded {
    pub(super) fn hear(self, wanted: &Wanted, fact: PaymentFact, out: &mut Out) -> State {
        if let PaymentFact::Paid(payment) = fact
            && payment.reference != self.reference
        {
            out.tell(wanted, wanted.odd(payment));
        }
        State::Refunded(self)
    }
}
