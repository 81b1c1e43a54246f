//! The ledger and the records, asked as the engine and the reports ask them: each conversation is held with SQLite and with PostgreSQL.

mod ahead;
mod concurrency;
mod crash;
mod full_disk;
mod ledger;
mod lock;
mod money;
mod nodes;
mod paused;
mod postgres;
mod process;
mod records;
mod recovery;
mod restarts;
mod script;
mod server;
mod spool;
mod spool_crash;
mod spool_kills;
mod sqlite;
mod tamper;
mod wire;
mod work;

use housecall::ports::Ledger;
use housecall_meter::{AccountId, Fact, Millis, Opening, Session, SessionId};

use crate::testing::Base;
use crate::{Dialect, Store, on_each_database};

fn practice() -> AccountId {
    AccountId::new("practice:1")
}

/// A call that was answered at once, in its first minute.
async fn ring(store: &Store, name: &str) -> Session {
    let mut call = Session::open(Opening::call(SessionId::new(name), practice()));
    let reserve = call.poll_output().unwrap();
    store.record(&reserve).await.unwrap();
    let _grant = call.recorded(&reserve.key).unwrap();
    call.handle_input(Millis(0), Fact::Answered).unwrap();
    while let Some(entry) = call.poll_output() {
        store.record(&entry).await.unwrap();
    }
    call
}

/// Lets a test rewrite the journal.
async fn forget_that_the_journal_is_append_only(store: &Store) {
    let forget = match store.dialect() {
        Dialect::Sqlite => "DROP TRIGGER journal_is_not_rewritten",
        Dialect::Postgres => "DROP TRIGGER journal_is_not_rewritten ON journal",
    };
    sqlx::query(forget).execute(store.pool()).await.unwrap();
}
