//! Whoever settles sessions through faults, and what must be true of the ledger afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use housecall::ports::{Ledger, LedgerError};
use housecall_meter::{Credits, Fact, Key, Millis, Opening, Session, SessionId, Transaction};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::practice;
use crate::Store;

pub(super) const BOUGHT: Credits = Credits(100_000_000);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(10);
/// No fault outlasts as many. Each takes from nothing to several seconds.
const ATTEMPTS_MAX: u32 = 3_000;

/// What a session does to the ledger.
#[expect(
    clippy::large_enum_variant,
    reason = "most steps are entries, and there are few"
)]
pub(super) enum Step {
    Write(Transaction),
    Alive(Millis),
}

/// A call of so many milliseconds, each block of which is reserved when it begins.
pub(super) fn call(id: SessionId, talk_ms: u64) -> Vec<Step> {
    const ANSWER_MS: u64 = 3_000;
    let mut call = Session::open(Opening::call(id, practice()));
    let reserve = call.poll_output().unwrap();
    let _grant = call.recorded(&reserve.key).unwrap();
    let mut steps = vec![Step::Write(reserve)];
    call.handle_input(Millis(ANSWER_MS), Fact::Answered)
        .unwrap();
    let end = Millis(ANSWER_MS + talk_ms);
    while let Some(at) = call.poll_timeout().filter(|at| *at < end) {
        call.handle_timeout(at);
        steps.extend(written(&mut call));
        steps.push(Step::Alive(at));
    }
    call.handle_input(end, Fact::Ended).unwrap();
    steps.extend(written(&mut call));
    steps
}

fn written(session: &mut Session) -> impl Iterator<Item = Step> {
    std::iter::from_fn(|| session.poll_output()).map(Step::Write)
}

/// Settles one session after the other, and sends what fails again under the same key.
pub(super) struct Worker {
    store: Store,
    name: String,
    random: StdRng,
    pub(super) sessions: u64,
    /// What the ledger has confirmed.
    pub(super) confirmed: BTreeSet<Key>,
    /// How many that are, for whoever looks on.
    pub(super) progress: Arc<AtomicU64>,
    /// How often it confirmed what it had not answered when it was first sent.
    pub(super) answered_late: u64,
    /// What it said when it did not.
    pub(super) errors: Vec<LedgerError>,
}

impl Worker {
    pub(super) fn new(store: &Store, number: u64) -> Self {
        Self {
            store: store.clone(),
            name: format!("worker:{number}"),
            random: StdRng::seed_from_u64(number),
            sessions: 0,
            confirmed: BTreeSet::new(),
            progress: Arc::default(),
            answered_late: 0,
            errors: Vec::new(),
        }
    }

    /// Settles sessions for as long as that, to the end of the last.
    pub(super) async fn work_while(&mut self, goes_on: impl Fn() -> bool) {
        while goes_on() {
            self.settle().await;
        }
    }

    pub(super) async fn settle(&mut self) {
        let id = SessionId::new(format!("{}/{}", self.name, self.sessions));
        let talk_ms = self.random.random_range(1..200_000);
        for step in call(id.clone(), talk_ms) {
            match step {
                Step::Write(entry) => self.write(entry).await,
                // One that is lost is followed by another.
                Step::Alive(at) => drop(self.store.heartbeat(&id, at.0).await),
            }
        }
        self.sessions += 1;
    }

    async fn write(&mut self, entry: Transaction) {
        for _ in 0..ATTEMPTS_MAX {
            match self.store.record(&entry).await {
                Ok(recorded) => {
                    self.answered_late += u64::from(recorded.already);
                    assert!(self.confirmed.insert(entry.key));
                    self.progress.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(error @ LedgerError::Unavailable(_)) => self.errors.push(error),
                Err(refused) => panic!("{}: {refused}", entry.key),
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{}: {:?}", entry.key, self.errors.last());
    }

    /// What it was told when the ledger did not take something, each once.
    pub(super) fn told(&self) -> BTreeSet<String> {
        self.errors.iter().map(ToString::to_string).collect()
    }
}

/// A ledger with credits enough.
pub(super) async fn buy(store: &Store) {
    let bought = store.grant("order", &practice(), BOUGHT, "bought").await;
    assert_eq!(bought.unwrap().funds.available, BOUGHT.posted());
}

/// Everything confirmed is there, every session has cost what it tells, once, and nothing else was taken.
pub(super) async fn expect_nothing_lost_or_doubled(store: &Store, workers: &[Worker]) {
    store.verify().await.unwrap();
    expect_charged_once(store).await;
    assert_eq!(store.funds(&practice()).await.unwrap().reserved, 0);
    let mut kept = BTreeSet::new();
    let mut seq = 0;
    loop {
        let some = store.journal_after(seq).await.unwrap();
        let Some(last) = some.last() else { break };
        seq = last.seq;
        kept.extend(some.into_iter().map(|entry| entry.transaction.key));
    }
    let confirmed: usize = workers.iter().map(|worker| worker.confirmed.len()).sum();
    for worker in workers {
        let lost: Vec<&Key> = worker.confirmed.difference(&kept).collect();
        assert!(lost.is_empty(), "{lost:?} are lost");
    }
    // Beside what was bought, there is nothing but what was confirmed.
    assert_eq!(kept.len(), confirmed + 1);
}

/// The practice has what it bought less what each session cost, told again one by one.
pub(super) async fn expect_charged_once(store: &Store) {
    let mut charged = 0;
    for session in store.sessions().await.unwrap() {
        let explanation = store.explain(&session).await.unwrap().unwrap();
        charged += explanation.total().posted();
    }
    let funds = store.funds(&practice()).await.unwrap();
    assert_eq!(funds.available, BOUGHT.posted() - charged);
    assert!(charged > 0);
}

/// How often, or for how long: as the environment says, or this.
pub(super) fn as_told(variable: &str, by_itself: u64) -> u64 {
    std::env::var(variable).map_or(by_itself, |told| told.parse().unwrap())
}
