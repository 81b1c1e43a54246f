//! A PostgreSQL that dies between a statement and its answer: nothing is lost and nothing is done twice.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use housecall::ports::{Ledger, LedgerError};
use housecall_meter::{Credits, Transaction};
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::{Base, practice};
use crate::Store;

#[tokio::test]
async fn an_entry_whose_commit_was_not_answered_is_known_when_sent_again() {
    for entry in both_sorts() {
        let already = when_the_wire(Fault::LosesTheAnswer, entry).await;
        assert!(already.is_none_or(|already| already));
    }
}

#[tokio::test]
async fn an_entry_whose_commit_did_not_arrive_is_written_when_sent_again() {
    for entry in both_sorts() {
        let already = when_the_wire(Fault::LosesTheCommit, entry).await;
        assert!(already.is_none_or(|already| !already));
    }
}

/// The limits of the server do not help against one that says nothing at all.
#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    for entry in both_sorts() {
        let already = when_the_wire(Fault::FallsSilent, entry).await;
        assert!(already.is_none_or(|already| already));
    }
}

/// An entry that is written and committed by one statement, and one by several; and what nothing but the message that commits it says.
fn both_sorts() -> [(Transaction, &'static [u8]); 2] {
    [
        (
            Transaction::grant("1", practice(), Credits(5), "by bank"),
            b"by bank",
        ),
        (
            Transaction::gift("1", practice(), Credits(5), "to begin with"),
            b"COMMIT\0",
        ),
    ]
}

/// What happens to what commits on its way.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Fault {
    None,
    /// It is done, and then the connection breaks.
    LosesTheAnswer,
    /// The connection breaks before it is done.
    LosesTheCommit,
    /// It is done, and nothing comes back, not even an end.
    FallsSilent,
}

/// Sends an entry over a wire with that fault, then over a whole one: says whether it was known by then. None without a server.
async fn when_the_wire(
    fault: Fault,
    (entry, commits): (Transaction, &'static [u8]),
) -> Option<bool> {
    let base = Base::postgres("").await.unwrap()?;
    let (server, name) = base.server().unwrap();
    let wire = Wire::to(server, commits).await;
    let mut store = Store::open(wire.address(server, name).as_str())
        .await
        .unwrap();
    store.silence = Duration::from_secs(1);

    wire.set(fault);
    let lost = store.record(&entry).await;
    assert!(matches!(lost, Err(LedgerError::Unavailable(_))), "{lost:?}");

    wire.set(Fault::None);
    let again = store.record(&entry).await.unwrap();
    assert_eq!(again.funds.available, 5);
    assert_eq!(store.verify().await.unwrap().entries, 1);
    Some(again.already)
}

/// Stands between a program and the server.
struct Wire {
    address: SocketAddr,
    fault: Arc<Mutex<Fault>>,
}

impl Wire {
    async fn to(server: &str, commits: &'static [u8]) -> Self {
        let options = PgConnectOptions::from_str(server).unwrap();
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self {
            address: listener.local_addr().unwrap(),
            fault: Arc::new(Mutex::new(Fault::None)),
        };
        let fault = wire.fault.clone();
        tokio::spawn(async move {
            while let Ok((program, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(program, server, commits, fault.clone()));
            }
        });
        wire
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// The URL of a database of the server, by way of this wire.
    fn address(&self, server: &str, name: &str) -> String {
        let user = server
            .rsplit_once('@')
            .map_or("postgres://", |(user, _)| user);
        let at = if user.ends_with("//") { "" } else { "@" };
        format!("{user}{at}{}/{name}", self.address)
    }
}

/// Carries both ways until an end, or until what commits is to be lost.
async fn carry(program: TcpStream, server: TcpStream, commits: &[u8], fault: Arc<Mutex<Fault>>) {
    let (mut from_program, to_program) = program.into_split();
    let (from_server, mut to_server) = server.into_split();
    let silent = Arc::new(AtomicBool::new(false));
    let answers = tokio::spawn(carry_back(from_server, to_program, silent.clone()));
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from_program.read(&mut bytes).await {
        let said = &bytes[..length];
        let fault = if said.windows(commits.len()).any(|part| part == commits) {
            *fault.lock().unwrap()
        } else {
            Fault::None
        };
        silent.fetch_or(fault != Fault::None, Ordering::SeqCst);
        if fault != Fault::LosesTheCommit && to_server.write_all(said).await.is_err() {
            break;
        }
        if matches!(fault, Fault::LosesTheCommit | Fault::LosesTheAnswer) {
            break;
        }
    }
    answers.abort();
}

async fn carry_back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silent: Arc<AtomicBool>) {
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if !silent.load(Ordering::SeqCst) && to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
