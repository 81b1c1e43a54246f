//! A process that settles sessions through a spool is killed again and again, while its database is up and down in turns (M11, M12).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use housecall::ports::{Ledger, LedgerError};
use housecall_meter::{SessionId, Transaction};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::{AnyConnection, Connection, Executor};
use tokio::time::sleep;

use super::lock::less_patient;
use super::practice;
use super::process::{Process, say};
use super::server::Server;
use super::work::{Step, as_told, buy, call, expect_charged_once};
use crate::testing::new_directory;
use crate::{Address, Dialect, Spooled, Store};

/// Where the process that will be killed works, where its spool is, and which life of it this is.
const DATABASE: &str = "HOUSECALL_SPOOL_KILLS_DATABASE";
const DIRECTORY: &str = "HOUSECALL_SPOOL_KILLS_DIRECTORY";
const LIFE: &str = "HOUSECALL_SPOOL_KILLS_LIFE";
/// How often it is killed.
const KILLS: &str = "HOUSECALL_KILLS";
const KILLS_BY_ITSELF: u64 = 6;
/// What a process says of an entry that the ledger has taken: it is in the journal, or may as yet be in the spool alone.
const RECORDED: &str = "recorded ";
const KEPT: &str = "kept ";
/// Sessions at once, and one after the other.
const WORKERS: u64 = 4;
const SESSIONS_MAX: u64 = 100_000;
/// How long the database has for an entry before that goes to the spool.
const PATIENCE: Duration = Duration::from_millis(50);
const PAUSE: Duration = Duration::from_millis(10);
/// How long nothing changes, at most, in milliseconds.
const TURN_MS: u64 = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m11_m12_no_credit_in_a_spool_is_lost_or_taken_twice_by_kill_9_while_postgresql_is_down() {
    let directory = new_directory();
    let Some(server) = Server::start(&directory) else {
        return;
    };
    let spool = new_directory();
    let database = Database::Server(server);
    expect_nothing_lost_or_doubled(&database, &spool).await;
    std::fs::remove_dir_all(&spool).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m11_m12_no_credit_in_a_spool_is_lost_or_taken_twice_by_kill_9_while_a_file_is_locked() {
    let directory = new_directory();
    std::fs::create_dir_all(&directory).unwrap();
    let database = Database::File(directory.join("clinic.db"));
    expect_nothing_lost_or_doubled(&database, &directory.join("spool")).await;
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Everything that the ledger has ever taken is in the journal once the database is back and a process has started, once, and was charged once.
async fn expect_nothing_lost_or_doubled(database: &Database, spool: &Path) {
    let kills = as_told(KILLS, KILLS_BY_ITSELF);
    let store = Store::open(database.address()).await.unwrap();
    buy(&store).await;
    store.pool().close().await;
    let mut books = Books::default();
    for life in 0..kills {
        let mut random = StdRng::seed_from_u64(life);
        for word in live(database, spool, life, &mut random).await {
            books.hear(&word);
        }
        // Elsewhere it is the next one that is to be killed who finds what this one left.
        if random.random_bool(0.5) || life + 1 == kills {
            books.expect_all_told(database, spool, life).await;
        }
    }
    let store = Store::open(database.address()).await.unwrap();
    expect_charged_once(&store).await;
    store.pool().close().await;
    let Books {
        taken, kept, found, ..
    } = books;
    eprintln!(
        "{kills} kills: {} entries taken, {kept} of them by the spool, {} entries found",
        taken.len(),
        found.len()
    );
    assert!(kept > 0 && taken.len() as u64 > kills);
}

/// What was said of the ledger, and what is in it.
#[derive(Default)]
struct Books {
    taken: BTreeSet<String>,
    /// How many of them the spool took.
    kept: u64,
    /// All that is in the journal, as far as that number.
    found: BTreeSet<String>,
    last_seq: u64,
}

impl Books {
    fn hear(&mut self, word: &str) {
        let kept = word.strip_prefix(KEPT);
        self.kept += u64::from(kept.is_some());
        let key = kept.or(word.strip_prefix(RECORDED)).unwrap();
        assert!(self.taken.insert(key.to_owned()), "{key} was taken before");
    }

    /// Starts as a program does that finds what others left.
    async fn expect_all_told(&mut self, database: &Database, spool: &Path, life: u64) {
        let store = Store::open(database.address()).await.unwrap();
        let ledger = Spooled::open(&store, spool).await.unwrap();
        assert!(!ledger.is_behind(), "life {life}");
        let recovery = store.recover().await.unwrap();
        assert!(recovery.unreadable.is_empty(), "life {life}: {recovery:?}");
        let refused = std::fs::read_dir(spool).unwrap().flatten();
        let refused = refused.filter(|file| file.path().extension().is_none_or(|it| it != "spool"));
        let refused: Vec<_> = refused.map(|file| file.path()).collect();
        assert!(refused.is_empty(), "life {life}: {refused:?}");
        self.find(&store, life).await;
        let funds = store.funds(&practice()).await.unwrap();
        assert_eq!(funds.reserved, 0, "life {life}");
        let verified = store.verify().await;
        assert!(verified.is_ok(), "life {life}: {verified:?}");
        store.pool().close().await;
    }

    async fn find(&mut self, store: &Store, life: u64) {
        loop {
            let some = store.journal_after(self.last_seq).await.unwrap();
            let Some(last) = some.last() else { break };
            self.last_seq = last.seq;
            self.found
                .extend(some.into_iter().map(|entry| entry.transaction.key.0));
        }
        let lost: Vec<&String> = self.taken.difference(&self.found).collect();
        assert!(lost.is_empty(), "life {life}: {lost:?} are lost");
    }
}

/// Lets a process live while its database comes and goes, kills it, and returns what it has said.
async fn live(database: &Database, spool: &Path, life: u64, random: &mut StdRng) -> Vec<String> {
    let orders = [
        (DATABASE, database.url()),
        (DIRECTORY, spool.to_str().unwrap().to_owned()),
        (LIFE, life.to_string()),
    ];
    let test = "tests::spool_kills::a_process_settles_sessions_through_a_spool";
    let mut process = Process::start(test, &orders);
    if random.random_bool(0.2) {
        // While it starts, or tells what the one before has left.
        sleep(a_while(random)).await;
        return process.kill();
    }
    process.word();
    let mut away = None;
    for _ in 0..random.random_range(1..=3) {
        sleep(a_while(random)).await;
        away = match away {
            None => Some(database.go_away().await),
            Some(away) => database.come_back(away).await,
        };
    }
    sleep(a_while(random)).await;
    let said = process.kill();
    if let Some(away) = away {
        database.come_back(away).await;
    }
    said
}

fn a_while(random: &mut StdRng) -> Duration {
    Duration::from_millis(random.random_range(0..TURN_MS))
}

/// What comes and goes.
enum Database {
    File(PathBuf),
    Server(Server),
}

/// Why it is away.
enum Away {
    Locked(AnyConnection),
    Stopped,
}

impl Database {
    fn address(&self) -> Address {
        match self {
            Self::File(file) => file.as_path().into(),
            Self::Server(server) => server.address(),
        }
    }

    fn url(&self) -> String {
        match self.address() {
            Address::Postgres(url) => url.with_password().to_owned(),
            Address::File(file) => format!("sqlite:{}", file.display()),
            Address::Memory => panic!("nobody can share it"),
        }
    }

    async fn go_away(&self) -> Away {
        match self {
            Self::File(_) => {
                let mut other = AnyConnection::connect(&self.url()).await.unwrap();
                let lock = "PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE";
                other.execute(lock).await.unwrap();
                Away::Locked(other)
            }
            Self::Server(server) => {
                tokio::task::block_in_place(|| server.stop_at_once());
                Away::Stopped
            }
        }
    }

    async fn come_back(&self, away: Away) -> Option<Away> {
        match (self, away) {
            (_, Away::Locked(other)) => other.close().await.unwrap(),
            (Self::Server(server), Away::Stopped) => {
                tokio::task::block_in_place(|| server.go_on());
            }
            (Self::File(_), Away::Stopped) => {}
        }
        None
    }
}

/// What is killed: some at once, one session after the other, for as long as it lives. By itself, without a database of anybody, it settles a few.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_settles_sessions_through_a_spool() {
    let life: Option<u64> = std::env::var(LIFE).ok().and_then(|life| life.parse().ok());
    let temporary = new_directory();
    let directory = std::env::var(DIRECTORY).map_or(temporary.clone(), PathBuf::from);
    sqlx::any::install_default_drivers();
    let store = match std::env::var(DATABASE) {
        Err(_) => Store::open(Address::Memory).await.unwrap(),
        Ok(url) if url.starts_with("sqlite:") => less_patient(&url, Dialect::Sqlite).await,
        Ok(url) => Store::open(url.as_str()).await.unwrap(),
    };
    if life.is_none() {
        buy(&store).await;
    }
    let mut ledger = Spooled::open(&store, &directory).await.unwrap();
    ledger.patience = PATIENCE;
    store.recover().await.unwrap();
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| tokio::spawn(work(ledger.clone(), life, worker)))
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(store.funds(&practice()).await.unwrap().reserved, 0);
    assert_eq!(store.verify().await.unwrap().sessions, 2 * WORKERS);
    std::fs::remove_dir_all(temporary).unwrap();
}

async fn work(ledger: Spooled, life: Option<u64>, worker: u64) {
    let life_or_none = life.unwrap_or_default();
    let mut random = StdRng::seed_from_u64(life_or_none * WORKERS + worker);
    for n in 0..life.map_or(2, |_| SESSIONS_MAX) {
        let id = SessionId::new(format!("call:{life_or_none}.{worker}.{n}"));
        for step in call(id.clone(), random.random_range(1..600_000)) {
            match step {
                Step::Write(entry) => record(&ledger, &entry).await,
                // One that is lost is followed by another.
                Step::Alive(at) => drop(ledger.heartbeat(&id, at.0).await),
            }
        }
    }
}

/// Says so once the ledger has taken it, and not before.
async fn record(ledger: &Spooled, entry: &Transaction) {
    loop {
        match ledger.record(entry).await {
            Ok(_) => break,
            Err(LedgerError::Unavailable(_)) => sleep(PAUSE).await,
            Err(refused) => panic!("{}: {refused}", entry.key),
        }
    }
    let word = if ledger.is_behind() { KEPT } else { RECORDED };
    say(&format!("{word}{}", entry.key));
}
