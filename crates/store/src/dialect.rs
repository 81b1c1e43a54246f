//! What a statement must know of the database that it runs on.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool};

use crate::{StoreError, postgres, sqlite};

/// Which database stands behind a store. Nearly all statements are the same for both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// SQLite, 3.51.3 or later.
    Sqlite,
    /// PostgreSQL, 15 or later.
    Postgres,
}

impl Dialect {
    /// Asks a connection what it is connected to.
    pub(crate) fn of(connection: &AnyConnection) -> Result<Self, StoreError> {
        match connection.backend_name() {
            "SQLite" => Ok(Self::Sqlite),
            "PostgreSQL" => Ok(Self::Postgres),
            other => Err(StoreError::UnknownDatabase {
                name: other.to_owned(),
            }),
        }
    }

    /// Begins a transaction that is going to write.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::BEGIN,
            Self::Postgres => postgres::BEGIN,
        }
    }

    /// Begins a transaction that reads, and sees one moment throughout.
    pub(crate) fn begin_reading(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::BEGIN_READING,
            Self::Postgres => postgres::BEGIN_READING,
        }
    }

    /// Waits for the turn to append to the journal in the name of an epoch, in a transaction that has just begun.
    pub(crate) fn take_the_journal(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::TAKE_THE_JOURNAL,
            Self::Postgres => postgres::TAKE_THE_JOURNAL,
        }
    }

    /// Writes an entry and what follows from it: see [`append_entry`](crate::append::append_entry).
    pub(crate) fn append_entry(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::APPEND_ENTRY,
            Self::Postgres => postgres::APPEND_ENTRY,
        }
    }

    /// The same by one statement that needs no turn, where the database has one.
    pub(crate) fn append_entry_if_so(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(postgres::APPEND_ENTRY_IF_SO),
        }
    }

    pub(crate) async fn expect_safe(self, pool: &AnyPool) -> Result<(), StoreError> {
        match self {
            Self::Sqlite => sqlite::expect_safe(pool).await,
            Self::Postgres => postgres::expect_safe(pool).await,
        }
    }

    pub(crate) async fn migrate(
        self,
        pool: &AnyPool,
        migrator: &Migrator,
    ) -> Result<(), MigrateError> {
        let mut migrator = Migrator {
            migrations: migrator.migrations.clone(),
            ..Migrator::DEFAULT
        };
        // Store and embedding program keep tables in one database, each with migrations of its own.
        migrator.set_ignore_missing(true);
        match self {
            Self::Sqlite => migrator.run(pool).await,
            Self::Postgres => postgres::migrate(pool, &migrator).await,
        }
    }
}
