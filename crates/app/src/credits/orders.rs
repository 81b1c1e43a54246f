//! Orders of credits and what the ledger has told of them, as a person reads them.

use housecall::ports::WallMillis;
use housecall_store::{Event, News, Order};

use super::payment::Reference;
use super::sum;
use crate::sign_in::Staff;
use crate::when;

/// One order.
pub(super) struct OrderLine {
    pub(super) id: String,
    pub(super) asked: String,
    pub(super) credits: u64,
    pub(super) price: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    pub(super) reference: String,
    pub(super) is_automatic: bool,
    pub(super) is_open: bool,
    pub(super) is_paid: bool,
}

impl OrderLine {
    pub(super) fn of((order, asked): &(Order, WallMillis), staff: &Staff) -> Self {
        let (state, class) = match order.state() {
            "paid" => ("Paid", "good"),
            "refunded" => ("Taken back", "warn"),
            "failed" => ("Not paid", ""),
            "expired" => ("Expired", ""),
            _ => ("Payment awaited", "warn"),
        };
        let reference = order.payment().unwrap_or_default();
        Self {
            id: order.id().to_string(),
            asked: when::second(asked.0, &staff.zone),
            credits: order.credits().0,
            price: sum::words(order.price()),
            state,
            class,
            reference: Reference::shown(reference, staff).to_owned(),
            is_automatic: order.id().as_str().starts_with("auto/"),
            is_open: order.is_open(),
            is_paid: order.payment().is_some() && !order.is_refunded(),
        }
    }
}

/// Something that the practice was to be told.
pub(super) struct Notice {
    pub(super) at: String,
    pub(super) words: String,
    pub(super) class: &'static str,
}

impl Notice {
    /// What is no more than the trace of a recorded payment is no notice.
    pub(super) fn of((event, caused): &(Event, WallMillis), staff: &Staff) -> Option<Self> {
        let (words, class) = words(&event.news, staff)?;
        Some(Self {
            at: when::second(caused.0, &staff.zone),
            words,
            class,
        })
    }
}

fn words(news: &News, staff: &Staff) -> Option<(String, &'static str)> {
    Some(match news {
        News::OrderWanted { order, .. } if !order.as_str().starts_with("auto/") => return None,
        News::OrderWanted { credits, price, .. } => (
            format!(
                "{} credits were ordered for {}. They come when the payment is recorded.",
                credits.0,
                sum::words(*price)
            ),
            "",
        ),
        News::LowBalance { available, limit } => (
            format!(
                "{available} credits were left: the limit is {limit}. Top up before the next consultations are refused."
            ),
            "warn",
        ),
        News::TopUpBound { available } => (
            format!(
                "{available} credits were left, and nothing was ordered: the day's bound of automatic orders was reached."
            ),
            "warn",
        ),
        News::PaymentFailed { why, .. } => (format!("An order was not paid: {why}."), ""),
        News::OddPayment {
            reference,
            paid,
            price,
            ..
        } => (
            format!(
                "The payment {} of {} fits no open order ({} was asked for). No credits came of it: decide what it was for.",
                Reference::shown(reference, staff),
                sum::words(*paid),
                sum::words(*price)
            ),
            "bad",
        ),
        News::PastDue {
            subscription,
            month,
        } => (
            format!(
                "Month {} of number {subscription} could not be paid.",
                month + 1
            ),
            "warn",
        ),
        News::Suspended {
            subscription,
            month,
        } => (
            format!(
                "Number {subscription} does not work any more: its month {} was not paid.",
                month + 1
            ),
            "bad",
        ),
    })
}
