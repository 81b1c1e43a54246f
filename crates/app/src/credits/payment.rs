//! A payment that a person records: the provider of payments where there is no other.

use housecall::Credits;
use housecall_store::{Money, Order, OrderId, Payment, PaymentFact, StoreError};

use super::sum;
use crate::error::AppError;
use crate::form::Form;
use crate::money;
use crate::sign_in::Staff;
use crate::state::App;
use crate::token::Token;

/// More than this at once is a slip of the finger.
const CREDITS_MAX: u64 = 1_000_000;
const REFERENCE_MAX: usize = 100;

/// What names a payment where it was made: the number of a receipt, or of a transfer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Reference {
    /// As it was typed.
    words: String,
    /// Unique for ever, over all practices.
    name: String,
}

impl Reference {
    /// Reads it from a form.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn read(posted: &Form, staff: &Staff) -> Result<Self, String> {
        let words = posted.text("reference", "The reference", REFERENCE_MAX)?;
        if words.is_empty() {
            return Err("A payment needs a reference: the number of its receipt or transfer, so that it can never count twice.".to_owned());
        }
        let name = format!("{}{words}", Self::prefix(staff));
        Ok(Self { words, name })
    }

    /// What makes it unique, which nobody needs to read.
    pub(super) fn prefix(staff: &Staff) -> String {
        format!("{}: ", money::account(staff.practice))
    }

    /// A stored reference as it was typed.
    pub(super) fn shown<'a>(stored: &'a str, staff: &Staff) -> &'a str {
        stored.strip_prefix(&Self::prefix(staff)).unwrap_or(stored)
    }

    /// The fact that an order was paid in full.
    pub(super) fn pays(self, order: &Order, staff: &Staff) -> PaymentFact {
        PaymentFact::Paid(Payment {
            reference: self.name,
            amount: order.price(),
            by: staff.actor(),
        })
    }
}

/// A payment, and the order that is written for it.
pub(super) struct Recorded {
    pub(super) order: Order,
    reference: Reference,
    fact: PaymentFact,
}

/// Reads a payment from a form.
///
/// # Errors
/// Sentences that say what is wrong.
pub(super) fn read(posted: &Form, staff: &Staff) -> Result<Recorded, Vec<String>> {
    let mut wrong = Vec::new();
    let mut note = |words| wrong.push(words);
    let credits = credits(posted.one("credits")).map_err(&mut note).ok();
    let price = price(posted, staff).map_err(&mut note).ok();
    let reference = Reference::read(posted, staff).map_err(&mut note).ok();
    let (Some(credits), Some(price), Some(reference)) = (credits, price, reference) else {
        return Err(wrong);
    };
    // The page draws a name for each form, so that a form that is sent twice is one payment.
    let once = Token::from_text(posted.one("once"));
    let once =
        once.ok_or_else(|| vec!["This form is incomplete: open the page again.".to_owned()])?;
    let account = money::account(staff.practice);
    let id = OrderId::new(format!("recorded/{account}/{}", once.reveal()));
    let order = Order::ask(id, account, credits, price);
    let fact = reference.clone().pays(&order, staff);
    Ok(Recorded {
        order,
        reference,
        fact,
    })
}

/// Reads how many credits; at least one.
pub(super) fn credits(text: &str) -> Result<Credits, String> {
    let wrong = || format!("“{text}” is no number of credits: write a whole number, at least 1.");
    let credits: u64 = text.parse().map_err(|_| wrong())?;
    match credits {
        0 => Err(wrong()),
        1..=CREDITS_MAX => Ok(Credits(credits)),
        _ => Err(format!(
            "{credits} credits are more than {CREDITS_MAX}, the most that are bought at once."
        )),
    }
}

/// Reads what was paid, in the practice's currency.
pub(super) fn price(posted: &Form, staff: &Staff) -> Result<Money, String> {
    let currency = sum::currency(&staff.country).ok_or("No currency is known here.")?;
    sum::read(posted.one("price"), currency)
}

impl Recorded {
    /// Writes it. Words for the person instead, where this payment was recorded before.
    pub(super) async fn record(self, app: &App) -> Result<Result<(), String>, AppError> {
        let id = self.order.id().clone();
        app.store.ask_for(self.order).await?;
        match hear(app, &id, self.fact).await? {
            Ok(order) if order.payment() == Some(&self.reference.name) => Ok(Ok(())),
            // The form was sent before, and something was changed in it since.
            Ok(_) => Ok(Err(
                "This form was sent before with something else in it, and that is what was recorded. Look at the orders below before you record anything again."
                    .to_owned(),
            )),
            Err(words) => {
                let why = format!("{} was recorded before", self.reference.words);
                hear(app, &id, PaymentFact::Failed { why }).await?.ok();
                Ok(Err(words))
            }
        }
    }
}

/// Tells the ledger of a payment. Words for the person, where that payment bought something else.
pub(super) async fn hear(
    app: &App,
    order: &OrderId,
    fact: PaymentFact,
) -> Result<Result<Order, String>, AppError> {
    match app.store.hear_of_payment(order, fact).await {
        Ok(order) => Ok(Ok(order)),
        Err(StoreError::KeyConflict { .. }) => Ok(Err(
            "A payment with this reference was recorded before, and no credits came of it now. If this is another payment, give it another reference."
                .to_owned(),
        )),
        Err(StoreError::Refused(_)) => Ok(Err(
            "These credits were taken back before by a correction. Nothing was changed."
                .to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}
