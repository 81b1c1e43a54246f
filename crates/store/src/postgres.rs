//! PostgreSQL: where a practice outgrows one machine.

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection, Executor};
use tokio::time::timeout;

use crate::StoreError;
use crate::address::PostgresUrl;
use crate::append::append_entry;
use crate::store::PATIENCE;

/// Each statement sees what is committed, and who must see more takes a lock first: [`TAKE_THE_JOURNAL`].
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

pub(crate) const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// One writer at a time, so that entries are numbered without a gap and each is sealed over the one before it. Readers do not wait.
/// A statement of its own, so that those behind it see what the writer before committed. Returns 0, or the newest epoch if this one is over.
pub(crate) const TAKE_THE_JOURNAL: &str = "SELECT take_the_journal($1)";

/// One statement: each costs a way to the server and back.
pub(crate) const APPEND_ENTRY: &str = append_entry!(
    "WITH entry AS (",
    "",
    "), lines AS (",
    "",
    "), balances AS (",
    ") ",
    ""
);

/// The same for one who does not have the journal's turn. It looks itself whether the books stand as the entry was made for, and writes nothing where
/// they do not, or fails where the number of the entry, or its key, is taken.
///
/// The seal of the last entry stands for the whole journal, and for what follows from that: balances, and what is left of gifts. So they are as they
/// were when that entry is still there, and the next number is free. What does not follow from it is looked at by itself: whether the node is
/// there, the watch on the holder, and the session. Whoever has the turn is waited for before the statement looks at anything, since what is deleted
/// from (there is nothing) is what [`TAKE_THE_JOURNAL`] locks.
pub(crate) const APPEND_ENTRY_IF_SO: &str = append_entry!(
    "WITH turn AS (DELETE FROM journal_turn), entry AS (",
    " WHERE (SELECT seal FROM journal WHERE seq = $1 - 1) IS NOT DISTINCT FROM $30 \
     AND ($29 = 0 OR EXISTS (SELECT FROM node WHERE epoch = $29 AND state <> 'gone')) \
     AND (SELECT watch FROM holder WHERE account_id = $5) IS NOT DISTINCT FROM $31 \
     AND (SELECT CASE WHEN account_id = $5 AND ended_seq IS NULL THEN 1 ELSE 0 END FROM metered_session WHERE session = $15) \
     IS NOT DISTINCT FROM $32 RETURNING seq",
    "), lines AS (",
    "entry, ",
    "), balances AS (",
    "), sessions AS (",
    ") SELECT seq FROM entry"
);

/// The oldest version of the server that is tested, as `server_version_num` has it.
const OLDEST: u32 = 150_000;

/// A server takes a hundred by default, and several programs may share it.
const CONNECTIONS: u32 = 16;

/// What each connection is told before it is used. Waits are as long as [`PATIENCE`], and a statement has longer, so that who waits for a lock is
/// told that; a transaction whose program stands still ends before those who wait for its lock give up. A commit waits for the disk, or for more where the server is set to.
const TO_WRITE: &str = "SET statement_timeout = '6s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '4s'; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply'";
const TO_READ: &str = "SET statement_timeout = '5s'; SET default_transaction_read_only = on";

/// Tables may be large when they are changed, and another program may be at it.
const TO_MIGRATE: &str = "SET statement_timeout = 0; SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0";

/// Connects to a database that is there.
pub(crate) async fn open(url: &PostgresUrl) -> Result<AnyPool, StoreError> {
    connect(url, TO_WRITE).await
}

/// Connects to read alone.
pub(crate) async fn read(url: &PostgresUrl) -> Result<AnyPool, StoreError> {
    connect(url, TO_READ).await
}

async fn connect(url: &PostgresUrl, settings: &'static str) -> Result<AnyPool, StoreError> {
    sqlx::any::install_default_drivers();
    let options: AnyConnectOptions = url.with_password().parse()?;
    // A pool goes on trying where nobody listens, and does not say in the end what was wrong.
    let first = timeout(PATIENCE, AnyConnection::connect_with(&options));
    let first = first
        .await
        .map_err(|_| StoreError::Silent { waited: PATIENCE })??;
    first.close().await?;
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection: &mut AnyConnection, _| {
            Box::pin(async move { connection.execute(settings).await.map(drop) })
        })
        // A connection that nothing comes back on, not even an error, is given up and not waited for.
        .after_release(|connection, _| {
            Box::pin(async move { Ok(timeout(PATIENCE, connection.ping()).await.is_ok_and(|pong| pong.is_ok())) })
        });
    Ok(pool.connect_with(options).await?)
}

/// Refuses a server that is too old, does not keep all text, or says that something is kept before it is.
pub(crate) async fn expect_safe(pool: &AnyPool) -> Result<(), StoreError> {
    let ask = "SELECT current_setting('server_version_num'), current_setting('server_version'), \
               current_setting('server_encoding'), current_setting('fsync'), current_setting('synchronous_commit')";
    let (number, version, encoding, fsync, commit): (String, String, String, String, String) =
        sqlx::query_as(ask).fetch_one(pool).await?;
    if number.parse::<u32>().is_ok_and(|number| number < OLDEST) {
        return Err(StoreError::OldPostgres { found: version });
    }
    expect("server_encoding", encoding, &["UTF8"])?;
    expect("fsync", fsync, &["on"])?;
    expect("synchronous_commit", commit, &["on", "remote_apply"])
}

fn expect(
    setting: &'static str,
    found: String,
    safe: &'static [&'static str],
) -> Result<(), StoreError> {
    if safe.contains(&found.as_str()) {
        Ok(())
    } else {
        Err(StoreError::UnsafePostgres {
            setting,
            found,
            needed: safe.first().copied().unwrap_or_default(),
        })
    }
}

/// Brings tables up to date on a connection of its own, which waits longer than others do and is then closed.
pub(crate) async fn migrate(pool: &AnyPool, migrator: &Migrator) -> Result<(), MigrateError> {
    let mut connection = pool.acquire().await?.detach();
    connection.execute(TO_MIGRATE).await?;
    migrator.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
