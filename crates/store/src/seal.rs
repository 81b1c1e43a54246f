//! The chain that a journal hangs on (M12).

use sha2::{Digest, Sha256};

use crate::Entry;

/// Returns the seal of an entry that follows one with the seal `before`: SHA-256, in 64 hexadecimal digits.
///
/// Each field goes in with its length before it, so that no two entries make the same text.
pub(crate) fn seal(before: Option<&str>, entry: &Entry) -> String {
    let mut hash = Sha256::new();
    let mut add = |field: &str| {
        hash.update(field.len().to_string());
        hash.update(":");
        hash.update(field);
    };
    let transaction = &entry.transaction;
    add(before.unwrap_or_default());
    add(&entry.seq.to_string());
    add(transaction.key.as_str());
    add(transaction.kind.as_str());
    let session = transaction.session.as_ref().map(|session| session.as_str());
    add(session.unwrap_or_default());
    add(transaction.account.as_str());
    add(&transaction.at.0.to_string());
    let tariff = transaction.tariff.map(|tariff| tariff.to_string());
    add(&tariff.unwrap_or_default());
    add(&transaction.cause.to_string());
    add(if transaction.must_be_covered {
        "covered"
    } else {
        ""
    });
    for number in [
        entry.funds_after.available,
        entry.funds_after.reserved,
        entry.recorded.0,
    ] {
        add(&number.to_string());
    }
    for posting in &transaction.postings {
        add(posting.account.as_str());
        add(&posting.delta.to_string());
    }
    let digits = hash.finalize().into_iter();
    let digits = digits.flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
