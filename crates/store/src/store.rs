//! One SQLite file, opened the only way that keeps money safe.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::StoreError;

/// The store's tables: versions 1 to 999. An embedding program numbers its own from 1001.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/sqlite");

/// Older versions can corrupt a write-ahead log that several connections use.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// Readers beside the one writer that SQLite has at a time.
const CONNECTIONS: u32 = 8;

/// How long anybody waits for a connection, and then a writer for its turn.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The ledger, the sessions and the records of a practice's calls and visits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the file, making it if need be, and brings its tables up to date. `:memory:` is a store of its own that is
    /// gone when dropped.
    ///
    /// A program that is about to run sessions calls [`Store::recover`] next.
    ///
    /// # Errors
    /// [`StoreError::OldSqlite`], or what the database says.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let pool = match path.to_str() {
            Some(":memory:") => in_memory().await?,
            _ => on_disk(path).await?,
        };
        Self::over(pool).await
    }

    /// Opens the file to read in it alone, as it is, whoever else has it open: for audits.
    ///
    /// # Errors
    /// There is no such file, or what the database says. Tables of an older version are an error of whoever asks them.
    pub async fn read(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new().connect_with(options).await?;
        Ok(Self { pool })
    }

    /// Uses a pool that the embedding program opened, with write-ahead logging, `synchronous=FULL` and foreign keys.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn over(pool: SqlitePool) -> Result<Self, StoreError> {
        expect_safe_sqlite(&pool).await?;
        let mut migrator = Migrator {
            migrations: MIGRATIONS.migrations.clone(),
            ..Migrator::DEFAULT
        };
        // The embedding program keeps tables of its own, with migrations of its own, in the same file.
        migrator.set_ignore_missing(true);
        migrator.run(&pool).await?;
        Ok(Self { pool })
    }

    /// Returns the connections, for the embedding program's own tables.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Takes the write lock at once: a transaction that reads first and asks for it later fails under other writers,
    /// whatever the busy timeout.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

async fn on_disk(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    Ok(SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(options)
        .await?)
}

/// Every connection to `:memory:` is a database of its own, so there is one and it stays.
async fn in_memory() -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .in_memory(true)
        .foreign_keys(true);
    let pool = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    Ok(pool.connect_with(options).await?)
}

async fn expect_safe_sqlite(pool: &SqlitePool) -> Result<(), StoreError> {
    let (found,): (String,) = sqlx::query_as("SELECT sqlite_version()")
        .fetch_one(pool)
        .await?;
    if is_safe(&found) {
        Ok(())
    } else {
        Err(StoreError::OldSqlite { found })
    }
}

fn is_safe(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let parts: [u32; 3] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    parts >= OLDEST_SQLITE
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn sqlite_before_the_fix_of_the_log_is_refused() {
        assert!(
            !["3.40.1", "3.51.2", "3.51", "", "nonsense"]
                .into_iter()
                .any(is_safe)
        );
        assert!(["3.51.3", "3.52.0", "4.0.0"].into_iter().all(is_safe));
    }
}
