//! Somebody else who holds the database locked: nobody waits for ever, and nothing is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, Connection, Executor};

use super::work::{Worker, as_told, buy, expect_nothing_lost_or_doubled};
use super::{Base, on_each_database};
use crate::testing::on;
use crate::{Address, Dialect, Store};

/// For how many seconds it is locked. Set, the writers are as patient as they are in a clinic.
const LOCKED_S: &str = "HOUSECALL_LOCKED_S";
const LOCKED_S_BY_ITSELF: u64 = 2;
const SHORT_PATIENCE: Duration = Duration::from_millis(400);

on_each_database! { a_lock_of_somebody_else_is_survived }

async fn a_lock_of_somebody_else_is_survived(base: &Base) {
    let locked = Duration::from_secs(as_told(LOCKED_S, LOCKED_S_BY_ITSELF));
    let store = Store::open(base.address()).await.unwrap();
    buy(&store).await;
    let store = match std::env::var_os(LOCKED_S) {
        Some(_) => store,
        None => less_patient(&url(base), store.dialect()).await,
    };
    let mut workers = [1, 2, 3].map(|number| Worker::new(&store, number));
    for worker in &mut workers {
        worker.settle().await;
    }
    let over = AtomicBool::new(false);
    let goes_on = || !over.load(Ordering::Relaxed);
    let lock = async {
        let mut other = AnyConnection::connect(&url(base)).await.unwrap();
        let (lock, unlock) = match store.dialect() {
            Dialect::Sqlite => ("BEGIN IMMEDIATE", "ROLLBACK"),
            Dialect::Postgres => (
                "BEGIN; LOCK TABLE journal, balance, journal_turn",
                "ROLLBACK",
            ),
        };
        other.execute(lock).await.unwrap();
        tokio::time::sleep(locked).await;
        over.store(true, Ordering::Relaxed);
        other.execute(unlock).await.unwrap();
        other.close().await.unwrap();
    };
    let [one, two, three] = &mut workers;
    tokio::join!(
        lock,
        one.work_while(goes_on),
        two.work_while(goes_on),
        three.work_while(goes_on)
    );
    for worker in &workers {
        let told = worker.told();
        let is_clear = |said: &String| said.contains("locked") || said.contains("journal busy");
        assert!(!told.is_empty() && told.iter().all(is_clear), "{told:?}");
        eprintln!(
            "locked for {} s: {} attempts failed: {told:?}",
            locked.as_secs(),
            worker.errors.len()
        );
    }
    expect_nothing_lost_or_doubled(&store, &workers).await;
}

/// The same, through connections that wait for a fraction of a second.
pub(super) async fn less_patient(url: &str, dialect: Dialect) -> Store {
    let settings = match dialect {
        Dialect::Sqlite => {
            "PRAGMA busy_timeout = 400; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"
        }
        Dialect::Postgres => "SET statement_timeout = '2s'; SET lock_timeout = '400ms'",
    };
    let pool = AnyPoolOptions::new().after_connect(move |connection: &mut AnyConnection, _| {
        Box::pin(async move { connection.execute(settings).await.map(drop) })
    });
    let pool = pool.connect(url).await.unwrap();
    let mut store = Store::over(pool).await.unwrap();
    store.patience = SHORT_PATIENCE;
    store
}

pub(super) fn url(base: &Base) -> String {
    match (base.server(), base.address()) {
        (Some((server, name)), _) => on(server, name),
        (None, Address::File(file)) => format!("sqlite:{}", file.display()),
        (None, other) => panic!("{other:?}"),
    }
}
