//! A process that stands still for longer than its lease, and then goes on as if nothing had been.

use std::time::Duration;

use housecall::ports::{Ledger, LedgerError};
use housecall_meter::{Credits, Fact, Millis, Session};
use tokio::time::{sleep, timeout};

use super::process::{Process, say};
use super::{practice, ring};
use crate::testing::{Base, on};
use crate::{Node, NodePlan, Standing, Store};

/// Where the process that is paused works.
const DATABASE: &str = "HOUSECALL_PAUSED_DATABASE";
/// Longer than a node is waited for: its lease, a heartbeat, and a look.
const PATIENCE: Duration = Duration::from_secs(30);
const RINGS: &str = "the call is answered";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_process_that_stood_still_for_longer_than_its_lease_charges_nothing() {
    let Some(base) = Base::postgres("").await.unwrap() else {
        return;
    };
    let store = Store::open(base.address()).await.unwrap();
    grant(&store).await;
    let (server, name) = base.server().unwrap();
    let orders = [(DATABASE, on(server, name))];
    let mut process = Process::start("tests::paused::a_process_holds_a_call", &orders);
    assert_eq!(process.word(), RINGS);
    let other = join(&store, "other").await;
    let kept = tokio::spawn({
        let other = other.clone();
        async move { other.keep().await }
    });
    // It has been seen to live before it stands still.
    let seen = async {
        while other.others().is_empty() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, seen).await.unwrap();
    process.signal("STOP");
    let closed = async {
        while store.funds(&practice()).await.unwrap().reserved > 0 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, closed).await.unwrap();
    assert!(store.may_act().is_ok());
    process.signal("CONT");
    assert_eq!(
        process.word(),
        "epoch 1 of this node is over, the newest is 2"
    );
    process.wait();
    kept.abort();
    assert_eq!(store.funds(&practice()).await.unwrap().available, 9);
    store.verify().await.unwrap();
}

async fn grant(store: &Store) {
    let to = practice();
    store.grant("1", &to, Credits(10), "bought").await.unwrap();
}

async fn join(store: &Store, name: &str) -> Node {
    let url = format!("http://{name}.example");
    let name = name.to_owned();
    store.join(NodePlan { name, url }).await.unwrap()
}

/// What is paused: holds a call until it finds that it may not any more, and then tries to charge it all the same.
#[tokio::test]
async fn a_process_holds_a_call() {
    let Ok(database) = std::env::var(DATABASE) else {
        return hold_in_memory().await;
    };
    let store = Store::open(database.as_str()).await.unwrap();
    let node = join(&store, "paused").await;
    let keep = node.keep();
    tokio::select! {
        () = keep => {}
        refused = hold(&node) => say(&refused.to_string()),
    }
}

/// By itself, without a database of anybody, it is never in doubt, and another process takes the place over.
async fn hold_in_memory() {
    let store = Store::open(":memory:").await.unwrap();
    grant(&store).await;
    let node = join(&store, "alone").await;
    let mut call = ring(&store, "call").await;
    assert_eq!(node.standing(), Standing::Holds);
    node.leave().await.unwrap();
    assert!(matches!(
        end(&store, &mut call).await,
        LedgerError::Fenced { .. }
    ));
}

async fn hold(node: &Node) -> LedgerError {
    let store = node.store();
    let mut call = ring(store, "call").await;
    say(RINGS);
    for second in 1.. {
        store.heartbeat(call.id(), second).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        if node.standing() != Standing::Holds {
            break;
        }
    }
    end(store, &mut call).await
}

/// Tries to end the call after three minutes.
async fn end(store: &Store, call: &mut Session) -> LedgerError {
    call.handle_input(Millis(180_000), Fact::Ended).unwrap();
    let entry = call.poll_output().unwrap();
    store.record(&entry).await.unwrap_err()
}
