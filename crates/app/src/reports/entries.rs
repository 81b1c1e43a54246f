//! Entries of the ledger as a person reads them (M10).

use housecall_store::Entry;
use jiff::tz::TimeZone;

use super::attendance::clock;
use crate::when;

/// One entry of the ledger.
pub(super) struct Line {
    pub(super) at: String,
    pub(super) what: String,
    pub(super) credits: String,
}

impl Line {
    pub(super) fn of(entry: &Entry, zone: &TimeZone) -> Self {
        let transaction = &entry.transaction;
        Self {
            at: when::second(entry.recorded.0, zone),
            what: format!("{}, at {}", words(entry), clock(transaction.at.0)),
            credits: moved(entry),
        }
    }
}

/// What happened, and what that did to the credits.
pub(crate) fn words(entry: &Entry) -> String {
    let transaction = &entry.transaction;
    let moved = match transaction.kind.as_str() {
        "extend" => "reserved",
        "settle" => "charged, and the rest given back",
        "release" => "given back",
        _ => "",
    };
    let happened = transaction.cause.words();
    let mut letters = happened.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    let happened = format!("{}{}", first.unwrap_or_default(), letters.as_str());
    match moved {
        "" => happened,
        moved => format!("{happened}: {moved}"),
    }
}

/// What was charged, or else set aside or given back; nothing for entries that move nothing.
fn moved(entry: &Entry) -> String {
    let delta = |account: &str| {
        let mut postings = entry.transaction.postings.iter();
        postings
            .find(|posting| posting.account.as_str() == account)
            .map(|posting| posting.delta)
    };
    let credits = delta("earned").or_else(|| delta("reserved"));
    credits.map_or_else(String::new, |credits| credits.abs().to_string())
}
