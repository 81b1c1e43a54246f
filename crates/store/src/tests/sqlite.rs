//! What SQLite is told, and does.

use housecall_meter::Credits;

use super::{Base, practice};
use crate::{Dialect, Store};

/// Asks every connection that the pool may open, all of them at once.
#[tokio::test]
async fn each_connection_waits_for_the_disk_and_for_its_turn() {
    let base = Base::sqlite().unwrap();
    let store = Store::open(base.address()).await.unwrap();
    assert_eq!(store.dialect(), Dialect::Sqlite);
    let mut connections = Vec::new();
    for _ in 0..store.pool().options().get_max_connections() {
        let mut connection = store.pool().acquire().await.unwrap();
        let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        let mut numbers = Vec::new();
        for pragma in [
            "PRAGMA synchronous",
            "PRAGMA foreign_keys",
            "PRAGMA busy_timeout",
        ] {
            let (number,): (i64,) = sqlx::query_as(pragma)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            numbers.push(number);
        }
        // FULL is 2; the wait is in milliseconds.
        assert_eq!((mode.as_str(), &numbers[..]), ("wal", &[2, 1, 5_000][..]));
        connections.push(connection);
    }
    assert_eq!(connections.len(), 8);
}

#[tokio::test]
async fn a_transaction_that_writes_has_the_write_lock_from_the_start() {
    let base = Base::sqlite().unwrap();
    let store = Store::open(base.address()).await.unwrap();
    let _writing = store.begin().await.unwrap();
    let mut other = store.pool().acquire().await.unwrap();
    sqlx::query("PRAGMA busy_timeout = 0")
        .execute(&mut *other)
        .await
        .unwrap();
    let refused = sqlx::query("BEGIN IMMEDIATE").execute(&mut *other).await;
    assert!(refused.unwrap_err().to_string().contains("locked"));
}

#[tokio::test]
async fn who_opens_a_file_to_read_cannot_write_in_it_and_makes_none() {
    let base = Base::sqlite().unwrap();
    assert!(Store::read(base.address()).await.is_err());
    let store = Store::open(base.address()).await.unwrap();
    let bought = store.grant("1", &practice(), Credits(5), "bought").await;
    bought.unwrap();
    let reader = Store::read(base.address()).await.unwrap();
    assert_eq!(reader.verify().await.unwrap().entries, 1);
    let refused = reader.grant("2", &practice(), Credits(5), "bought").await;
    assert!(refused.unwrap_err().to_string().contains("readonly"));
}

#[tokio::test]
async fn any_name_of_a_file_is_a_name() {
    for name in ["a b.db", "a?mode=ro.db", "100%41.db", "grüezi#1.db"] {
        let base = Base::sqlite().unwrap();
        let crate::Address::File(file) = base.address() else {
            panic!("{:?}", base.address())
        };
        let file = file.with_file_name(name);
        Store::open(file.as_path()).await.unwrap();
        assert!(file.exists(), "{name}");
    }
}

#[tokio::test]
async fn a_store_in_memory_is_one_database() {
    let store = Store::open(":memory:").await.unwrap();
    let bought = store.grant("1", &practice(), Credits(5), "bought").await;
    bought.unwrap();
    let (keys,): (i64,) = sqlx::query_as("PRAGMA foreign_keys")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!((keys, store.verify().await.unwrap().entries), (1, 1));
    let other = Store::open(":memory:").await.unwrap();
    assert_eq!(other.verify().await.unwrap().entries, 0);
}
