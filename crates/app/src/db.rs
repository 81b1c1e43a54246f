//! Opens the clinic's database: one SQLite file, or a PostgreSQL database.

use housecall_store::{Address, Dialect, Store, StoreError};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, Transaction};

/// The clinic's tables, versions 1001 and up; the ledger's are numbered below in `housecall-store`.
static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// Why the database did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The directory for the file cannot be made.
    #[error("cannot make the directory {0}: {1}")]
    Directory(String, std::io::Error),
    /// The database refused.
    #[error("cannot open {0}: {1}")]
    Open(Address, StoreError),
    /// The tables are not what this program expects.
    #[error("cannot prepare the tables: {0}")]
    Migrate(StoreError),
}

/// Opens the database, making it if it is a file, and brings its tables up to date: the ledger's and the clinic's.
///
/// # Errors
/// When it cannot be made, opened or migrated.
pub async fn open(address: &Address) -> Result<Store, DatabaseError> {
    if let Address::File(file) = address
        && let Some(directory) = file.parent()
    {
        std::fs::create_dir_all(directory)
            .map_err(|e| DatabaseError::Directory(directory.display().to_string(), e))?;
    }
    let opened = Store::open(address).await;
    let store = opened.map_err(|e| DatabaseError::Open(address.clone(), e))?;
    migrate(&store).await.map_err(DatabaseError::Migrate)?;
    Ok(store)
}

/// Opens the database only to read in it, as it is, whoever else has it open. None if it is a file that is not there.
///
/// # Errors
/// When it cannot be opened.
pub async fn read(address: &Address) -> Result<Option<AnyPool>, DatabaseError> {
    if matches!(address, Address::File(file) if !file.exists()) {
        return Ok(None);
    }
    let opened = Store::read(address).await;
    let store = opened.map_err(|e| DatabaseError::Open(address.clone(), e))?;
    Ok(Some(store.pool().clone()))
}

/// Brings the clinic's tables up to date.
///
/// # Errors
/// When a migration fails or an applied one has changed since.
pub async fn migrate(store: &Store) -> Result<(), StoreError> {
    store.migrate(&SQLITE, &POSTGRES).await
}

/// Begins a transaction that changes the clinic's tables in several steps: one at a time, so that what it has read stays true until it ends.
///
/// # Errors
/// When the database refuses.
pub async fn begin(store: &Store) -> Result<Transaction<'static, Any>, StoreError> {
    let mut tx = store.begin().await?;
    if store.dialect() == Dialect::Postgres {
        let turn = sqlx::query("LOCK TABLE clinic_turn IN EXCLUSIVE MODE");
        turn.execute(&mut *tx).await?;
    }
    Ok(tx)
}
