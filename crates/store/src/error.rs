//! Why the store did not do what was asked.

use housecall::ports::LedgerError;
use housecall_meter::{Key, ReplayError, SessionId};

/// Why the store did not do what was asked. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database is away, full, locked for too long, or not a database.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// This SQLite can corrupt a write-ahead log under several connections (fixed in 3.51.3).
    #[error("sqlite {found} is too old, 3.51.3 or later is needed")]
    OldSqlite {
        /// Its version.
        found: String,
    },
    /// The account does not cover what is asked (M7).
    #[error("{needed} credits needed, {available} available")]
    InsufficientCredits {
        /// What is asked.
        needed: u64,
        /// What the account has.
        available: i64,
    },
    /// Another entry has this key.
    #[error("journal key {key} is taken by another entry")]
    KeyConflict {
        /// The key.
        key: Key,
    },
    /// The entry is no movement of credits: its postings do not sum to zero, or a quantity leaves its range.
    #[error("journal entry {key} does not balance")]
    Unbalanced {
        /// Its key.
        key: Key,
    },
    /// The entry belongs to a session that never started or has ended.
    #[error("journal entry {key} belongs to no open session")]
    SessionNotOpen {
        /// Its key.
        key: Key,
    },
    /// A stored row is not what this program writes.
    #[error("unreadable {what} in {place}")]
    Unreadable {
        /// The column.
        what: &'static str,
        /// Which row.
        place: String,
    },
    /// The journal of a session does not tell a session.
    #[error("session {session}: {why}")]
    Replay {
        /// The session.
        session: SessionId,
        /// Which entry, and why.
        why: ReplayError,
    },
    /// An entry, or one before it, is not what it was when it was sealed.
    #[error("journal entry {seq} does not fit its seal: it, or what came before it, was changed")]
    Unsealed {
        /// Its number.
        seq: u64,
    },
    /// The journal and what was derived from it disagree.
    #[error("{what} is {stored}, the journal says {replayed}")]
    Differs {
        /// What.
        what: String,
        /// As stored.
        stored: i64,
        /// As replayed.
        replayed: i64,
    },
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InsufficientCredits { needed, available } => {
                Self::InsufficientCredits { needed, available }
            }
            StoreError::KeyConflict { key } => Self::KeyConflict { key: key.0 },
            refused @ (StoreError::Unbalanced { .. } | StoreError::SessionNotOpen { .. }) => {
                Self::Refused(refused.to_string())
            }
            away => Self::Unavailable(away.to_string()),
        }
    }
}
