//! Sessions that go on while their database is away: locked by somebody else, for as long as the test wants.

use std::path::Path;
use std::time::Duration;

use housecall::ports::{Ledger, LedgerError, Recorded};
use housecall_meter::{Credits, Fact, Millis, Opening, Session, SessionId};
use sqlx::{AnyConnection, Connection, Executor};
use tokio::time::{sleep, timeout};

use super::full_disk::Disk;
use super::lock::{less_patient, url};
use super::practice;
use crate::spool::{Backlog, OwnFile, Record, What};
use crate::testing::Base;
use crate::{Dialect, Epoch, Node, NodePlan, SpoolError, Spooled, Store, on_each_database};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

on_each_database! {
    what_happens_while_the_database_is_away_is_written_when_it_is_back,
    nothing_begins_and_nothing_is_bought_while_the_database_is_away,
    an_entry_that_was_written_before_its_answer_was_lost_is_written_once,
    what_a_process_left_is_written_in_the_name_of_its_epoch,
    nothing_of_a_node_that_was_declared_gone_is_charged,
    processes_share_a_directory_and_not_a_file,
    a_disk_that_is_full_too_ends_nothing,
}

async fn what_happens_while_the_database_is_away_is_written_when_it_is_back(base: &Base) {
    let World { ledger, away, .. } = World::new(base).await;
    let mut call = ring(&ledger, "call").await;
    let mut other = ring(&ledger, "other").await;
    let away = away.begin().await;

    call.handle_timeout(Millis(60_000));
    assert_eq!(write(&ledger, &mut call).await.unwrap().funds.available, 97);
    call.handle_timeout(Millis(120_000));
    // What is not known is reckoned.
    let reckoned = write(&ledger, &mut call).await.unwrap();
    assert_eq!((reckoned.funds.available, reckoned.funds.reserved), (96, 4));
    ledger.heartbeat(call.id(), 150_000).await.unwrap();
    assert!(ledger.is_behind());
    let ended = tokio::spawn({
        other.handle_input(Millis(61_000), Fact::Ended).unwrap();
        let ledger = ledger.clone();
        async move { write(&ledger, &mut other).await }
    });
    sleep(Duration::from_millis(300)).await;
    assert!(!ended.is_finished(), "the ledger has no end of it yet");

    away.end().await;
    let ended = timeout(PATIENCE, ended).await.unwrap().unwrap().unwrap();
    // Reserved for the other, and its second minute: both are charged.
    assert_eq!((ended.funds.available, ended.funds.reserved), (95, 3));
    until_all_is_told(&ledger).await;
    assert_eq!(evidence(ledger.store(), "call").await, 150_000);
    assert_eq!(bytes(&ledger_file(base, 1)), 0);

    // And on it goes, as before.
    call.handle_input(Millis(200_000), Fact::Ended).unwrap();
    let ended = write(&ledger, &mut call).await.unwrap();
    assert_eq!((ended.funds.available, ended.funds.reserved), (94, 0));
    let verified = ledger.store().verify().await.unwrap();
    assert_eq!((verified.sessions, ledger.is_behind()), (2, false));
}

async fn nothing_begins_and_nothing_is_bought_while_the_database_is_away(base: &Base) {
    let World { ledger, away, .. } = World::new(base).await;
    let away = away.begin().await;
    let mut call = Session::open(Opening::call(SessionId::new("call"), practice()));
    let refused = ledger.record(&call.poll_output().unwrap()).await;
    let bought = housecall_meter::Transaction::grant("2", practice(), Credits(5), "bought");
    for refused in [refused, ledger.record(&bought).await] {
        assert!(
            matches!(refused, Err(LedgerError::Unavailable(_))),
            "{refused:?}"
        );
    }
    assert!(!ledger.is_behind());
    away.end().await;
    assert_eq!(ledger.funds(&practice()).await.unwrap().available, 100);
}

async fn an_entry_that_was_written_before_its_answer_was_lost_is_written_once(base: &Base) {
    let World { ledger, away, .. } = World::new(base).await;
    let mut call = ring(&ledger, "call").await;
    call.handle_timeout(Millis(60_000));
    let extend = call.poll_output().unwrap();
    ledger.store().record(&extend).await.unwrap();
    let away = away.begin().await;
    ledger.record(&extend).await.unwrap();
    assert!(ledger.is_behind());
    away.end().await;
    until_all_is_told(&ledger).await;
    let funds = ledger.funds(&practice()).await.unwrap();
    assert_eq!((funds.available, funds.reserved), (98, 2));
    ledger.store().verify().await.unwrap();
}

async fn what_a_process_left_is_written_in_the_name_of_its_epoch(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let dead = join(&store).await;
    let mut call = ring(&bought(&store).await, "call").await;
    leave_behind(base, dead.epoch(), &mut call, Millis(100_000));

    let next = Store::open(base.address()).await.unwrap();
    drop(Spooled::open(&next, &directory(base)).await.unwrap());
    assert_eq!(evidence(&next, "call").await, 100_000);
    assert_eq!(bytes(&ledger_file(base, 1)), 0);
    // The session is still the dead one's, and is closed with it, at the evidence that it left.
    dead.leave().await.unwrap();
    let closed = next.recover().await.unwrap().closed;
    assert_eq!((closed.len(), closed[0].credits), (1, Credits(2)));
    next.verify().await.unwrap();
}

async fn nothing_of_a_node_that_was_declared_gone_is_charged(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let dead = join(&store).await;
    let mut call = ring(&bought(&store).await, "call").await;
    store.heartbeat(call.id(), 30_000).await.unwrap();
    leave_behind(base, dead.epoch(), &mut call, Millis(100_000));

    let next = Store::open(base.address()).await.unwrap();
    let judge = join(&next).await;
    if next.dialect() == Dialect::Postgres {
        // In a file it is gone by now. Here by its own word, which is the same to the journal as that of one who has watched it for a lease.
        dead.leave().await.unwrap();
    }
    let closed = judge.close_left_behind().await.unwrap().closed;
    assert_eq!((closed.len(), closed[0].credits), (1, Credits(1)));

    let spooled = Spooled::open(&next, &directory(base)).await.unwrap();
    assert!(!spooled.is_behind() && bytes(&ledger_file(base, 1)) == 0);
    assert_eq!(next.funds(&practice()).await.unwrap().available, 99);
    let entries = next.entries(call.id()).await.unwrap();
    assert_eq!(entries.len(), 3, "reserved, answered, recovered");
    // A person can look at what was not charged.
    let aside = std::fs::read_to_string(directory(base).join("1.refused")).unwrap();
    assert!(aside.contains("call/extend/"), "{aside}");
    next.verify().await.unwrap();
}

async fn processes_share_a_directory_and_not_a_file(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    let mut spools = Vec::new();
    for _ in 0..16 {
        spools.push(Spooled::open(&store, &directory(base)).await.unwrap());
    }
    let crowded = Spooled::open(&store, &directory(base)).await;
    assert!(matches!(crowded, Err(SpoolError::Crowded { .. })));
    spools.remove(3);
    Spooled::open(&store, &directory(base)).await.unwrap();
    let nowhere = Path::new("/proc/no/directory");
    let nowhere = Spooled::open(&store, nowhere).await.unwrap_err();
    let said = nowhere.to_string();
    assert!(said.starts_with("cannot use /proc/no/directory"), "{said}");
}

async fn a_disk_that_is_full_too_ends_nothing(base: &Base) {
    let Some(disk) = Disk::of("64k") else { return };
    let World { store, away, .. } = World::new(base).await;
    let mut ledger = Spooled::open(&store, &disk.directory).await.unwrap();
    ledger.patience = Duration::from_secs(1);
    let mut call = ring(&ledger, "call").await;
    let away = away.begin().await;
    disk.fill(0);
    call.handle_timeout(Millis(60_000));
    let extend = call.poll_output().unwrap();
    let full = ledger.record(&extend).await.unwrap_err().to_string();
    let says = ["locked", "the spool cannot be written", "No space left"];
    assert!(says.iter().all(|words| full.contains(words)), "{full}");
    disk.make_room();
    ledger.record(&extend).await.unwrap();
    away.end().await;
    until_all_is_told(&ledger).await;
    assert_eq!(ledger.funds(&practice()).await.unwrap().reserved, 2);
    store.verify().await.unwrap();
}

/// A practice with 100 credits, and somebody who can lock it out of its database.
struct World {
    store: Store,
    ledger: Spooled,
    away: Away,
}

/// Keeps the database from answering.
struct Away {
    other: AnyConnection,
    dialect: Dialect,
}

impl World {
    async fn new(base: &Base) -> Self {
        let store = Store::open(base.address()).await.unwrap();
        let dialect = store.dialect();
        let store = less_patient(&url(base), dialect).await;
        store
            .grant("1", &practice(), Credits(100), "bought")
            .await
            .unwrap();
        let mut ledger = Spooled::open(&store, &directory(base)).await.unwrap();
        ledger.patience = Duration::from_secs(1);
        let other = AnyConnection::connect(&url(base)).await.unwrap();
        Self {
            store,
            ledger,
            away: Away { other, dialect },
        }
    }
}

impl Away {
    async fn begin(mut self) -> Self {
        let lock = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN; LOCK TABLE journal_turn, metered_session",
        };
        self.other.execute(lock).await.unwrap();
        self
    }

    async fn end(mut self) {
        self.other.execute("ROLLBACK").await.unwrap();
        self.other.close().await.unwrap();
    }
}

async fn bought(store: &Store) -> Store {
    store
        .grant("1", &practice(), Credits(100), "bought")
        .await
        .unwrap();
    store.clone()
}

async fn join(store: &Store) -> Node {
    let plan = NodePlan {
        name: "one".to_owned(),
        url: "http://one.example".to_owned(),
    };
    store.join(plan).await.unwrap()
}

/// A call in its first minute.
async fn ring(ledger: &dyn Ledger, name: &str) -> Session {
    let mut call = Session::open(Opening::call(SessionId::new(name), practice()));
    let reserve = call.poll_output().unwrap();
    ledger.record(&reserve).await.unwrap();
    let _grant = call.recorded(&reserve.key).unwrap();
    call.handle_input(Millis(0), Fact::Answered).unwrap();
    write(ledger, &mut call).await.unwrap();
    call
}

/// Writes what a session says; what the last of it came to.
async fn write(ledger: &dyn Ledger, session: &mut Session) -> Result<Recorded, LedgerError> {
    let mut last = None;
    while let Some(entry) = session.poll_output() {
        last = Some(ledger.record(&entry).await?);
    }
    Ok(last.unwrap())
}

/// What a process leaves in its spool that dies when a call has come so far.
fn leave_behind(base: &Base, epoch: Epoch, call: &mut Session, at: Millis) {
    std::fs::create_dir_all(directory(base)).unwrap();
    let file = OwnFile::open(&ledger_file(base, 1)).unwrap().unwrap();
    let (mut backlog, _) = Backlog::open(file).unwrap();
    call.handle_timeout(at);
    while let Some(entry) = call.poll_output() {
        let what = What::Entry(entry);
        backlog.keep(Record { epoch, what }).unwrap();
    }
    let session = call.id().clone();
    let what = What::Alive { session, at };
    backlog.keep(Record { epoch, what }).unwrap();
}

fn directory(base: &Base) -> std::path::PathBuf {
    base.beside("spool")
}

fn ledger_file(base: &Base, number: u32) -> std::path::PathBuf {
    directory(base).join(format!("{number}.spool"))
}

fn bytes(file: &Path) -> u64 {
    file.metadata().unwrap().len()
}

async fn until_all_is_told(ledger: &Spooled) {
    let told = async {
        while ledger.is_behind() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, told).await.unwrap();
}

async fn evidence(store: &Store, session: &str) -> i64 {
    let evidence = "SELECT evidence_ms FROM metered_session WHERE session = $1";
    let query = sqlx::query_scalar(evidence).bind(session);
    query.fetch_one(store.pool()).await.unwrap()
}
