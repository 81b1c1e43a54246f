//! Opens the clinic's database: one SQLite file.

use std::path::Path;

use housecall_store::{Store, StoreError};
use sqlx::{Any, AnyPool, Transaction};

/// The clinic's tables, versions 1001 and up; the ledger's are numbered below in `housecall-store`.
static CLINIC: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Why the database did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The directory for the file cannot be made.
    #[error("cannot make the directory {0}: {1}")]
    Directory(String, std::io::Error),
    /// SQLite refused.
    #[error("cannot open {0}: {1}")]
    Open(String, String),
    /// The tables are not what this program expects.
    #[error("cannot prepare the tables: {0}")]
    Migrate(#[from] StoreError),
}

/// Opens, or makes, the file and brings its tables up to date: the ledger's and the clinic's.
///
/// # Errors
/// When the file cannot be made, opened or migrated.
pub async fn open(file: &Path) -> Result<Store, DatabaseError> {
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)
            .map_err(|e| DatabaseError::Directory(directory.display().to_string(), e))?;
    }
    let store = Store::open(file)
        .await
        .map_err(|e| DatabaseError::Open(file.display().to_string(), e.to_string()))?;
    migrate(&store).await?;
    Ok(store)
}

/// Opens the file only to read in it, as it is, whoever else has it open. None if there is no file.
///
/// # Errors
/// When it cannot be opened.
pub async fn read(file: &Path) -> Result<Option<AnyPool>, DatabaseError> {
    if !file.exists() {
        return Ok(None);
    }
    let store = Store::read(file)
        .await
        .map_err(|e| DatabaseError::Open(file.display().to_string(), e.to_string()))?;
    Ok(Some(store.pool().clone()))
}

/// Brings the clinic's tables up to date.
///
/// # Errors
/// When a migration fails or an applied one has changed since.
pub async fn migrate(store: &Store) -> Result<(), StoreError> {
    store.migrate(&CLINIC, &CLINIC).await
}

/// Begins a transaction that is going to write.
///
/// # Errors
/// When the database refuses.
pub async fn begin(store: &Store) -> Result<Transaction<'static, Any>, StoreError> {
    store.begin().await
}
