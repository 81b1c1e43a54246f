//! Many writers at once.

use housecall::ports::{Ledger, LedgerError};
use housecall_meter::{Credits, Fact, Millis, Opening, Session, SessionId};

use super::{Base, on_each_database, practice};
use crate::Store;

const WRITERS: u64 = 8;
const CALLS: u64 = 10;

on_each_database! {
    eight_writers_lose_nothing,
    eight_programs_lose_nothing,
    eight_starts_share_three_credits,
    eight_workers_settle_one_session_once,
}

/// Eight writers, each ten calls of a minute and a half: every credit is accounted for, and nobody is told to try again.
async fn eight_writers_lose_nothing(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    expect_nothing_lost(vec![store; 8]).await;
}

/// The same where each is a program of its own, which only the database keeps apart.
async fn eight_programs_lose_nothing(base: &Base) {
    let mut stores = Vec::new();
    for _ in 0..WRITERS {
        stores.push(Store::open(base.address()).await.unwrap());
    }
    expect_nothing_lost(stores).await;
}

async fn expect_nothing_lost(stores: Vec<Store>) {
    let store = stores[0].clone();
    store
        .grant("1", &practice(), Credits(200), "bought")
        .await
        .unwrap();
    let writers = stores.into_iter().zip(0..WRITERS);
    let writers = writers.map(|(store, writer)| tokio::spawn(ring_all(store, writer)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let funds = store.funds(&practice()).await.unwrap();
    assert_eq!((funds.available, funds.reserved), (200 - 2 * 80, 0));
    let verified = store.verify().await.unwrap();
    assert_eq!((verified.entries, verified.sessions), (1 + 80 * 4, 80));
}

/// M7: two sessions cannot spend the same credits, however many ask at once.
async fn eight_starts_share_three_credits(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    store
        .grant("1", &practice(), Credits(3), "bought")
        .await
        .unwrap();
    let starts =
        (0..WRITERS).map(|writer| tokio::spawn(start(store.clone(), format!("call {writer}"))));
    let mut started = 0;
    for start in starts.collect::<Vec<_>>() {
        match start.await.unwrap() {
            Ok(()) => started += 1,
            Err(LedgerError::InsufficientCredits {
                needed: 1,
                available: 0,
            }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(started, 3);
    let funds = store.funds(&practice()).await.unwrap();
    assert_eq!((funds.available, funds.reserved), (0, 3));
}

/// The same end sent by eight workers at once settles once.
async fn eight_workers_settle_one_session_once(base: &Base) {
    let store = Store::open(base.address()).await.unwrap();
    store
        .grant("1", &practice(), Credits(9), "bought")
        .await
        .unwrap();
    let mut call = Session::open(Opening::call(SessionId::new("a"), practice()));
    write_down(&store, &mut call).await.unwrap();
    call.handle_input(Millis(0), Fact::Answered).unwrap();
    write_down(&store, &mut call).await.unwrap();
    call.handle_input(Millis(30_000), Fact::Ended).unwrap();
    let end = call.poll_output().unwrap();
    let workers = (0..WRITERS).map(|_| {
        let (store, end) = (store.clone(), end.clone());
        tokio::spawn(async move { store.record(&end).await.unwrap().already })
    });
    let mut first = 0;
    for worker in workers.collect::<Vec<_>>() {
        first += u32::from(!worker.await.unwrap());
    }
    assert_eq!(first, 1);
    assert_eq!(store.funds(&practice()).await.unwrap().available, 8);
    store.verify().await.unwrap();
}

async fn ring_all(store: Store, writer: u64) {
    for call in 0..CALLS {
        let name = SessionId::new(format!("writer {writer} call {call}"));
        let mut session = Session::open(Opening::call(name, practice()));
        write_down(&store, &mut session).await.unwrap();
        session.handle_input(Millis(1_000), Fact::Answered).unwrap();
        write_down(&store, &mut session).await.unwrap();
        store.heartbeat(session.id(), 5_000).await.unwrap();
        session.handle_timeout(Millis(61_000));
        session.handle_input(Millis(91_000), Fact::Ended).unwrap();
        write_down(&store, &mut session).await.unwrap();
    }
}

async fn start(store: Store, name: String) -> Result<(), LedgerError> {
    let mut session = Session::open(Opening::call(SessionId::new(name), practice()));
    write_down(&store, &mut session).await
}

async fn write_down(store: &Store, session: &mut Session) -> Result<(), LedgerError> {
    while let Some(entry) = session.poll_output() {
        assert!(!store.record(&entry).await?.already);
        let _ = session.recorded(&entry.key);
    }
    Ok(())
}
