//! The ledger and the records, asked as the engine and the reports ask them: each conversation is held with SQLite and with PostgreSQL.

mod concurrency;
mod crash;
mod full_disk;
mod ledger;
mod lock;
mod money;
mod nodes;
mod paused;
mod postgres;
mod records;
mod recovery;
mod restarts;
mod script;
mod server;
mod sqlite;
mod wire;
mod work;

use housecall_meter::AccountId;

use crate::testing::Base;
use crate::{Dialect, Store, on_each_database};

fn practice() -> AccountId {
    AccountId::new("practice:1")
}

/// Lets a test rewrite the journal.
async fn forget_that_the_journal_is_append_only(store: &Store) {
    let forget = match store.dialect() {
        Dialect::Sqlite => "DROP TRIGGER journal_is_not_rewritten",
        Dialect::Postgres => "DROP TRIGGER journal_is_not_rewritten ON journal",
    };
    sqlx::query(forget).execute(store.pool()).await.unwrap();
}
