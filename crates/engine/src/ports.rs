//! What the engine asks of the program around it: a ledger, a memory, a clock.
//!
//! Each port is small and named for the need. `housecall-store` implements [`Ledger`] and [`Records`] on SQLite and
//! PostgreSQL; a test implements them in memory; an embedding program may bring its own.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use housecall_meter::{AccountId, SessionId, Transaction};

use crate::record::{CallRecord, VisitRecord};

/// Everything the engine needs from outside, shared by all its shards.
#[derive(Clone)]
pub struct Ports {
    /// Where money is written down.
    pub ledger: Arc<dyn Ledger>,
    /// Where calls and visits are remembered.
    pub records: Arc<dyn Records>,
    /// The time by which money is counted.
    pub clock: Arc<dyn Clock>,
}

/// A double-entry journal that takes each transaction once, for ever (M12).
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Writes a transaction, or returns the stored result when its key is known already with the same content.
    ///
    /// # Errors
    /// [`LedgerError::InsufficientCredits`] when the transaction must be covered and is not;
    /// [`LedgerError::KeyConflict`] when the key is known with other content;
    /// [`LedgerError::Unavailable`] when the journal cannot be reached: the caller may try again with the same key.
    async fn record(&self, transaction: &Transaction) -> Result<Recorded, LedgerError>;

    /// Returns what the account has now.
    async fn funds(&self, account: &AccountId) -> Result<Funds, LedgerError>;

    /// Says whether this program may act for what it runs: let somebody in, begin something new. It always may, unless others share the ledger.
    ///
    /// Asked at each such moment, and answered at once, from what is known.
    ///
    /// # Errors
    /// [`LedgerError::OutOfTouch`] while others may be about to take over, [`LedgerError::Fenced`] once they have.
    fn may_act(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Notes that the session was alive at `elapsed_ms` of its own time: the evidence a crash is settled by (M11).
    async fn heartbeat(&self, session: &SessionId, elapsed_ms: u64) -> Result<(), LedgerError>;
}

/// The journal has this transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// True when an earlier call wrote it.
    pub already: bool,
    /// What the account has afterwards.
    pub funds: Funds,
}

/// The credits of one account.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Funds {
    /// Free to spend; below zero when a call in progress outran the account (M8).
    pub available: i64,
    /// Set aside for sessions in progress (M7).
    pub reserved: i64,
}

/// Why the ledger did not write.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The account cannot cover what is asked; nothing was written.
    #[error("{needed} credits needed, {available} available")]
    InsufficientCredits {
        /// What the transaction asks for.
        needed: u64,
        /// What the account has.
        available: i64,
    },
    /// Another transaction has this key; nothing was written.
    #[error("journal key {key} is taken by another transaction")]
    KeyConflict {
        /// The key.
        key: String,
    },
    /// The entry makes no sense to the journal; trying again would not help.
    #[error("entry refused: {0}")]
    Refused(String),
    /// The journal cannot be reached; trying again may help.
    #[error("ledger unavailable: {0}")]
    Unavailable(String),
    /// The journal has been silent for so long that another node may take over what runs here.
    #[error("the ledger has not answered for {silent_ms} ms")]
    OutOfTouch {
        /// Since it was last heard, in milliseconds.
        silent_ms: u64,
    },
    /// Others have taken over what this node had: nothing is written in its name any more.
    #[error("epoch {epoch} of this node is over, the newest is {newest}")]
    Fenced {
        /// The node's epoch.
        epoch: u64,
        /// The newest of all.
        newest: u64,
    },
}

/// Keeps what happened for the reports (P5, C1).
#[async_trait]
pub trait Records: Send + Sync {
    /// Writes the record of an ended call; a second write of the same identifier changes nothing.
    async fn save_call(&self, record: &CallRecord) -> Result<(), RecordError>;
    /// Writes the record of an ended visit; a second write of the same identifier changes nothing.
    async fn save_visit(&self, record: &VisitRecord) -> Result<(), RecordError>;
}

/// The record could not be written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("record not written: {0}")]
pub struct RecordError(pub String);

/// The time by which money is counted: monotonic for charges, wall for display.
pub trait Clock: Send + Sync {
    /// Now, on a clock that never steps.
    fn now(&self) -> Instant;
    /// Now, as people read it.
    fn wall(&self) -> WallMillis;
}

/// Milliseconds since 1970-01-01 UTC. For display and reports, never for charges.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct WallMillis(pub i64);

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> WallMillis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        WallMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
