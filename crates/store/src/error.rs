//! Why the store did not do what was asked.

use std::time::Duration;

use housecall::ports::LedgerError;
use housecall_meter::{Key, Refusal, ReplayError, SessionId, WrongMoment};

use crate::Epoch;

/// Why the store did not do what was asked. Nothing was written, except as [`StoreError::Database`] and [`StoreError::Silent`] say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database is away, full, locked for too long, or not a database. One that went away while it was told to commit may have done so.
    #[error("database: {}", with_meaning(.0))]
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
    /// This PostgreSQL is older than 15.
    #[error("postgresql {found} is too old, 15 or later is needed")]
    OldPostgres {
        /// Its version.
        found: String,
    },
    /// A setting of the PostgreSQL server, or of its database, with which text or money can be lost.
    #[error("postgresql has {setting} {found}, {needed} is needed")]
    UnsafePostgres {
        /// The setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        needed: &'static str,
    },
    /// A pool of another database.
    #[error("{name} is no database that the store knows")]
    UnknownDatabase {
        /// Its name.
        name: String,
    },
    /// The database neither answers nor fails. What was sent may or may not have been done.
    #[error("database silent for {} s", waited.as_secs())]
    Silent {
        /// How long it was waited for.
        waited: Duration,
    },
    /// This node was declared gone, or another process took the database over: what it had is no longer its own.
    #[error(
        "epoch {epoch} of this node is over, the newest is {newest}: others have taken its work"
    )]
    Fenced {
        /// The node's epoch.
        epoch: Epoch,
        /// The newest of all.
        newest: Epoch,
    },
    /// This node takes nothing new any more.
    #[error("epoch {epoch} of this node drains or is over: it takes nothing new")]
    NotLive {
        /// The node's epoch.
        epoch: Epoch,
    },
    /// Others of this program were at the journal all the time.
    #[error("journal busy for {} s", waited.as_secs())]
    Busy {
        /// How long the turn was waited for.
        waited: Duration,
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
    /// A correction, transfer or write-off that cannot be (M12, M13).
    #[error("{0}")]
    Refused(Refusal),
    /// A subscription is not there yet (N1).
    #[error("{0}")]
    WrongMoment(#[from] WrongMoment),
    /// There is no such thing.
    #[error("no {what} {name}")]
    Unknown {
        /// What.
        what: &'static str,
        /// Its name.
        name: String,
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
    /// A row beside the journal is not what the journal, or another row, says.
    #[error("{place} {what}")]
    Contradicts {
        /// Which row.
        place: String,
        /// How.
        what: &'static str,
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

/// What the database said, after what it means where its codes tell.
fn with_meaning(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|said| said.code());
    match code.as_deref() {
        Some("13" | "53100") => format!("its disk is full, make room there: {error}"),
        Some("5" | "55P03") => format!("somebody else holds it locked: {error}"),
        _ => error.to_string(),
    }
}

impl StoreError {
    /// Whether it says nothing of what was asked, only that the database cannot be asked now.
    pub(crate) fn is_away(&self) -> bool {
        matches!(
            self,
            Self::Database(_) | Self::Silent { .. } | Self::Busy { .. }
        )
    }

    /// Whether the database says that what was sent breaks its rules: trying again would not help.
    pub(crate) fn is_about_what_was_sent(&self) -> bool {
        use sqlx::error::ErrorKind;
        let Self::Database(error) = self else {
            return false;
        };
        let said = error.as_database_error();
        said.is_some_and(|said| !matches!(said.kind(), ErrorKind::Other))
    }

    /// Whether a row of the same number or name is there already.
    pub(crate) fn is_taken(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        let said = error.as_database_error();
        said.is_some_and(|said| said.is_unique_violation())
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InsufficientCredits { needed, available } => {
                Self::InsufficientCredits { needed, available }
            }
            StoreError::KeyConflict { key } => Self::KeyConflict { key: key.0 },
            StoreError::Fenced { epoch, newest } => Self::Fenced {
                epoch: epoch.0,
                newest: newest.0,
            },
            refused @ (StoreError::Unbalanced { .. }
            | StoreError::SessionNotOpen { .. }
            | StoreError::Refused(_)
            | StoreError::WrongMoment(_)
            | StoreError::Unknown { .. }) => Self::Refused(refused.to_string()),
            away => Self::Unavailable(away.to_string()),
        }
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InsufficientCredits { needed, available } => Self::InsufficientCredits {
                needed: needed.0,
                available: available.0,
            },
            Refusal::KeyConflict { key } => Self::KeyConflict { key },
            Refusal::Unbalanced { key } => Self::Unbalanced { key },
            other => Self::Refused(other),
        }
    }
}
