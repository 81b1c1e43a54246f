//! Entries of the ledger as a person reads them (M10).

use housecall_store::Entry;

use super::length;

/// One entry of the ledger.
pub(super) struct Line {
    pub(super) at: String,
    pub(super) what: String,
    pub(super) credits: String,
}

impl Line {
    pub(super) fn of(entry: &Entry, at: &impl Fn(housecall::ports::WallMillis) -> String) -> Self {
        let transaction = &entry.transaction;
        Self {
            at: at(entry.recorded),
            what: format!(
                "{} ({} after {})",
                entry_words(transaction.kind.as_str()),
                transaction.cause,
                length(transaction.at.0.max(1))
            ),
            credits: moved(entry),
        }
    }
}

fn entry_words(kind: &str) -> &'static str {
    match kind {
        "reserve" => "Reserved before it began",
        "extend" => "Reserved for more of it",
        "settle" => "Charged; the rest given back",
        "release" => "Given back",
        _ => "Noted",
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
