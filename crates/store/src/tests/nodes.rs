//! Several nodes on one database.

use std::time::Duration;

use housecall::ports::{Ledger, LedgerError};
use housecall_meter::{Credits, Fact, Millis};

use super::{Base, on_each_database, practice, ring};
use crate::nodes::Suspect;
use crate::{Claim, Epoch, Node, NodePlan, Standing, Store, StoreError};

on_each_database! {
    an_epoch_is_given_once,
    what_a_node_that_is_gone_writes_is_refused,
    what_a_node_leaves_open_is_closed_by_another_at_its_last_evidence,
    a_node_that_left_writes_no_more,
}

/// Conversations of nodes beside each other: only PostgreSQL has those.
macro_rules! on_postgres {
    ($($conversation:ident),* $(,)?) => {
        mod beside_each_other {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $conversation() {
                if let Some(base) = super::Base::postgres("").await.unwrap() {
                    super::$conversation(&base).await;
                }
            })*
        }
    };
}

on_postgres! {
    a_name_has_one_owner,
    a_node_that_starts_leaves_the_sessions_of_one_that_lives,
    eight_janitors_close_each_session_once,
    an_entry_that_waits_while_its_node_is_declared_gone_is_refused,
    only_a_node_whose_heartbeats_still_stand_is_declared_gone,
    heartbeats_tell_nodes_of_each_other,
}

async fn node(base: &Base, name: &str) -> Node {
    let store = Store::open(base.address()).await.unwrap();
    let url = format!("http://{name}.example");
    let name = name.to_owned();
    store.join(NodePlan { name, url }).await.unwrap()
}

/// As another node does that has watched its first heartbeat stand still.
async fn bury(by: &Store, gone: Epoch) {
    let suspect = Suspect {
        epoch: gone,
        beats: 0,
    };
    assert!(by.bury(suspect).await.unwrap());
}

async fn grant(store: &Store, credits: u64) {
    let (to, credits) = (practice(), Credits(credits));
    store.grant("1", &to, credits, "bought").await.unwrap();
}

async fn funds(store: &Store) -> (i64, i64) {
    let funds = store.funds(&practice()).await.unwrap();
    (funds.available, funds.reserved)
}

async fn an_epoch_is_given_once(base: &Base) {
    let mut before = Epoch(0);
    for name in ["a", "b", "a"] {
        let node = node(base, name).await;
        assert_eq!(node.epoch(), Epoch(before.0 + 1));
        assert_eq!(node.standing(), Standing::Holds);
        before = node.epoch();
        node.leave().await.unwrap();
    }
}

async fn what_a_node_that_is_gone_writes_is_refused(base: &Base) {
    let a = node(base, "a").await;
    grant(a.store(), 10).await;
    let mut call = ring(a.store(), "call").await;
    a.store().heartbeat(call.id(), 5_000).await.unwrap();
    let b = node(base, "b").await;
    // In a file, who joins is the only one from then on.
    if base.server().is_some() {
        bury(b.store(), a.epoch()).await;
    }
    call.handle_input(Millis(200_000), Fact::Ended).unwrap();
    let end = call.poll_output().unwrap();
    let refused = a.store().record(&end).await.unwrap_err();
    let fenced = LedgerError::Fenced {
        epoch: 1,
        newest: 2,
    };
    assert_eq!(refused.to_string(), fenced.to_string());
    assert_eq!(a.standing(), Standing::Over);
    assert!(a.store().may_act().is_err() && b.store().may_act().is_ok());
    let gift = a.store().grant("2", &practice(), Credits(1), "late").await;
    assert!(matches!(gift, Err(LedgerError::Fenced { .. })), "{gift:?}");
    // Nor does it stretch what it is charged for.
    a.store().heartbeat(call.id(), 190_000).await.unwrap();
    b.close_left_behind().await.unwrap();
    assert_eq!(funds(b.store()).await, (9, 0));
    b.store().verify().await.unwrap();
}

async fn what_a_node_leaves_open_is_closed_by_another_at_its_last_evidence(base: &Base) {
    let a = node(base, "a").await;
    grant(a.store(), 10).await;
    let call = ring(a.store(), "call").await;
    a.store().heartbeat(call.id(), 5_000).await.unwrap();
    let b = node(base, "b").await;
    if base.server().is_some() {
        bury(b.store(), a.epoch()).await;
    }
    let recovery = b.store().recover().await.unwrap();
    let [orphan] = &recovery.closed[..] else {
        panic!("{recovery:?}")
    };
    assert_eq!(
        (orphan.elapsed, orphan.credits),
        (Millis(5_000), Credits(1))
    );
    assert!(b.close_left_behind().await.unwrap().closed.is_empty());
    assert_eq!(funds(b.store()).await, (9, 0));
}

async fn a_node_that_left_writes_no_more(base: &Base) {
    let a = node(base, "a").await;
    grant(a.store(), 10).await;
    assert_eq!(a.claim("room").await.unwrap(), Claim::Ours);
    a.leave().await.unwrap();
    assert_eq!(a.standing(), Standing::Over);
    assert_eq!(a.owner("room").await.unwrap(), None);
    let late = a.store().grant("2", &practice(), Credits(1), "late").await;
    assert!(matches!(late, Err(LedgerError::Fenced { .. })), "{late:?}");
    a.join_again().await.unwrap();
    assert_eq!((a.epoch(), a.standing()), (Epoch(2), Standing::Holds));
    let gift = a.store().grant("2", &practice(), Credits(1), "late").await;
    assert_eq!(gift.unwrap().funds.available, 11);
}

async fn a_name_has_one_owner(base: &Base) {
    let (a, b) = (node(base, "a").await, node(base, "b").await);
    assert_eq!(a.owner("room").await.unwrap(), None);
    assert_eq!(a.claim("room").await.unwrap(), Claim::Ours);
    assert_eq!(a.claim("room").await.unwrap(), Claim::Ours);
    for seen in [
        b.claim("room").await.unwrap(),
        b.owner("room").await.unwrap().unwrap(),
    ] {
        let Claim::Theirs { node, silent_for } = seen else {
            panic!("{seen:?}")
        };
        assert_eq!(
            (node.epoch, node.url.as_str()),
            (a.epoch(), "http://a.example")
        );
        assert_eq!(silent_for, Duration::ZERO);
    }
    // Only who has it gives it back.
    b.release("room").await.unwrap();
    assert_eq!(a.owner("room").await.unwrap(), Some(Claim::Ours));
    a.drain().await.unwrap();
    let more = a.claim("another").await;
    assert!(
        matches!(more, Err(StoreError::NotLive { epoch }) if epoch == a.epoch()),
        "{more:?}"
    );
    assert!(matches!(
        b.claim("room").await.unwrap(),
        Claim::Theirs { .. }
    ));
    a.release("room").await.unwrap();
    assert_eq!(b.claim("room").await.unwrap(), Claim::Ours);
    // Forty at once, and one of them has it.
    let c = node(base, "c").await;
    let claims = (0..40).map(|n| {
        let node = if n % 2 == 0 { b.clone() } else { c.clone() };
        tokio::spawn(async move { (n % 2, node.claim("contended").await.unwrap()) })
    });
    let mut owners = std::collections::BTreeSet::new();
    for claim in claims.collect::<Vec<_>>() {
        let (who, claim) = claim.await.unwrap();
        if claim == Claim::Ours {
            owners.insert(who);
        }
    }
    assert_eq!(owners.len(), 1);
    bury(c.store(), b.epoch()).await;
    assert_eq!(c.claim("room").await.unwrap(), Claim::Ours);
}

async fn a_node_that_starts_leaves_the_sessions_of_one_that_lives(base: &Base) {
    let a = node(base, "a").await;
    grant(a.store(), 10).await;
    let mut call = ring(a.store(), "call").await;
    let b = node(base, "b").await;
    assert!(b.store().recover().await.unwrap().closed.is_empty());
    call.handle_input(Millis(90_000), Fact::Ended).unwrap();
    while let Some(entry) = call.poll_output() {
        a.store().record(&entry).await.unwrap();
    }
    assert_eq!(funds(b.store()).await, (8, 0));
    b.store().verify().await.unwrap();
}

async fn eight_janitors_close_each_session_once(base: &Base) {
    const SESSIONS: usize = 20;
    let a = node(base, "a").await;
    grant(a.store(), 100).await;
    for n in 0..SESSIONS {
        let call = ring(a.store(), &format!("call {n:02}")).await;
        a.store().heartbeat(call.id(), 61_000).await.unwrap();
    }
    let mut janitors = Vec::new();
    for n in 0..8 {
        janitors.push(node(base, &format!("janitor {n}")).await);
    }
    bury(janitors[0].store(), a.epoch()).await;
    let closing = janitors.iter().cloned();
    let closing = closing.map(|node| tokio::spawn(async move { node.close_left_behind().await }));
    let mut closed = 0;
    for one in closing.collect::<Vec<_>>() {
        let recovery = one.await.unwrap().unwrap();
        assert!(recovery.unreadable.is_empty(), "{recovery:?}");
        closed += recovery.closed.len();
    }
    assert_eq!(closed, SESSIONS);
    assert_eq!(funds(a.store()).await, (100 - 2 * 20, 0));
    janitors[0].store().verify().await.unwrap();
}

/// Between the look and the writing there is nothing: who declares a node gone has the journal's turn.
async fn an_entry_that_waits_while_its_node_is_declared_gone_is_refused(base: &Base) {
    let (a, b) = (node(base, "a").await, node(base, "b").await);
    grant(a.store(), 10).await;
    let mut call = ring(a.store(), "call").await;
    call.handle_input(Millis(30_000), Fact::Ended).unwrap();
    let end = call.poll_output().unwrap();
    let mut burying = b.store().begin_entry().await.unwrap();
    let gone = sqlx::query("UPDATE node SET state = 'gone' WHERE epoch = $1");
    let gone = gone.bind(a.epoch().stored());
    gone.execute(&mut *burying).await.unwrap();
    let store = a.store().clone();
    let late = tokio::spawn(async move { store.record(&end).await });
    let waits = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = CAST('journal_turn' AS REGCLASS)";
    while sqlx::query_scalar::<_, i64>(waits)
        .fetch_one(&mut *burying)
        .await
        .unwrap()
        == 0
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    burying.commit().await.unwrap();
    let refused = late.await.unwrap();
    assert!(
        matches!(
            refused,
            Err(LedgerError::Fenced {
                epoch: 1,
                newest: 2
            })
        ),
        "{refused:?}"
    );
    b.close_left_behind().await.unwrap();
    b.store().verify().await.unwrap();
    assert_eq!(funds(b.store()).await.1, 0);
}

async fn only_a_node_whose_heartbeats_still_stand_is_declared_gone(base: &Base) {
    let (a, b) = (node(base, "a").await, node(base, "b").await);
    let suspect = Suspect {
        epoch: a.epoch(),
        beats: 7,
    };
    assert!(!b.store().bury(suspect).await.unwrap());
    bury(b.store(), a.epoch()).await;
    assert!(
        !b.store()
            .bury(Suspect {
                beats: 0,
                ..suspect
            })
            .await
            .unwrap(),
        "once"
    );
    // One who is gone itself declares nobody gone.
    let c = node(base, "c").await;
    let suspect = Suspect {
        epoch: c.epoch(),
        beats: 0,
    };
    let refused = a.store().bury(suspect).await;
    assert!(
        matches!(refused, Err(StoreError::Fenced { .. })),
        "{refused:?}"
    );
}

async fn heartbeats_tell_nodes_of_each_other(base: &Base) {
    let (a, b) = (node(base, "a").await, node(base, "b").await);
    let keeping = [a.clone(), b.clone()].map(|node| tokio::spawn(async move { node.keep().await }));
    let mut standings = a.standings();
    // The first heartbeats are sent at once, and those after them tell of the other.
    let told = async {
        while a.others().is_empty() || b.others().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told)
        .await
        .unwrap();
    assert_eq!(a.others()[0].name, "b");
    // Declared gone where its heartbeats stand just now; should it beat in between, once more.
    let buried = async {
        loop {
            let seen = b.others()[0].clone();
            let (epoch, beats) = (seen.epoch, seen.beats);
            if b.store().bury(Suspect { epoch, beats }).await.unwrap() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), buried)
        .await
        .unwrap();
    let over = standings.wait_for(|standing| *standing == Standing::Over);
    tokio::time::timeout(Duration::from_secs(20), over)
        .await
        .unwrap()
        .unwrap();
    for kept in keeping {
        kept.abort();
    }
}
