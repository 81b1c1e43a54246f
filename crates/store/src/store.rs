//! A database, opened the only way that keeps money safe.

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, Transaction};
use tokio::time::timeout;

use crate::nodes::{Epoch, Tenure};
use crate::turn::Turn;
use crate::{Address, Dialect, StoreError, postgres, sqlite};

/// The store's tables: versions 1 to 999. An embedding program numbers its own from 1001.
static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// How long anybody waits for a connection, a statement, or a writer for its turn.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Longer than it takes to wait for the turn in this program, for a connection, and then for other programs.
const SILENCE: Duration = Duration::from_secs(17);

/// A transaction that alone may append to the journal.
pub(crate) type Entries = Transaction<'static, Any>;

/// The ledger, the sessions and the records of a practice's calls and visits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    /// Whose turn it is in this program: one of its connections waits for other programs, and not all.
    pub(crate) turn: Arc<Turn>,
    /// How long anybody waits for the turn.
    pub(crate) patience: Duration,
    /// How long a server may say nothing.
    pub(crate) silence: Duration,
    /// In whose name it writes.
    pub(crate) tenure: Arc<Tenure>,
}

impl Store {
    /// Opens the database and brings the store's tables in it up to date. A SQLite file that is not there is made; a PostgreSQL database must
    /// be there.
    ///
    /// A program that is about to run sessions calls [`Store::recover`] next.
    ///
    /// # Errors
    /// [`StoreError::OldSqlite`], [`StoreError::OldPostgres`], [`StoreError::UnsafePostgres`], [`StoreError::Silent`], or what the database
    /// says.
    pub async fn open(address: impl Into<Address>) -> Result<Self, StoreError> {
        let pool = match &address.into() {
            Address::Memory => sqlite::in_memory().await?,
            Address::File(file) => sqlite::open(file).await?,
            Address::Postgres(url) => postgres::open(url).await?,
        };
        Self::over(pool).await
    }

    /// Opens the database to read in it alone, as it is, whoever else has it open: for audits.
    ///
    /// # Errors
    /// There is no such database, or what it says. Tables of an older version are an error of whoever asks them.
    pub async fn read(address: impl Into<Address>) -> Result<Self, StoreError> {
        let pool = match &address.into() {
            Address::Memory => sqlite::in_memory().await?,
            Address::File(file) => sqlite::read(file).await?,
            Address::Postgres(url) => postgres::read(url).await?,
        };
        let dialect = Dialect::of(&*pool.acquire().await?)?;
        Ok(Self::new(pool, dialect))
    }

    /// Uses a pool that the embedding program opened: of SQLite with write-ahead logging, `synchronous=FULL` and foreign keys; of PostgreSQL
    /// with a `statement_timeout` and a `lock_timeout`.
    ///
    /// # Errors
    /// As [`Store::open`], or [`StoreError::UnknownDatabase`].
    pub async fn over(pool: AnyPool) -> Result<Self, StoreError> {
        let dialect = Dialect::of(&*pool.acquire().await?)?;
        dialect.expect_safe(&pool).await?;
        let store = Self::new(pool, dialect);
        store.migrate(&SQLITE, &POSTGRES).await?;
        Ok(store)
    }

    fn new(pool: AnyPool, dialect: Dialect) -> Self {
        Self {
            pool,
            dialect,
            turn: Arc::default(),
            patience: PATIENCE,
            silence: SILENCE,
            tenure: Arc::default(),
        }
    }

    /// Brings tables of the embedding program up to date, in the same database, by its migrations for that. Their versions begin at 1001.
    ///
    /// # Errors
    /// [`StoreError::Migration`]: one fails, or one that was applied has changed since.
    pub async fn migrate(&self, sqlite: &Migrator, postgres: &Migrator) -> Result<(), StoreError> {
        let migrator = match self.dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        };
        Ok(self.dialect.migrate(&self.pool, migrator).await?)
    }

    /// Returns the connections, for the embedding program's own tables.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Returns which database it is, for the statements that must know.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Waits for an answer to `work`, and gives up on a server that says nothing at all: its own limits do not help then.
    pub(crate) async fn answered<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self.dialect {
            Dialect::Sqlite => work.await,
            Dialect::Postgres => {
                let silent = Err(StoreError::Silent {
                    waited: self.silence,
                });
                timeout(self.silence, work).await.unwrap_or(silent)
            }
        }
    }

    /// Begins a transaction that is going to write: on SQLite, alone, with the write lock.
    ///
    /// # Errors
    /// What the database says: on SQLite, that others wrote for all of the busy timeout.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.pool.begin_with(self.dialect.begin()).await?)
    }

    /// Begins a transaction that alone may append to the journal until it ends, in the name of this store's node.
    pub(crate) async fn begin_entry(&self) -> Result<Entries, StoreError> {
        self.begin_as(self.tenure.epoch()).await
    }

    /// The same in the name of any epoch. One that is over is refused (see the function on PostgreSQL).
    pub(crate) async fn begin_as(&self, epoch: Epoch) -> Result<Entries, StoreError> {
        let mut tx = self.begin().await?;
        let take = sqlx::query_scalar(self.dialect.take_the_journal()).bind(epoch.stored());
        let newest: i64 = take.fetch_one(&mut *tx).await?;
        match u64::try_from(newest).unwrap_or_default() {
            0 => Ok(tx),
            newest => {
                let newest = Epoch(newest);
                self.tenure.end(epoch, newest);
                Err(StoreError::Fenced { epoch, newest })
            }
        }
    }

    /// Begins a transaction that reads, and sees one moment throughout.
    pub(crate) async fn begin_reading(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.pool.begin_with(self.dialect.begin_reading()).await?)
    }
}
