//! What a crash costs (M11).

use housecall_meter::{Credits, Millis};

use super::script::check;
use super::{Base, forget_that_the_journal_is_append_only, on_each_database, practice};
use crate::{Store, StoreError};

on_each_database! {
    m11_a_crash_is_charged_to_the_last_heartbeat,
    m11_blocks_begun_while_the_ledger_was_away_are_charged_as_far_as_the_evidence,
    recovery_says_what_it_closed,
    a_session_that_cannot_be_read_does_not_stop_the_others,
}

async fn m11_a_crash_is_charged_to_the_last_heartbeat(base: &Base) {
    check(
        &Store::open(base.address()).await.unwrap(),
        "
        buy 20                     -> 20 0
        a call                     -> 19 1
        a answer 0:04
        a tick 1:04                -> 18 2
        a alive 1:05
        b call                     -> 17 3
        b alive 0:20                           # still ringing
        v visit 1                  -> 15 5
        v admit 1 0:07
        v alive 0:05                           # the admission is the later evidence
        ",
    )
    .await;
    check(
        &Store::open(base.address()).await.unwrap(),
        "
        recover                    -> 16 0     # a: 2 minutes, b: nothing, v: one block
        recover                    -> 16 0
        ",
    )
    .await;
}

async fn m11_blocks_begun_while_the_ledger_was_away_are_charged_as_far_as_the_evidence(
    base: &Base,
) {
    let store = Store::open(base.address()).await.unwrap();
    store
        .grant("1", &practice(), Credits(1), "bought")
        .await
        .unwrap();
    check(
        &store,
        "
        a call                     -> 0 1
        a answer 0:00
        a alive 3:30
        crash
        recover                    -> -3 0
        a alive 9:00               -> -3 0     # a late heartbeat of an ended session changes nothing
        recover                    -> -3 0
        ",
    )
    .await;
}

async fn recovery_says_what_it_closed(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    check(
        &store,
        "
        buy 20
        done call
        done end 0:01              -> 20 0
        v visit 3                  -> 14 6
        v admit 1 0:01
        v admit 3 0:02
        v alive 2:00
        ",
    )
    .await;
    let recovery = store.recover().await.unwrap();
    let [orphan] = &recovery.closed[..] else {
        panic!("{recovery:?}")
    };
    assert_eq!(
        (orphan.session.as_str(), &orphan.account),
        ("v", &practice())
    );
    assert_eq!(
        (orphan.elapsed, orphan.credits),
        (Millis(120_000), Credits(4))
    );
    assert_eq!(orphan.each, [Credits(2), Credits(0), Credits(2)]);
}

async fn a_session_that_cannot_be_read_does_not_stop_the_others(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    check(&store, "buy 20\na call\nb call -> 18 2").await;
    // Another program's idea of a session: its reservation says nothing of a tariff this program knows.
    forget_that_the_journal_is_append_only(&store).await;
    sqlx::query("UPDATE journal SET tariff_version = 99 WHERE session = 'a'")
        .execute(store.pool())
        .await
        .unwrap();
    let recovery = store.recover().await.unwrap();
    assert_eq!(
        recovery
            .closed
            .iter()
            .map(|orphan| orphan.session.as_str())
            .collect::<Vec<_>>(),
        ["b"]
    );
    let [(session, StoreError::Unreadable { what: "tariff", .. })] = &recovery.unreadable[..]
    else {
        panic!("{recovery:?}")
    };
    assert_eq!(session.as_str(), "a");
}
