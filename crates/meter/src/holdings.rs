//! What one account holder has.

use crate::{Account, Balance, Credits, Kind, Refusal, Transaction};

/// The balances of one account holder, and what is left of the credits given to it: a projection of its entries (M12).
///
/// A ledger keeps one for each [`AccountId`](crate::AccountId) and writes it together with the entry that changes it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Holdings {
    balances: [i64; Account::COUNT],
    given: Credits,
}

impl Holdings {
    /// Holdings as a ledger stored them: what each account has, and [`Holdings::given`].
    pub fn stored(balance: impl Fn(Account) -> Balance, given: Credits) -> Self {
        Self {
            balances: Account::ALL.map(|account| balance(account).0),
            given,
        }
    }

    /// Returns what an account has.
    pub fn balance(&self, of: Account) -> Balance {
        let mut all = Account::ALL.into_iter().zip(self.balances);
        Balance(
            all.find(|(account, _)| *account == of)
                .map_or(0, |(_, has)| has),
        )
    }

    /// Returns how many of the credits that are not spent were given, not bought.
    ///
    /// Given credits are spent first, debts included: whoever was given credits keeps the money's worth longest. Credits that are only
    /// reserved are not spent. What a correction gives back counts as bought, to the holder's advantage. Given credits stay with whom they
    /// were given to: a transfer takes bought ones alone.
    pub fn given(&self) -> Credits {
        self.given
    }

    /// Returns what is available and was bought: what may be transferred.
    pub fn bought(&self) -> Balance {
        let Balance(available) = self.balance(Account::Available);
        Balance(available.saturating_sub(self.given.posted()))
    }

    /// Returns the holdings after an entry.
    ///
    /// # Errors
    /// [`Refusal`] when the entry may not be written: it does not balance, is not covered (M7), forgives more than is owed.
    pub fn after(&self, entry: &Transaction) -> Result<Self, Refusal> {
        let unbalanced = || Refusal::Unbalanced {
            key: entry.key.clone(),
        };
        if !entry.is_balanced() {
            return Err(unbalanced());
        }
        self.check_covered(entry)?;
        let mut after = *self;
        for (balance, account) in after.balances.iter_mut().zip(Account::ALL) {
            let posted = entry.posted(account);
            *balance = balance.checked_add(posted).ok_or_else(unbalanced)?;
        }
        after.given = self.given_after(entry).min(after.owned());
        self.check_debt(entry, &after)?;
        Ok(after)
    }

    fn check_covered(&self, entry: &Transaction) -> Result<(), Refusal> {
        let available = match entry.kind {
            Kind::TransferOut => self.bought(),
            _ => self.balance(Account::Available),
        };
        if entry.must_be_covered && !available.covers(entry.needed()) {
            return Err(Refusal::InsufficientCredits {
                needed: entry.needed(),
                available,
            });
        }
        Ok(())
    }

    fn check_debt(&self, entry: &Transaction, after: &Self) -> Result<(), Refusal> {
        if entry.kind == Kind::WriteOff && after.owned() > Credits::ZERO {
            return Err(Refusal::NoSuchDebt {
                forgiven: Credits(entry.posted(Account::Available).unsigned_abs()),
                owed: self.owed(),
            });
        }
        Ok(())
    }

    fn given_after(&self, entry: &Transaction) -> Credits {
        let taken = match entry.kind {
            Kind::Settle | Kind::Charge => entry.posted(Account::Earned),
            _ => entry.posted(Account::Promotional),
        };
        match u64::try_from(taken) {
            Ok(taken) => self.given - Credits(taken),
            Err(_) => self.given + Credits(taken.unsigned_abs()),
        }
    }

    /// What is not spent: available and reserved. What is reserved may come back, so it is no debt.
    fn unspent(&self) -> i64 {
        let [Balance(available), Balance(reserved)] =
            [Account::Available, Account::Reserved].map(|account| self.balance(account));
        available.saturating_add(reserved)
    }

    fn owned(&self) -> Credits {
        Credits(self.unspent().max(0).unsigned_abs())
    }

    fn owed(&self) -> Credits {
        Credits(self.unspent().min(0).unsigned_abs())
    }
}
