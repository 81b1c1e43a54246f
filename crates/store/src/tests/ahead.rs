//! Whoever writes alone goes by what it wrote last, as long as the database says that this is still so.

use housecall::ports::{Ledger, LedgerError};
use housecall_meter::{
    AccountId, Balance, Credits, Fact, Key, Millis, Opening, Session, SessionId, Transaction,
};
use sqlx::{AnyConnection, Connection, Executor};

use super::lock::url;
use super::{Base, on_each_database, practice, ring};
use crate::{Dialect, Store};

on_each_database! {
    an_entry_follows_what_another_program_wrote,
    a_session_that_another_program_ended_takes_no_more,
    a_session_starts_once_and_is_paid_by_one,
    a_session_that_has_ended_takes_no_more,
    a_watch_that_another_program_set_is_heeded,
    an_entry_follows_the_last_that_is_left,
}

/// Two programs by turns: what either of them knows is old each time.
async fn an_entry_follows_what_another_program_wrote(base: &Base) {
    let (one, two) = two_programs(base).await;
    for round in 0..3 {
        for (name, store) in [("a", &one), ("b", &one), ("c", &two), ("d", &one)] {
            buy(store, &format!("{name}{round}"), &practice()).await;
        }
        let given = Transaction::gift(&round.to_string(), practice(), Credits(1), "new");
        two.record(&given).await.unwrap();
    }
    buy(&one, "last", &practice()).await;
    assert_eq!(one.funds(&practice()).await.unwrap().available, 13 * 5 + 3);
    assert_eq!(one.verify().await.unwrap().entries, 13 + 3);
}

async fn a_session_that_another_program_ended_takes_no_more(base: &Base) {
    let (one, two) = two_programs(base).await;
    buy(&one, "1", &practice()).await;
    let mut call = ring(&one, "call").await;
    assert_eq!(two.recover().await.unwrap().closed.len(), 1);
    call.handle_timeout(Millis(60_000));
    let extend = call.poll_output().unwrap();
    expect_refused(&one, &extend).await;
    assert_eq!(one.verify().await.unwrap().entries, 1 + 3);
}

async fn a_session_starts_once_and_is_paid_by_one(base: &Base) {
    let (one, _) = two_programs(base).await;
    let other = AccountId::new("practice:2");
    buy(&one, "1", &other).await;
    buy(&one, "2", &practice()).await;
    let mut call = Session::open(Opening::call(SessionId::new("call"), practice()));
    let reserve = call.poll_output().unwrap();
    one.record(&reserve).await.unwrap();
    let again = Transaction {
        key: Key("another".to_owned()),
        ..reserve.clone()
    };
    expect_refused(&one, &again).await;
    let _grant = call.recorded(&reserve.key).unwrap();
    call.handle_input(Millis(0), Fact::Answered).unwrap();
    let answered = Transaction {
        account: other.clone(),
        ..call.poll_output().unwrap()
    };
    buy(&one, "3", &other).await;
    expect_refused(&one, &answered).await;
    buy(&one, "4", &practice()).await;
    let unknown = Transaction {
        session: Some(SessionId::new("unknown")),
        account: practice(),
        ..answered
    };
    expect_refused(&one, &unknown).await;
    assert_eq!(one.verify().await.unwrap().entries, 4 + 1);
}

/// What comes late is of a session whose end this program has just written.
async fn a_session_that_has_ended_takes_no_more(base: &Base) {
    let (one, _) = two_programs(base).await;
    buy(&one, "1", &practice()).await;
    let mut call = ring(&one, "call").await;
    call.handle_input(Millis(30_000), Fact::Ended).unwrap();
    one.record(&call.poll_output().unwrap()).await.unwrap();
    let answered = one.entries(call.id()).await.unwrap().swap_remove(1);
    let late = Transaction {
        key: Key("another".to_owned()),
        ..answered.transaction
    };
    expect_refused(&one, &late).await;
    assert_eq!(one.verify().await.unwrap().entries, 1 + 3);
}

/// A watch is the only thing of a holder that may change without an entry (M13).
async fn a_watch_that_another_program_set_is_heeded(base: &Base) {
    let (one, two) = two_programs(base).await;
    buy(&one, "1", &practice()).await;
    two.watch(&practice(), Some(Balance(4)), None)
        .await
        .unwrap();
    ring(&one, "call").await;
    let told = "SELECT COUNT(*) FROM outbox WHERE key LIKE 'low-balance/%'";
    let told: i64 = sqlx::query_scalar(told)
        .fetch_one(one.pool())
        .await
        .unwrap();
    assert_eq!(told, 1);
    one.verify().await.unwrap();
}

/// Somebody has brought back an older copy of the database: an entry of this program's is gone, and the chain goes on without it.
async fn an_entry_follows_the_last_that_is_left(base: &Base) {
    let (one, _) = two_programs(base).await;
    buy(&one, "1", &practice()).await;
    buy(&one, "2", &practice()).await;
    let mut hand = AnyConnection::connect(&url(base)).await.unwrap();
    let erase = match one.dialect() {
        Dialect::Sqlite => "DROP TRIGGER journal_is_not_erased; DROP TRIGGER posting_is_not_erased",
        Dialect::Postgres => "SET session_replication_role = replica",
    };
    hand.execute(erase).await.unwrap();
    for erase in [
        "DELETE FROM posting WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 2",
        "UPDATE balance SET credits = credits / 2",
    ] {
        hand.execute(erase).await.unwrap();
    }
    assert_eq!(one.verify().await.unwrap().entries, 1);
    let bought = one.grant("3", &practice(), Credits(5), "bought").await;
    assert_eq!(bought.unwrap().funds.available, 10);
    assert_eq!(one.verify().await.unwrap().entries, 2);
}

async fn two_programs(base: &Base) -> (Store, Store) {
    let one = Store::open(base.address()).await.unwrap();
    (one, Store::open(base.address()).await.unwrap())
}

async fn buy(store: &Store, order: &str, account: &AccountId) {
    let bought = store.grant(order, account, Credits(5), "bought").await;
    assert!(!bought.unwrap().already);
}

async fn expect_refused(store: &Store, entry: &Transaction) {
    let refused = store.record(entry).await;
    assert!(
        matches!(refused, Err(LedgerError::Refused(_))),
        "{}: {refused:?}",
        entry.key
    );
}
