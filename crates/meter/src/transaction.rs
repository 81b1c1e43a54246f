//! What the journal holds.

use std::fmt;

use crate::{Account, AccountId, Cause, Credits, Kind, Millis, OrderId, SessionId, TariffId};

/// One entry of the journal: a movement of credits, the reason for it, and a key that is used once for ever (M12).
///
/// The postings sum to zero. An entry without postings moves nothing: it keeps a fact that the price will depend on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transaction {
    /// Unique for ever: the same key means the same entry, however often it is sent.
    pub key: Key,
    /// What sort of movement this is.
    pub kind: Kind,
    /// The session it belongs to; none for credits given to a practice.
    pub session: Option<SessionId>,
    /// The practice whose accounts it moves.
    pub account: AccountId,
    /// When, in the session's own time; zero outside sessions.
    pub at: Millis,
    /// The tariff that priced it, pinned when the session started (M6); none outside sessions.
    pub tariff: Option<TariffId>,
    /// What made it: with these a session is replayed to the same number (M10).
    pub cause: Cause,
    /// The movements, no account twice, none of them zero.
    pub postings: Vec<Posting>,
    /// True when the journal refuses it unless `Available` covers it (M7); otherwise that may go below zero (M8).
    pub must_be_covered: bool,
}

impl Transaction {
    /// Gives credits to a practice that count as bought. The key is the caller's, for instance an order number.
    pub fn grant(
        order: &str,
        account: AccountId,
        credits: Credits,
        reason: impl Into<String>,
    ) -> Self {
        let cause = Cause::Granted {
            reason: reason.into(),
        };
        let moved = movement(Account::Issued, Account::Available, credits);
        Self::outside_sessions(format!("grant/{order}"), Kind::Grant, account, cause, moved)
    }

    /// Credits that were paid for (M13). A payment's `reference` buys once, whoever says so and however often.
    pub fn top_up(account: AccountId, credits: Credits, reference: &str, by: &str) -> Self {
        Self::bought(account, credits, reference, by, None)
    }

    /// The same of what was ordered, by that order or by nobody.
    pub(crate) fn bought(
        account: AccountId,
        credits: Credits,
        reference: &str,
        by: &str,
        order: Option<OrderId>,
    ) -> Self {
        let cause = Cause::Paid {
            reference: reference.to_owned(),
            by: by.to_owned(),
            order,
        };
        let moved = movement(Account::Issued, Account::Available, credits);
        let key = format!("top-up/{reference}");
        Self::outside_sessions(key, Kind::TopUp, account, cause, moved)
    }

    /// Credits given for nothing. They are spent before bought ones: see [`Holdings::given`](crate::Holdings::given).
    pub fn gift(name: &str, account: AccountId, credits: Credits, reason: &str) -> Self {
        let cause = Cause::Given {
            reason: reason.to_owned(),
        };
        let moved = movement(Account::Promotional, Account::Available, credits);
        Self::outside_sessions(format!("gift/{name}"), Kind::Gift, account, cause, moved)
    }

    /// Forgives a debt. A journal refuses it when there is less debt than that.
    pub fn write_off(
        name: &str,
        account: AccountId,
        credits: Credits,
        by: &str,
        reason: &str,
    ) -> Self {
        let cause = Cause::Forgiven {
            by: by.to_owned(),
            reason: reason.to_owned(),
        };
        let moved = movement(Account::WrittenOff, Account::Available, credits);
        let key = format!("write-off/{name}");
        Self::outside_sessions(key, Kind::WriteOff, account, cause, moved)
    }

    pub(crate) fn outside_sessions(
        key: String,
        kind: Kind,
        account: AccountId,
        cause: Cause,
        postings: Vec<Posting>,
    ) -> Self {
        Self {
            key: Key(key),
            kind,
            session: None,
            account,
            at: Millis::ZERO,
            tariff: None,
            cause,
            postings,
            must_be_covered: kind.must_be_covered(),
        }
    }

    /// Returns what the entry adds to one account; negative when it takes.
    pub fn posted(&self, account: Account) -> i64 {
        self.postings
            .iter()
            .filter(|posting| posting.account == account)
            .map(|posting| posting.delta)
            .sum()
    }

    /// Returns the credits that it takes from `Available`, zero when it takes none.
    pub fn needed(&self) -> Credits {
        Credits(self.posted(Account::Available).min(0).unsigned_abs())
    }

    /// Returns whether the postings sum to zero, as those of every entry must.
    pub fn is_balanced(&self) -> bool {
        self.postings
            .iter()
            .map(|posting| i128::from(posting.delta))
            .sum::<i128>()
            == 0
    }
}

/// Postings that move credits from one account to another; none at all for zero credits.
pub(crate) fn movement(from: Account, to: Account, credits: Credits) -> Vec<Posting> {
    if credits == Credits::ZERO {
        return Vec::new();
    }
    vec![
        Posting {
            account: from,
            delta: -credits.posted(),
        },
        Posting {
            account: to,
            delta: credits.posted(),
        },
    ]
}

/// The name of a journal entry, unique for ever: `{session}/reserve/0`, `{session}/end`, `grant/{order}`, `top-up/{reference}`,
/// `gift/{name}`, `write-off/{name}`, `transfer/{name}/out`, `{key}/correct/{name}`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key(pub String);

impl Key {
    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One line of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// What is added to it; negative when taken.
    pub delta: i64,
}
