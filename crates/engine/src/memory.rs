//! Ports that keep everything in memory: for examples, tests, and a first try at embedding.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use housecall_meter::{Account, AccountId, Books, Credits, Refusal, SessionId, Transaction};

use crate::ports::{Funds, Ledger, LedgerError, RecordError, Recorded, Records};
use crate::record::{CallRecord, VisitRecord};

/// A ledger that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    books: Mutex<Books>,
}

impl MemoryLedger {
    /// A ledger in which `account` has been given credits.
    ///
    /// # Errors
    /// More credits than a journal can count.
    pub fn with_credits(account: AccountId, credits: Credits) -> Result<Self, Refusal> {
        let mut books = Books::default();
        books.record(&Transaction::grant(
            "first",
            account,
            credits,
            "to begin with",
        ))?;
        Ok(Self {
            books: Mutex::new(books),
        })
    }

    fn funds_of(books: &Books, account: &AccountId) -> Funds {
        Funds {
            available: books.balance(account, Account::Available).0,
            reserved: books.balance(account, Account::Reserved).0,
        }
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn record(&self, transaction: &Transaction) -> Result<Recorded, LedgerError> {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let new = books.record(transaction).map_err(refused)?;
        Ok(Recorded {
            already: !new,
            funds: Self::funds_of(&books, &transaction.account),
        })
    }

    async fn funds(&self, account: &AccountId) -> Result<Funds, LedgerError> {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self::funds_of(&books, account))
    }

    /// There is nothing to recover after a crash: the journal is gone too.
    async fn heartbeat(&self, _session: &SessionId, _elapsed_ms: u64) -> Result<(), LedgerError> {
        Ok(())
    }
}

fn refused(refusal: Refusal) -> LedgerError {
    match refusal {
        Refusal::InsufficientCredits { needed, available } => LedgerError::InsufficientCredits {
            needed: needed.0,
            available: available.0,
        },
        Refusal::KeyConflict { key } => LedgerError::KeyConflict { key: key.0 },
        other => LedgerError::Refused(other.to_string()),
    }
}

/// Records in the order they came.
#[derive(Debug, Default)]
pub struct MemoryRecords {
    calls: Mutex<Vec<CallRecord>>,
    visits: Mutex<Vec<VisitRecord>>,
}

impl MemoryRecords {
    /// Returns the calls that have ended.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the visits that have ended.
    #[must_use]
    pub fn visits(&self) -> Vec<VisitRecord> {
        self.visits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl Records for MemoryRecords {
    async fn save_call(&self, record: &CallRecord) -> Result<(), RecordError> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if !calls.iter().any(|kept| kept.session == record.session) {
            calls.push(record.clone());
        }
        Ok(())
    }

    async fn save_visit(&self, record: &VisitRecord) -> Result<(), RecordError> {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if !visits.iter().any(|kept| kept.session == record.session) {
            visits.push(record.clone());
        }
        Ok(())
    }
}
