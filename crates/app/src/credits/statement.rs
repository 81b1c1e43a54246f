//! The entries of the practice's account as a person reads them.

use housecall_store::{Account, Cause, Entry};

use super::payment::Reference;
use crate::reports::Names;
use crate::sign_in::Staff;
use crate::when;

/// One entry.
pub(super) struct Line {
    pub(super) at: String,
    pub(super) what: String,
    /// The report that explains it, where it belongs to a consultation or call.
    pub(super) page: Option<String>,
    /// What it did to the available credits, with its sign; nothing for what moved none.
    pub(super) change: String,
    pub(super) available: i64,
}

impl Line {
    pub(super) fn of(entry: &Entry, staff: &Staff, names: &Names) -> Self {
        Self {
            at: when::second(entry.recorded.0, &staff.zone),
            what: what(entry, staff, names),
            page: page(entry),
            change: match change(entry) {
                0 => String::new(),
                change => format!("{change:+}"),
            },
            available: entry.funds_after.available,
        }
    }
}

/// What an entry did to what is available.
fn change(entry: &Entry) -> i64 {
    let postings = entry.transaction.postings.iter();
    postings
        .filter(|posting| posting.account == Account::Available)
        .map(|posting| posting.delta)
        .sum()
}

fn what(entry: &Entry, staff: &Staff, names: &Names) -> String {
    match &entry.transaction.cause {
        Cause::Paid { reference, by, .. } => format!(
            "Paid: {}, says {}",
            Reference::shown(reference, staff),
            names.name(by)
        ),
        Cause::Corrected { by, reason, .. } => format!(
            "Corrected by {}: {}",
            names.name(by),
            reason.replace(&Reference::prefix(staff), "")
        ),
        _ => crate::reports::entry_words(entry),
    }
}

/// Calls and consultations have reports of their own.
fn page(entry: &Entry) -> Option<String> {
    let session = entry.transaction.session.as_ref()?;
    let kind = match entry.transaction.tariff?.name {
        "phone" => "phone",
        _ => "video",
    };
    let session = crate::form::encode(session.as_str());
    Some(format!("/reports/{kind}/{session}"))
}
