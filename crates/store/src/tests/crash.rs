//! A process that settles sessions is killed in the middle of it, again and again (M11, M12).

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use housecall::ports::Ledger;
use housecall_meter::{
    Account, AccountId, Credits, Fact, Key, Millis, Opening, Session, SessionId, Transaction,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::practice;
use crate::testing::{Base, on};
use crate::{Address, Store, on_each_database};

/// Where the process that will be killed works, and which life of it this is.
const DATABASE: &str = "HOUSECALL_CRASH_DATABASE";
const LIFE: &str = "HOUSECALL_CRASH_LIFE";
/// How often it is killed.
const KILLS: &str = "HOUSECALL_KILLS";
const KILLS_BY_ITSELF: u64 = 20;
/// What a process says of an entry that the journal has confirmed.
const RECORDED: &str = "recorded ";
const BOUGHT: Credits = Credits(100_000_000);
/// Sessions of one life, if nobody kills it: more than there is time for.
const SESSIONS_MAX: u64 = 100_000;
/// No life begins or ends later than that.
const PATIENCE: Duration = Duration::from_secs(30);

on_each_database! { m11_m12_no_credit_is_lost_or_taken_twice_by_kill_9 }

/// Everything confirmed is there after each death, once; everything open is closed; and the whole journal tells the same.
async fn m11_m12_no_credit_is_lost_or_taken_twice_by_kill_9(base: &Base) {
    let kills = std::env::var(KILLS).map_or(KILLS_BY_ITSELF, |kills| kills.parse().unwrap());
    let store = Store::open(base.address()).await.unwrap();
    let bought = store.grant("order", &practice(), BOUGHT, "bought").await;
    assert_eq!(bought.unwrap().funds.available, BOUGHT.posted());
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

/// The practice has what it bought less what each session cost, told again one by one.
async fn expect_charged_once(store: &Store) {
    let mut charged = 0;
    for session in store.sessions().await.unwrap() {
        let explanation = store.explain(&session).await.unwrap().unwrap();
        charged += explanation.total().posted();
    }
    let funds = store.funds(&practice()).await.unwrap();
    assert_eq!(funds.available, BOUGHT.posted() - charged);
    assert!(charged > 0);
}

/// Lets a process live so long after its first word, kills it, and returns what it knew to be written.
fn live(base: &Base, life: u64, lives: Duration) -> Vec<Key> {
    let database = match base.server() {
        Some((server, name)) => on(server, name),
        None => base.address().to_string(),
    };
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::crash::a_process_settles_sessions",
            "--nocapture",
        ])
        .env(DATABASE, database)
        .env(LIFE, life.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let (tell, hear) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some(key) = line.strip_prefix(RECORDED) {
                let _ = tell.send(Key(key.to_owned()));
            }
        }
    });
    let first = hear.recv_timeout(PATIENCE);
    std::thread::sleep(lives);
    process.kill().unwrap();
    process.wait().unwrap();
    reader.join().unwrap();
    first.into_iter().chain(hear.try_iter()).collect()
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
        let bought = store.grant("order", &practice(), BOUGHT, "bought").await;
        bought.unwrap();
    }
    let mut random = StdRng::seed_from_u64(life.unwrap_or_default());
    for n in 0..life.map_or(3, |_| SESSIONS_MAX) {
        let id = SessionId::new(format!("call:{}.{n}", life.unwrap_or_default()));
        settle(&store, id, practice(), random.random_range(1..400_000)).await;
    }
    assert_eq!(store.funds(&practice()).await.unwrap().reserved, 0);
    assert_eq!(store.verify().await.unwrap().sessions, 3);
}

/// A call of so many milliseconds, each block of which is reserved when it begins.
async fn settle(store: &Store, id: SessionId, account: AccountId, talk_ms: u64) {
    const ANSWER_MS: u64 = 3_000;
    let mut call = Session::open(Opening::call(id, account));
    let reserve = call.poll_output().unwrap();
    record(store, &reserve).await;
    let _grant = call.recorded(&reserve.key).unwrap();
    call.handle_input(Millis(ANSWER_MS), Fact::Answered)
        .unwrap();
    let end = Millis(ANSWER_MS + talk_ms);
    while let Some(at) = call.poll_timeout().filter(|at| *at < end) {
        call.handle_timeout(at);
        record_all(store, &mut call).await;
        store.heartbeat(call.id(), at.0).await.unwrap();
    }
    call.handle_input(end, Fact::Ended).unwrap();
    record_all(store, &mut call).await;
}

async fn record_all(store: &Store, session: &mut Session) {
    while let Some(entry) = session.poll_output() {
        record(store, &entry).await;
    }
}

/// Says so once the journal has confirmed it, and not before.
async fn record(store: &Store, entry: &Transaction) {
    let recorded = store.record(entry).await.unwrap();
    assert!(!recorded.already && entry.posted(Account::Issued) == 0);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{RECORDED}{}", entry.key).unwrap();
    out.flush().unwrap();
}
