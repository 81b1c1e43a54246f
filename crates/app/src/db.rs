//! Opens the clinic's database: one SQLite file.

use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

/// The clinic's tables, versions 1001 and up; the ledger's are numbered below in `housecall-store`.
static CLINIC: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// A transaction that takes the write lock at once: a plain BEGIN that upgrades later fails under concurrent writers.
pub const WRITE: &str = "BEGIN IMMEDIATE";

/// Why the database did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The directory for the file cannot be made.
    #[error("cannot make the directory {0}: {1}")]
    Directory(String, std::io::Error),
    /// SQLite refused.
    #[error("cannot open {0}: {1}")]
    Open(String, sqlx::Error),
    /// The tables are not what this program expects.
    #[error("cannot prepare the tables: {0}")]
    Migrate(#[from] MigrateError),
}

/// Opens, or makes, the file and brings the clinic's tables up to date.
///
/// # Errors
/// When the file cannot be made, opened or migrated.
pub async fn open(file: &Path) -> Result<SqlitePool, DatabaseError> {
    let named = || file.display().to_string();
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)
            .map_err(|e| DatabaseError::Directory(directory.display().to_string(), e))?;
    }
    let pool = SqlitePoolOptions::new()
        .max_connections(8)
        .connect_with(options(file))
        .await
        .map_err(|e| DatabaseError::Open(named(), e))?;
    migrate(&pool).await?;
    Ok(pool)
}

/// Brings the clinic's tables up to date.
///
/// # Errors
/// When a migration fails or an applied one has changed since.
pub async fn migrate(pool: &SqlitePool) -> Result<(), MigrateError> {
    let mut migrator = sqlx::migrate::Migrator {
        migrations: CLINIC.migrations.clone(),
        ..sqlx::migrate::Migrator::DEFAULT
    };
    migrator.set_ignore_missing(true);
    migrator.run(pool).await
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
}
