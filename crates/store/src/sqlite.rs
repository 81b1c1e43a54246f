//! SQLite: one file, opened the only way that keeps money safe.

use std::path::Path;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use crate::StoreError;
use crate::append::append_entry;

/// Takes the write lock at once: a transaction that reads first and asks for it later fails under other writers, whatever
/// the busy timeout.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";

/// A writer has the journal's turn anyway. Returns 0, or the newest epoch if this one is over.
pub(crate) const TAKE_THE_JOURNAL: &str = "SELECT CASE WHEN $1 = 0 OR EXISTS (SELECT 1 FROM node WHERE epoch = $1 AND state <> 'gone') \
    THEN 0 ELSE (SELECT COALESCE(MAX(epoch), 0) FROM node) END";

/// The first statement that reads takes the moment.
pub(crate) const BEGIN_READING: &str = "BEGIN";

/// Statements that write have no others inside.
pub(crate) const APPEND_ENTRY: &str = append_entry!("", "", "; ", "", "; ", "; ", "");

/// Older versions can corrupt a write-ahead log that several connections use.
const OLDEST: [u32; 3] = [3, 51, 3];

/// Readers beside the one writer that SQLite has at a time.
const CONNECTIONS: u32 = 8;

/// What each connection is told before it is used. The wait for a lock is in milliseconds.
const TO_WRITE: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";
const IN_MEMORY: &str = "PRAGMA foreign_keys = ON";
const TO_READ: &str = "PRAGMA busy_timeout = 5000";

/// Opens the file, making it if need be.
pub(crate) async fn open(file: &Path) -> Result<AnyPool, StoreError> {
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .after_release(|connection, _| Box::pin(is_at_rest(connection)));
    connect(pool, file_url(file, "rwc"), TO_WRITE).await
}

/// SQLite itself ends a transaction when the disk is full. Its connection does not hear of that and begins no other: it is closed.
async fn is_at_rest(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    // By then it has done what it was told to roll back.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Opens the file to read in it alone. Fails where there is none.
pub(crate) async fn read(file: &Path) -> Result<AnyPool, StoreError> {
    connect(AnyPoolOptions::new(), file_url(file, "ro"), TO_READ).await
}

/// Every connection to memory is a database of its own, so there is one and it stays.
pub(crate) async fn in_memory() -> Result<AnyPool, StoreError> {
    let pool = AnyPoolOptions::new()
        .min_connections(1)
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    connect(pool, "sqlite::memory:?cache=private".to_owned(), IN_MEMORY).await
}

async fn connect(
    pool: AnyPoolOptions,
    url: String,
    settings: &'static str,
) -> Result<AnyPool, StoreError> {
    sqlx::any::install_default_drivers();
    let options: AnyConnectOptions = url.parse()?;
    let pool = pool.after_connect(move |connection: &mut AnyConnection, _| {
        Box::pin(async move { connection.execute(settings).await.map(drop) })
    });
    Ok(pool.connect_with(options).await?)
}

/// Everything but letters and digits is encoded, so that nothing in the path reads as a part of a URL.
fn file_url(file: &Path, mode: &str) -> String {
    let mut url = "sqlite:".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() {
            url.push(char::from(*byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url + "?mode=" + mode
}

/// Refuses a SQLite that can corrupt a write-ahead log.
pub(crate) async fn expect_safe(pool: &AnyPool) -> Result<(), StoreError> {
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
    parts >= OLDEST
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
