//! A process that is killed while its database is away, and the one that starts when both are back (M11).

use std::path::Path;
use std::time::Duration;

use housecall::ports::Ledger;
use housecall_meter::{Credits, Fact, Millis, Opening, Session, SessionId};
use sqlx::{AnyConnection, Connection, Executor};
use tokio::time::sleep;

use super::practice;
use super::process::{Process, say, until_told};
use super::server::Server;
use crate::testing::new_directory;
use crate::{Address, Spooled, Store};

/// Where the process that will be killed works, and where it keeps what the database does not hear.
const DATABASE: &str = "HOUSECALL_SPOOL_DATABASE";
const DIRECTORY: &str = "HOUSECALL_SPOOL_DIRECTORY";
const RINGS: &str = "three calls are answered";
const KEPT: &str = "two goes on at 2:30, three has ended";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m11_a_process_killed_while_postgresql_is_down_is_charged_once_to_the_evidence_in_its_spool()
 {
    let directory = new_directory();
    let Some(server) = Server::start(&directory) else {
        return;
    };
    let Address::Postgres(url) = server.address() else {
        panic!("it is one");
    };
    buy(&server.address()).await;
    let spool = directory.join("spool");
    let mut process = start(url.with_password(), &spool);
    assert_eq!(process.word(), RINGS);
    server.stop_at_once();
    go_on_and_die(process);
    server.go_on();
    expect_charged_once(&server.address(), &spool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn m11_a_process_killed_while_a_file_is_locked_is_charged_once_to_the_evidence_in_its_spool()
{
    let directory = new_directory();
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("clinic.db");
    buy(&file.as_path().into()).await;
    let spool = directory.join("spool");
    let mut process = start(file.to_str().unwrap(), &spool);
    assert_eq!(process.word(), RINGS);
    let url = format!("sqlite:{}", file.display());
    let mut other = AnyConnection::connect(&url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    go_on_and_die(process);
    other.close().await.unwrap();
    expect_charged_once(&file.as_path().into(), &spool).await;
    std::fs::remove_dir_all(&directory).unwrap();
}

async fn buy(address: &Address) {
    let store = Store::open(address).await.unwrap();
    let to = practice();
    let bought = store.grant("1", &to, Credits(100), "bought");
    bought.await.unwrap();
    store.pool().close().await;
}

/// One process after the other starts: nothing of what the first has found is found again.
async fn expect_charged_once(address: &Address, spool: &Path) {
    for _ in 0..2 {
        let store = Store::open(address).await.unwrap();
        let ledger = Spooled::open(&store, spool).await.unwrap();
        assert!(!ledger.is_behind());
        store.recover().await.unwrap();
        for (name, cost) in [("one", 0), ("two", 3), ("three", 2)] {
            let told = store.explain(&SessionId::new(name)).await.unwrap();
            assert_eq!(told.unwrap().total(), Credits(cost), "{name}");
        }
        let funds = store.funds(&practice()).await.unwrap();
        assert_eq!((funds.available, funds.reserved), (95, 0));
        let verified = store.verify().await.unwrap();
        assert_eq!((verified.entries, verified.sessions), (1 + 3 + 5 + 4, 3));
        store.pool().close().await;
    }
}

fn start(database: &str, spool: &Path) -> Process {
    let orders = [
        (DATABASE, database.to_owned()),
        (DIRECTORY, spool.display().to_string()),
    ];
    Process::start("tests::spool_crash::a_process_holds_three_calls", &orders)
}

/// Lets it go on, now that its database is away, and kills it once it has kept what happened.
fn go_on_and_die(mut process: Process) {
    process.go_on();
    assert_eq!(process.word(), KEPT);
    process.kill();
}

/// What is killed. By itself it does the same in memory, and nothing is ever away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_holds_three_calls() {
    let database = std::env::var(DATABASE);
    let address = match &database {
        Ok(database) => database.as_str().into(),
        Err(_) => Address::Memory,
    };
    let temporary = new_directory();
    let directory = std::env::var(DIRECTORY).map_or(temporary.clone(), Into::into);
    let store = Store::open(address).await.unwrap();
    if database.is_err() {
        store
            .grant("1", &practice(), Credits(9), "bought")
            .await
            .unwrap();
    }
    let ledger = Spooled::open(&store, &directory).await.unwrap();
    let [one, two, three] = ["one", "two", "three"].map(|name| ring(&ledger, name));
    let (_one, mut two, mut three) = (one.await, two.await, three.await);
    if database.is_ok() {
        say(RINGS);
        // Until the database is away.
        until_told();
    }
    for at in [60_000, 120_000] {
        two.handle_timeout(Millis(at));
        write(&ledger, &mut two).await;
    }
    ledger.heartbeat(two.id(), 150_000).await.unwrap();
    let ended = tokio::spawn({
        let ledger = ledger.clone();
        async move {
            three.handle_input(Millis(61_000), Fact::Ended).unwrap();
            write(&ledger, &mut three).await;
        }
    });
    if database.is_err() {
        ended.await.unwrap();
        assert_eq!(store.funds(&practice()).await.unwrap().reserved, 4);
        return std::fs::remove_dir_all(temporary).unwrap();
    }
    let spool = directory.join("1.spool");
    while !std::fs::read_to_string(&spool)
        .unwrap()
        .contains("three/end")
    {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(!ended.is_finished());
    say(KEPT);
    sleep(Duration::from_secs(60)).await;
}

async fn ring(ledger: &Spooled, name: &str) -> Session {
    let mut call = Session::open(Opening::call(SessionId::new(name), practice()));
    let reserve = call.poll_output().unwrap();
    ledger.record(&reserve).await.unwrap();
    let _grant = call.recorded(&reserve.key).unwrap();
    call.handle_input(Millis(0), Fact::Answered).unwrap();
    write(ledger, &mut call).await;
    call
}

async fn write(ledger: &Spooled, session: &mut Session) {
    while let Some(entry) = session.poll_output() {
        ledger.record(&entry).await.unwrap();
    }
}
