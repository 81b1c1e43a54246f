//! A journal kept in memory: what every ledger must agree with.

use std::collections::BTreeMap;

use crate::{
    Account, AccountId, Balance, Cause, Correction, Credits, Holdings, Key, Refusal, Transaction,
};

/// A double-entry journal in memory, with the balances that follow from it (M12).
///
/// It is the model of a ledger: a stored one is verified by replaying its journal through this.
#[derive(Debug, Default)]
pub struct Books {
    journal: BTreeMap<Key, Transaction>,
    holdings: BTreeMap<AccountId, Holdings>,
    /// How much of an entry was reversed by corrections.
    reversed: BTreeMap<Key, Credits>,
}

impl Books {
    /// Writes an entry; true when it was new, false when the same entry was written before.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing was written.
    pub fn record(&mut self, entry: &Transaction) -> Result<bool, Refusal> {
        self.record_all(std::slice::from_ref(entry))
    }

    /// Writes entries that have one fate, as both legs of a [`Transfer`](crate::Transfer) do: all of them, or none. True when one was new.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing was written.
    pub fn record_all(&mut self, entries: &[Transaction]) -> Result<bool, Refusal> {
        let mut draft = Draft::of(self);
        for entry in entries {
            draft.write(entry)?;
        }
        let Draft {
            journal,
            holdings,
            reversed,
            ..
        } = draft.closed()?;
        let is_new = !journal.is_empty();
        self.journal.extend(journal);
        self.holdings.extend(holdings);
        self.reversed.extend(reversed);
        Ok(is_new)
    }

    /// Returns what a practice's account has.
    pub fn balance(&self, account: &AccountId, of: Account) -> Balance {
        self.holdings(account).balance(of)
    }

    /// Returns all that an account holder has.
    pub fn holdings(&self, account: &AccountId) -> Holdings {
        self.holdings.get(account).copied().unwrap_or_default()
    }

    /// Returns every balance of everybody that an entry ever named, in order.
    pub fn balances(&self) -> impl Iterator<Item = (&AccountId, Account, Balance)> {
        self.holdings.iter().flat_map(|(account, holdings)| {
            Account::ALL.map(|of| (account, of, holdings.balance(of)))
        })
    }
}

/// What is about to be written, over what is.
struct Draft<'a> {
    books: &'a Books,
    journal: BTreeMap<Key, Transaction>,
    holdings: BTreeMap<AccountId, Holdings>,
    reversed: BTreeMap<Key, Credits>,
}

impl<'a> Draft<'a> {
    fn of(books: &'a Books) -> Self {
        Self {
            books,
            journal: BTreeMap::new(),
            holdings: BTreeMap::new(),
            reversed: BTreeMap::new(),
        }
    }

    fn write(&mut self, entry: &Transaction) -> Result<(), Refusal> {
        if let Some(known) = self.entry(&entry.key) {
            return if known == entry {
                Ok(())
            } else {
                Err(Refusal::KeyConflict {
                    key: entry.key.clone(),
                })
            };
        }
        if let Cause::Corrected { of, .. } = &entry.cause {
            let reversed = self.reversed_after(of, entry)?;
            self.reversed.insert(of.clone(), reversed);
        }
        let held = self.holdings.get(&entry.account).copied();
        let held = held.unwrap_or_else(|| self.books.holdings(&entry.account));
        self.holdings
            .insert(entry.account.clone(), held.after(entry)?);
        self.journal.insert(entry.key.clone(), entry.clone());
        Ok(())
    }

    /// How much of an entry is reversed once `correction` is written too.
    fn reversed_after(&self, of: &Key, correction: &Transaction) -> Result<Credits, Refusal> {
        let reversed = [&self.reversed, &self.books.reversed];
        let reversed = reversed.into_iter().find_map(|map| map.get(of)).copied();
        let entry = self.entry(of);
        let entry = entry.ok_or_else(|| Refusal::NotCorrectable { key: of.clone() })?;
        Correction::check(correction, entry, reversed.unwrap_or_default())
    }

    fn entry(&self, key: &Key) -> Option<&Transaction> {
        self.journal
            .get(key)
            .or_else(|| self.books.journal.get(key))
    }

    /// A transfer that is written has both its legs.
    fn closed(self) -> Result<Self, Refusal> {
        let on_the_way = |entry: &Transaction| i128::from(entry.posted(Account::Transferred));
        let on_the_way: i128 = self.journal.values().map(on_the_way).sum();
        match self.journal.keys().next() {
            Some(key) if on_the_way != 0 => Err(Refusal::Unbalanced { key: key.clone() }),
            _ => Ok(self),
        }
    }
}
