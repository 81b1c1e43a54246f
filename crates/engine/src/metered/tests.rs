//! A ledger that is away, and a clock that people set.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use housecall_meter::{AccountId, SessionId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::memory::{MemoryLedger, MemoryRecords};
use crate::ports::{Ledger, SystemClock, WallMillis};

fn practice() -> AccountId {
    AccountId::new("practice:1")
}

/// Writes what it is sent, and answers when it is told to.
struct Slow {
    memory: MemoryLedger,
    is_away: watch::Sender<bool>,
}

#[async_trait]
impl Ledger for Slow {
    async fn record(&self, entry: &Transaction) -> Result<Recorded, LedgerError> {
        let recorded = self.memory.record(entry).await;
        let _ = self.is_away.subscribe().wait_for(|away| !away).await;
        recorded
    }

    async fn funds(&self, account: &AccountId) -> Result<Funds, LedgerError> {
        self.memory.funds(account).await
    }

    async fn heartbeat(&self, _: &SessionId, _: u64) -> Result<(), LedgerError> {
        Ok(())
    }
}

fn ports(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) -> Ports {
    Ports {
        ledger,
        records: Arc::new(MemoryRecords::default()),
        clock,
    }
}

/// M7: a start is refused in words, and what the silent ledger reserved all the same is given back once it speaks.
#[tokio::test]
async fn a_start_that_the_ledger_does_not_answer_is_refused_and_keeps_no_credits() {
    let ledger = Arc::new(Slow {
        memory: MemoryLedger::with_credits(practice(), Credits(10)).unwrap(),
        is_away: watch::Sender::new(true),
    });
    let ports = ports(ledger.clone(), Arc::new(SystemClock));
    let mut session = Session::open(Opening::call(SessionId::new("call"), practice()));
    let patience = Duration::from_millis(20);
    let refused = reserve(&ports, &mut session, patience).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the ledger cannot be reached, so nothing was started or charged: ledger unavailable: no answer for 20 ms"
    );
    assert_eq!(ledger.memory.funds(&practice()).await.unwrap().reserved, 1);
    let given_back = tokio::spawn(give_back(ports, session));
    ledger.is_away.send_replace(false);
    given_back.await.unwrap();
    let funds = ledger.memory.funds(&practice()).await.unwrap();
    assert_eq!((funds.available, funds.reserved), (10, 0));
}

/// A day that a test lets pass at once, and a wall clock that is set to anything meanwhile.
struct Steps {
    zero: Instant,
    elapsed_ms: AtomicU64,
    wall_ms: AtomicI64,
}

impl Clock for Steps {
    fn now(&self) -> Instant {
        self.zero + Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallMillis {
        WallMillis(self.wall_ms.load(Ordering::SeqCst))
    }
}

/// Remembers when each entry happened, in the session's time.
struct Noted {
    memory: MemoryLedger,
    entries: Mutex<Vec<Transaction>>,
}

#[async_trait]
impl Ledger for Noted {
    async fn record(&self, entry: &Transaction) -> Result<Recorded, LedgerError> {
        self.entries.lock().unwrap().push(entry.clone());
        self.memory.record(entry).await
    }

    async fn funds(&self, account: &AccountId) -> Result<Funds, LedgerError> {
        self.memory.funds(account).await
    }

    async fn heartbeat(&self, _: &SessionId, _: u64) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// "Wall-clock steps move displays, never charges": the same call, with a wall clock that stands still and with one that jumps by hours.
#[tokio::test]
async fn m2_a_wall_clock_that_is_set_moves_no_charge() {
    for seed in 0..50 {
        let [still, stepped] = [false, true].map(|steps| charged(seed, steps));
        let (still, stepped) = (still.await, stepped.await);
        assert_eq!(still, stepped, "seed {seed}");
        let (credits, end) = still;
        assert_eq!(credits.0, end.unwrap().at.0.div_ceil(60_000), "seed {seed}");
    }
}

/// What a call of some minutes costs, and its end in the journal.
async fn charged(seed: u64, steps: bool) -> (Credits, Option<Transaction>) {
    let mut random = StdRng::seed_from_u64(seed);
    let clock = Arc::new(Steps {
        zero: Instant::now(),
        elapsed_ms: AtomicU64::new(0),
        wall_ms: AtomicI64::new(1_790_000_000_000),
    });
    let ledger = Arc::new(Noted {
        memory: MemoryLedger::with_credits(practice(), Credits(1_000)).unwrap(),
        entries: Mutex::default(),
    });
    let opening = Opening::call(SessionId::new("call"), practice());
    let opened = Till::open(ports(ledger.clone(), clock.clone()), opening);
    let Opened { till, facts, .. } = opened.await.unwrap();
    let till = tokio::spawn(till.run());
    facts.tell(Fact::Answered);
    while ledger.entries.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        let wall_ms = random.random_range(-200_000_000..200_000_000);
        let passes_ms = random.random_range(0..120_000);
        clock.elapsed_ms.fetch_add(passes_ms, Ordering::SeqCst);
        if steps {
            clock.wall_ms.fetch_add(wall_ms, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
    }
    facts.tell(Fact::Ended);
    let settled = till.await.unwrap();
    let entries = ledger.entries.lock().unwrap();
    (settled.credits, entries.last().cloned())
}
