//! A journal kept in memory: what every ledger must agree with.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Account, AccountId, Balance, Credits, Key, Transaction};

/// A double-entry journal in memory, with the balances that follow from it (M12).
///
/// It is the model of a ledger: a stored one is verified by replaying its journal through this.
#[derive(Debug, Default)]
pub struct Books {
    journal: BTreeMap<Key, Transaction>,
    balances: BTreeMap<Holder, Balance>,
}

/// One of the accounts of one practice.
type Holder = (AccountId, Account);

impl Books {
    /// Writes an entry; true when it was new, false when the same entry was written before.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing was written.
    pub fn record(&mut self, entry: &Transaction) -> Result<bool, Refusal> {
        if let Some(known) = self.journal.get(&entry.key) {
            return if known == entry {
                Ok(false)
            } else {
                Err(Refusal::KeyConflict {
                    key: entry.key.clone(),
                })
            };
        }
        let changed = self.changed(entry)?;
        self.balances.extend(changed);
        self.journal.insert(entry.key.clone(), entry.clone());
        Ok(true)
    }

    /// Returns what a practice's account has.
    pub fn balance(&self, account: &AccountId, of: Account) -> Balance {
        self.balances
            .get(&(account.clone(), of))
            .copied()
            .unwrap_or_default()
    }

    /// Returns every balance that an entry ever touched, in order.
    pub fn balances(&self) -> impl Iterator<Item = (&AccountId, Account, Balance)> {
        self.balances
            .iter()
            .map(|((account, of), balance)| (account, *of, *balance))
    }

    fn changed(&self, entry: &Transaction) -> Result<Vec<(Holder, Balance)>, Refusal> {
        if !entry.is_balanced() {
            return Err(Refusal::Unbalanced {
                key: entry.key.clone(),
            });
        }
        let available = self.balance(&entry.account, Account::Available);
        if entry.must_be_covered && !available.covers(entry.needed()) {
            return Err(Refusal::InsufficientCredits {
                needed: entry.needed(),
                available,
            });
        }
        let mut changed = Vec::new();
        for of in Account::ALL.into_iter().filter(|of| entry.posted(*of) != 0) {
            let after = self
                .balance(&entry.account, of)
                .0
                .checked_add(entry.posted(of));
            let after = after.ok_or_else(|| Refusal::Unbalanced {
                key: entry.key.clone(),
            })?;
            changed.push(((entry.account.clone(), of), Balance(after)));
        }
        Ok(changed)
    }
}

/// Why a journal does not write an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The account does not cover it (M7).
    InsufficientCredits {
        /// What is asked.
        needed: Credits,
        /// What there is.
        available: Balance,
    },
    /// The key belongs to another entry.
    KeyConflict {
        /// The key.
        key: Key,
    },
    /// The postings do not sum to zero, or a balance would leave the range of its type.
    Unbalanced {
        /// The key.
        key: Key,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InsufficientCredits { needed, available } => {
                write!(out, "{needed} needed, {available} available")
            }
            Self::KeyConflict { key } => write!(out, "journal key {key} is taken by another entry"),
            Self::Unbalanced { key } => write!(out, "postings of {key} do not balance"),
        }
    }
}

impl std::error::Error for Refusal {}
