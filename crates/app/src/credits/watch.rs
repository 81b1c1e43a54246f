//! When a practice is told that its credits run low, and when credits order themselves (M13).

use housecall_store::{AutoTopUp, Balance, Watch};

use super::{payment, sum};
use crate::form::Form;
use crate::sign_in::Staff;

/// The form of it, as it stands or was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) alert: String,
    pub(super) orders: bool,
    pub(super) at: String,
    pub(super) credits: String,
    pub(super) price: String,
}

impl Fields {
    pub(super) fn of(watch: Option<&Watch>) -> Self {
        let rule = watch.and_then(Watch::top_up_rule);
        let alert = watch.and_then(Watch::alert_limit);
        Self {
            alert: alert.map_or_else(String::new, |limit| limit.to_string()),
            orders: rule.is_some(),
            at: rule.map_or_else(String::new, |rule| rule.at.to_string()),
            credits: rule.map_or_else(String::new, |rule| rule.credits.0.to_string()),
            price: rule.map_or_else(String::new, |rule| sum::plain(rule.price)),
        }
    }

    pub(super) fn typed(posted: &Form) -> Self {
        let text = |name| posted.one(name).to_owned();
        Self {
            alert: text("alert"),
            orders: posted.one("orders") == "on",
            at: text("at"),
            credits: text("credits"),
            price: text("price"),
        }
    }
}

/// Reads the form.
///
/// # Errors
/// Sentences that say what is wrong.
pub(super) fn read(
    posted: &Form,
    staff: &Staff,
) -> Result<(Option<Balance>, Option<AutoTopUp>), Vec<String>> {
    let mut wrong = Vec::new();
    let mut note = |words| wrong.push(words);
    let alert = match posted.one("alert") {
        "" => None,
        text => balance(text).map_err(&mut note).ok(),
    };
    let top_up = match posted.one("orders") {
        "on" => rule(posted, staff, &mut note),
        _ => None,
    };
    if wrong.is_empty() {
        Ok((alert, top_up))
    } else {
        Err(wrong)
    }
}

fn rule(posted: &Form, staff: &Staff, note: &mut impl FnMut(String)) -> Option<AutoTopUp> {
    let at = balance(posted.one("at")).map_err(&mut *note).ok();
    let credits = payment::credits(posted.one("credits"))
        .map_err(&mut *note)
        .ok();
    let price = payment::price(posted, staff).map_err(note).ok();
    Some(AutoTopUp::new(at?, credits?, price?))
}

fn balance(text: &str) -> Result<Balance, String> {
    let wrong = || format!("“{text}” is no number of credits: write a whole number, 0 or more.");
    let credits: u32 = text.parse().map_err(|_| wrong())?;
    Ok(Balance(credits.into()))
}
