//! What PostgreSQL is told, and does.

use housecall::ports::{LedgerError, Recorded};
use housecall_meter::Credits;
use sqlx::AnyPool;

use super::{Base, practice};
use crate::testing::{as_owner, on};
use crate::{Dialect, Store, StoreError};

/// Asks every connection that the pool may open, all of them at once.
#[tokio::test]
async fn each_connection_waits_for_the_disk_and_not_for_ever() {
    let Some(base) = Base::postgres("").await.unwrap() else {
        return;
    };
    let (server, name) = base.server().unwrap();
    as_owner(
        server,
        format!("ALTER DATABASE {name} SET synchronous_commit = off"),
    )
    .await
    .unwrap();
    let store = Store::open(base.address()).await.unwrap();
    assert_eq!(store.dialect(), Dialect::Postgres);
    let mut connections = Vec::new();
    for _ in 0..store.pool().options().get_max_connections() {
        let mut connection = store.pool().acquire().await.unwrap();
        let ask = "SELECT current_setting('synchronous_commit'), current_setting('statement_timeout'), \
                   current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')";
        let found: (String, String, String, String) = sqlx::query_as(ask)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        let expected = ["on", "6s", "5s", "4s"].map(str::to_owned);
        assert_eq!(<[String; 4]>::from(found), expected);
        connections.push(connection);
    }
    assert_eq!(connections.len(), 16);
    drop(connections);
    // Another program's pool has what the database says.
    let unsafe_pool = AnyPool::connect(&on(server, name)).await.unwrap();
    assert!(matches!(
        Store::over(unsafe_pool).await,
        Err(StoreError::UnsafePostgres { setting: "synchronous_commit", found, needed: "on" }) if found == "off"
    ));
}

#[tokio::test]
async fn a_database_that_does_not_keep_all_text_is_refused() {
    let Some(base) = Base::postgres("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        .await
        .unwrap()
    else {
        return;
    };
    let refused = Store::open(base.address()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "postgresql has server_encoding LATIN1, UTF8 is needed"
    );
}

#[tokio::test]
async fn who_opens_a_database_to_read_cannot_write_in_it() {
    let Some(base) = Base::postgres("").await.unwrap() else {
        return;
    };
    let store = Store::open(base.address()).await.unwrap();
    let bought = buy(&store, "1").await;
    bought.unwrap();
    let reader = Store::read(base.address()).await.unwrap();
    assert_eq!(reader.verify().await.unwrap().entries, 1);
    let refused = sqlx::query("DELETE FROM balance")
        .execute(reader.pool())
        .await;
    assert!(refused.unwrap_err().to_string().contains("read-only"));
}

#[tokio::test]
async fn a_server_or_a_database_that_is_not_there_is_said_at_once() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let away =
        Store::open(format!("postgres://clinic:secret@127.0.0.1:{port}/clinic").as_str()).await;
    assert!(away.unwrap_err().to_string().contains("refused"));
    let Some(base) = Base::postgres("").await.unwrap() else {
        return;
    };
    let missing = on(base.server().unwrap().0, "housecall_nowhere");
    let missing = Store::open(missing.as_str()).await.unwrap_err();
    assert!(missing.to_string().contains("does not exist"), "{missing}");
}

/// A server that restarts ends all connections; what is asked next gets new ones.
#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let Some(base) = Base::postgres("").await.unwrap() else {
        return;
    };
    let store = Store::open(base.address()).await.unwrap();
    for order in 0..5 {
        let bought = buy(&store, &order.to_string()).await;
        assert!(!bought.unwrap().already);
        let (server, name) = base.server().unwrap();
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        as_owner(server, end).await.unwrap();
    }
    assert_eq!(store.verify().await.unwrap().entries, 5);
}

/// Whoever holds the journal holds up the others for as long as a statement may take, and no longer.
#[tokio::test]
async fn a_writer_that_does_not_get_its_turn_is_told_to_try_again() {
    let Some(base) = Base::postgres("").await.unwrap() else {
        return;
    };
    let store = Store::open(base.address()).await.unwrap();
    let mut holding = store.begin_entry().await.unwrap();
    let busy = async {
        for _ in 0..2 {
            let work = sqlx::query("SELECT pg_sleep(3)").execute(&mut *holding);
            work.await.unwrap();
        }
    };
    let (waited, ()) = tokio::join!(buy(&store, "1"), busy);
    assert!(
        matches!(waited, Err(LedgerError::Unavailable(_))),
        "{waited:?}"
    );
    drop(holding);
    assert!(!buy(&store, "1").await.unwrap().already);
    assert_eq!(store.verify().await.unwrap().entries, 1);
}

/// A program that stands still in its turn loses it before the others give up.
#[tokio::test]
async fn a_writer_that_stands_still_loses_its_turn() {
    let Some(base) = Base::postgres("").await.unwrap() else {
        return;
    };
    let store = Store::open(base.address()).await.unwrap();
    let standing_still = store.begin_entry().await.unwrap();
    assert!(!buy(&store, "1").await.unwrap().already);
    assert!(standing_still.commit().await.is_err());
}

/// Two that wait for each other: the server ends one of them, which may try again.
#[tokio::test]
async fn a_deadlock_is_no_end() {
    let Some(base) = Base::postgres("").await.unwrap() else {
        return;
    };
    let store = Store::open(base.address()).await.unwrap();
    let mut one = store.begin_entry().await.unwrap();
    let mut other = store.begin().await.unwrap();
    let rows = "LOCK TABLE balance IN EXCLUSIVE MODE";
    sqlx::query(rows).execute(&mut *other).await.unwrap();
    let turn = "LOCK TABLE journal_turn IN EXCLUSIVE MODE";
    let (first, second) = tokio::join!(
        sqlx::query(rows).execute(&mut *one),
        sqlx::query(turn).execute(&mut *other)
    );
    let lost = first.err().or(second.err()).unwrap();
    assert_eq!(
        lost.as_database_error().and_then(|e| e.code()).as_deref(),
        Some("40P01")
    );
    assert!(matches!(
        LedgerError::from(StoreError::from(lost)),
        LedgerError::Unavailable(_)
    ));
}

async fn buy(store: &Store, order: &str) -> Result<Recorded, LedgerError> {
    store.grant(order, &practice(), Credits(5), "bought").await
}
