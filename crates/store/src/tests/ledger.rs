//! Entries, keys, balances.

use housecall::ports::{Ledger, LedgerError};
use housecall_meter::{
    Account, AccountId, Credits, Fact, Kind, Millis, Opening, Posting, Session, SessionId,
    Transaction,
};

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::script::check;
use super::{Base, forget_that_the_journal_is_append_only, on_each_database, practice};
use crate::{Page, Store, StoreError};

on_each_database! {
    m7_a_call_is_reserved_extended_settled,
    p7_an_unanswered_call_gives_everything_back,
    m8_a_visit_in_progress_outruns_the_account_and_the_next_start_is_refused,
    an_entry_is_written_once_and_its_key_is_taken_for_ever,
    an_entry_that_is_no_movement_is_refused,
    nothing_is_written_outside_an_open_session,
    m12_the_journal_is_append_only,
    m12_a_balance_that_does_not_follow_from_the_journal_is_found,
    m12_a_journal_that_was_rewritten_is_found,
    m10_a_session_is_explained_from_its_journal,
    entries_without_a_seal_may_stand_before_those_that_have_one,
    m10_a_session_can_be_read_back_entry_by_entry,
    what_was_written_is_there_when_the_store_is_opened_again,
    another_program_shares_the_database,
}

async fn m7_a_call_is_reserved_extended_settled(base: &Base) {
    check(
        &Store::open(base.address()).await.unwrap(),
        "
        buy 10                     -> 10 0
        a call                     -> 9 1
        a answer 0:04              -> 9 1
        a tick 1:03                -> 9 1
        a tick 1:04                -> 8 2
        a end 1:30                 -> 8 0
        ",
    )
    .await;
}

async fn p7_an_unanswered_call_gives_everything_back(base: &Base) {
    check(
        &Store::open(base.address()).await.unwrap(),
        "
        buy 1                      -> 1 0
        a call                     -> 0 1
        b call                     -> needs 1 has 0
        a unanswered 0:45          -> 1 0
        b call                     -> 0 1
        b end 0:10                 -> 1 0
        ",
    )
    .await;
}

async fn m8_a_visit_in_progress_outruns_the_account_and_the_next_start_is_refused(base: &Base) {
    check(
        &Store::open(base.address()).await.unwrap(),
        "
        buy 4                      -> 4 0
        v visit 2                  -> 0 4
        v admit 1 0:30             -> 0 4
        v tick 15:00               -> -4 8
        v end 20:00                -> 0 0      # one of two came: 4
        w visit 1                  -> needs 2 has 0
        buy 1                      -> 1 0
        a call                     -> 0 1
        a answer 0:01
        a tick 1:01                -> -1 2
        a end 1:02                 -> -1 0
        b call                     -> needs 1 has -1
        ",
    )
    .await;
}

async fn an_entry_is_written_once_and_its_key_is_taken_for_ever(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let first = store
        .grant("17", &practice(), Credits(5), "bought")
        .await
        .unwrap();
    let again = store
        .grant("17", &practice(), Credits(5), "bought")
        .await
        .unwrap();
    assert_eq!(
        (first.already, again.already, again.funds),
        (false, true, first.funds)
    );
    let others = [
        store.grant("17", &practice(), Credits(6), "bought").await,
        store.grant("17", &practice(), Credits(5), "a gift").await,
        store
            .grant("17", &AccountId::new("practice:2"), Credits(5), "bought")
            .await,
    ];
    for other in others {
        assert!(matches!(other, Err(LedgerError::KeyConflict { key }) if key == "grant/17"));
    }
    assert_eq!(store.funds(&practice()).await.unwrap().available, 5);
    assert_eq!(store.verify().await.unwrap().entries, 1);
}

async fn an_entry_that_is_no_movement_is_refused(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let mut lopsided = Transaction::grant("1", practice(), Credits(5), "bought");
    lopsided.postings.pop();
    assert!(matches!(
        store.write(&lopsided).await,
        Err(StoreError::Unbalanced { .. })
    ));
    let line = |account, delta| Posting { account, delta };
    let mut too_much = Transaction::grant("2", practice(), Credits(5), "bought");
    too_much.postings = vec![
        line(Account::Issued, -i64::MAX),
        line(Account::Available, i64::MAX),
    ];
    store.write(&too_much).await.unwrap();
    too_much.key.0 = "grant/3".to_owned();
    assert!(matches!(
        store.write(&too_much).await,
        Err(StoreError::Unbalanced { .. })
    ));
    assert_eq!(store.verify().await.unwrap().entries, 1);
}

async fn nothing_is_written_outside_an_open_session(base: &Base) {
    let store = funded(base).await;
    let entries = a_minute("a");
    for early in &entries[1..] {
        assert!(
            matches!(
                store.write(early).await,
                Err(StoreError::SessionNotOpen { .. })
            ),
            "{}",
            early.key
        );
    }
    for entry in &entries {
        store.write(entry).await.unwrap();
    }
    let mut late = entries[1].clone();
    late.key.0 = "a/late".to_owned();
    assert!(matches!(
        store.write(&late).await,
        Err(StoreError::SessionNotOpen { .. })
    ));
    assert_eq!(store.verify().await.unwrap().entries, 4);
}

async fn m12_the_journal_is_append_only(base: &Base) {
    let store = funded(base).await;
    for statement in [
        "UPDATE journal SET account_id = 'practice:2'",
        "DELETE FROM journal",
        "UPDATE posting SET delta = 50 WHERE account = 'available'",
        "DELETE FROM posting",
    ] {
        let refused = sqlx::query(statement)
            .execute(store.pool())
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("append-only"),
            "{statement}: {refused}"
        );
    }
}

async fn m12_a_balance_that_does_not_follow_from_the_journal_is_found(base: &Base) {
    let store = funded(base).await;
    sqlx::query("UPDATE balance SET credits = 50 WHERE account = 'available'")
        .execute(store.pool())
        .await
        .unwrap();
    let found = store.verify().await.unwrap_err().to_string();
    assert_eq!(
        found,
        "the balance available of practice:1 is 50, the journal says 5"
    );
    sqlx::query("DELETE FROM balance")
        .execute(store.pool())
        .await
        .unwrap();
    assert!(matches!(
        store.verify().await,
        Err(StoreError::Differs { stored: 0, .. })
    ));
}

async fn m12_a_journal_that_was_rewritten_is_found(base: &Base) {
    for rewriting in [
        "UPDATE journal SET recorded_unix_ms = recorded_unix_ms + 1 WHERE seq = 2",
        "UPDATE journal SET at_ms = at_ms + 1 WHERE seq = 2",
        "UPDATE journal SET seal = NULL WHERE seq = 2",
        "UPDATE journal SET seal = (SELECT seal FROM journal WHERE seq = 1) WHERE seq = 2",
    ] {
        let base = base.another().await.unwrap();
        let store = funded(&base).await;
        for entry in &a_minute("a") {
            store.write(entry).await.unwrap();
        }
        let before = store.verify().await.unwrap();
        assert_eq!(before.seal.map(|seal| seal.len()), Some(64));
        forget_that_the_journal_is_append_only(&store).await;
        sqlx::query(rewriting).execute(store.pool()).await.unwrap();
        let found = store.verify().await;
        assert!(
            matches!(found, Err(StoreError::Unsealed { seq: 2 })),
            "{rewriting}: {found:?}"
        );
    }
}

async fn m10_a_session_is_explained_from_its_journal(base: &Base) {
    let store = funded(base).await;
    for entry in &a_minute("a") {
        store.write(entry).await.unwrap();
    }
    let told = store.explain(&SessionId::new("a")).await.unwrap().unwrap();
    assert_eq!(told.bill.total(), Credits(1));
    assert_eq!(
        told.to_string(),
        "tariff phone v1\n    0:01.000  the call was answered\n    0:50.000  it ended\n           1  \
         0:01.000 to 1:01.000, 1 minute, 1 credit each, 1 credit: started minutes from the answer, hold included (M2)\n           1  in all"
    );
    assert_eq!(store.explain(&SessionId::new("b")).await.unwrap(), None);
}

/// Journals that are older than seals go on.
async fn entries_without_a_seal_may_stand_before_those_that_have_one(base: &Base) {
    let store = funded(base).await;
    forget_that_the_journal_is_append_only(&store).await;
    sqlx::query("UPDATE journal SET seal = NULL")
        .execute(store.pool())
        .await
        .unwrap();
    assert_eq!(store.verify().await.unwrap().seal, None);
    for entry in &a_minute("a") {
        store.write(entry).await.unwrap();
    }
    assert!(store.verify().await.unwrap().seal.is_some());
}

async fn m10_a_session_can_be_read_back_entry_by_entry(base: &Base) {
    let store = funded(base).await;
    let written = a_minute("a");
    for entry in &written {
        store.write(entry).await.unwrap();
    }
    let read = store.entries(&SessionId::new("a")).await.unwrap();
    assert_eq!(
        read.iter()
            .map(|entry| entry.transaction.clone())
            .collect::<Vec<_>>(),
        written
    );
    assert_eq!(
        read.iter()
            .map(|entry| entry.funds_after.available)
            .collect::<Vec<_>>(),
        [4, 4, 4]
    );
    let kinds = |entries: Vec<crate::Entry>| {
        entries
            .iter()
            .map(|e| e.transaction.kind)
            .collect::<Vec<_>>()
    };
    let newest = store.statement(&practice(), Page::first(2)).await.unwrap();
    assert_eq!(kinds(newest), [Kind::Settle, Kind::Evidence]);
    let older = store
        .statement(&practice(), Page::first(2).next())
        .await
        .unwrap();
    assert_eq!(kinds(older), [Kind::Reserve, Kind::Grant]);
    assert_eq!(
        store
            .statement(&AccountId::new("practice:2"), Page::default())
            .await
            .unwrap(),
        []
    );
}

async fn what_was_written_is_there_when_the_store_is_opened_again(base: &Base) {
    let store = funded(base).await;
    store.pool().close().await;
    let again = Store::open(base.address()).await.unwrap();
    assert_eq!(again.funds(&practice()).await.unwrap().available, 5);
    again.verify().await.unwrap();
}

async fn another_program_shares_the_database(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    store.migrate(&clinic(), &clinic()).await.unwrap();
    sqlx::query("INSERT INTO clinic (name) VALUES ($1)")
        .bind("Harbour Street")
        .execute(store.pool())
        .await
        .unwrap();
    store.pool().close().await;
    let again = Store::open(base.address()).await.unwrap();
    again.migrate(&clinic(), &clinic()).await.unwrap();
    let (name,): (String,) = sqlx::query_as("SELECT name FROM clinic")
        .fetch_one(again.pool())
        .await
        .unwrap();
    assert_eq!(name, "Harbour Street");
}

fn clinic() -> Migrator {
    let sql = "CREATE TABLE clinic (name TEXT NOT NULL)".into_sql_str();
    let first = Migration::new(1001, "clinic".into(), MigrationType::Simple, sql, false);
    Migrator::with_migrations(vec![first])
}

/// Where the practice has bought five credits.
async fn funded(base: &Base) -> Store {
    let store = Store::open(base.address()).await.unwrap();
    let bought = store.grant("1", &practice(), Credits(5), "bought").await;
    bought.unwrap();
    store
}

/// Everything that a call of one minute writes: reserve, answered, settle.
fn a_minute(name: &str) -> Vec<Transaction> {
    let mut call = Session::open(Opening::call(SessionId::new(name), practice()));
    let mut entries: Vec<_> = call.poll_output().into_iter().collect();
    let _ = call.recorded(&entries[0].key);
    call.handle_input(Millis(1_000), Fact::Answered).unwrap();
    call.handle_input(Millis(50_000), Fact::Ended).unwrap();
    entries.extend(std::iter::from_fn(|| call.poll_output()));
    entries
}
