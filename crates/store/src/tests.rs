//! The ledger and the records, asked as the engine and the reports ask them: each conversation is held with SQLite and with PostgreSQL.

mod base;
mod concurrency;
mod ledger;
mod money;
mod postgres;
mod records;
mod recovery;
mod script;
mod sqlite;
mod wire;

use housecall_meter::AccountId;

use base::{Base, on_each_database};

fn practice() -> AccountId {
    AccountId::new("practice:1")
}
