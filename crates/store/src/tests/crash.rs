//! A process that settles sessions is killed in the middle of it, again and again (M11, M12).

use std::collections::BTreeSet;
use std::time::Duration;

use housecall::ports::Ledger;
use housecall_meter::{Account, Key, SessionId, Transaction};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::practice;
use super::process::{Process, say};
use super::work::{Step, as_told, buy, call, expect_charged_once};
use crate::testing::{Base, on};
use crate::{Address, Store, on_each_database};

/// Where the process that will be killed works, and which life of it this is.
const DATABASE: &str = "HOUSECALL_CRASH_DATABASE";
const LIFE: &str = "HOUSECALL_CRASH_LIFE";
/// How often it is killed.
const KILLS: &str = "HOUSECALL_KILLS";
const KILLS_BY_ITSELF: u64 = 20;
/// Sessions of one life, if nobody kills it: more than there is time for.
const SESSIONS_MAX: u64 = 100_000;

on_each_database! { m11_m12_no_credit_is_lost_or_taken_twice_by_kill_9 }

/// Everything confirmed is there after each death, once; everything open is closed; and the whole journal tells the same.
async fn m11_m12_no_credit_is_lost_or_taken_twice_by_kill_9(base: &Base) {
    let kills = as_told(KILLS, KILLS_BY_ITSELF);
    let store = Store::open(base.address()).await.unwrap();
    buy(&store).await;
    drop(store);
    let (mut confirmed, mut closed) = (0, 0);
    for life in 0..kills {
        let lived_ms = StdRng::seed_from_u64(life).random_range(0..60);
        let said = live(base, life, Duration::from_millis(lived_ms));
        let store = Store::open(base.address()).await.unwrap();
        let told = || format!("life {life}, killed after {lived_ms} ms");
        let kept = keys_of(&store, life).await;
        let lost: Vec<&Key> = said.iter().filter(|key| !kept.contains(*key)).collect();
        assert!(lost.is_empty(), "{}: {lost:?} are lost", told());
        let recovery = store.recover().await.unwrap();
        assert!(recovery.unreadable.is_empty(), "{}: {recovery:?}", told());
        closed += recovery.closed.len();
        confirmed += said.len();
        // The whole journal is long in the end, and none of it changes.
        if life % (kills / KILLS_BY_ITSELF).max(1) == 0 {
            let verified = store.verify().await;
            assert!(verified.is_ok(), "{}: {verified:?}", told());
        }
        assert_eq!(store.funds(&practice()).await.unwrap().reserved, 0);
        store.pool().close().await;
    }
    let store = Store::open(base.address()).await.unwrap();
    store.verify().await.unwrap();
    expect_charged_once(&store).await;
    assert!(
        confirmed as u64 > kills && closed > 0,
        "{confirmed} confirmed, {closed} closed"
    );
}

/// Lets a process live so long after its first word, kills it, and returns what it knew to be written.
fn live(base: &Base, life: u64, lives: Duration) -> Vec<Key> {
    let database = match base.server() {
        Some((server, name)) => on(server, name),
        None => base.address().to_string(),
    };
    let orders = [(DATABASE, database), (LIFE, life.to_string())];
    let mut process = Process::start("tests::crash::a_process_settles_sessions", &orders);
    process.word();
    std::thread::sleep(lives);
    process.kill().into_iter().map(Key).collect()
}

/// The keys of all entries of a life.
async fn keys_of(store: &Store, life: u64) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for session in store.sessions().await.unwrap() {
        if session.as_str().starts_with(&format!("call:{life}.")) {
            let entries = store.entries(&session).await.unwrap();
            keys.extend(entries.into_iter().map(|entry| entry.transaction.key));
        }
    }
    keys
}

/// What is killed: one session after the other, for as long as it lives. By itself, without a database of anybody, it settles a few.
#[tokio::test]
async fn a_process_settles_sessions() {
    let address = std::env::var(DATABASE).map_or(Address::Memory, |text| text.as_str().into());
    let life: Option<u64> = std::env::var(LIFE).ok().and_then(|life| life.parse().ok());
    let store = Store::open(address).await.unwrap();
    if life.is_none() {
        buy(&store).await;
    }
    let mut random = StdRng::seed_from_u64(life.unwrap_or_default());
    for n in 0..life.map_or(3, |_| SESSIONS_MAX) {
        let id = SessionId::new(format!("call:{}.{n}", life.unwrap_or_default()));
        settle(&store, id, random.random_range(1..400_000)).await;
    }
    assert_eq!(store.funds(&practice()).await.unwrap().reserved, 0);
    assert_eq!(store.verify().await.unwrap().sessions, 3);
}

async fn settle(store: &Store, id: SessionId, talk_ms: u64) {
    for step in call(id.clone(), talk_ms) {
        match step {
            Step::Write(entry) => record(store, &entry).await,
            Step::Alive(at) => store.heartbeat(&id, at.0).await.unwrap(),
        }
    }
}

/// Says so once the journal has confirmed it, and not before.
async fn record(store: &Store, entry: &Transaction) {
    let recorded = store.record(entry).await.unwrap();
    assert!(!recorded.already && entry.posted(Account::Issued) == 0);
    say(entry.key.as_str());
}
