//! An engine, a telephone network, and ports in memory.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use housecall_carrier::{Carrier, CarrierOptions, HeardCall};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::memory::{MemoryLedger, MemoryRecords};
use crate::ports::{Clock, Funds, Ledger, Ports, SystemClock, WallMillis};
use crate::sip::Peer;
use crate::{
    AccountId, CallRecord, Country, Credits, DialRefused, DialRequest, Dialing, Engine,
    EngineOptions, Number, Trunk, TrunkSetup,
};

/// Longer than anything here takes on a busy machine; a wait that reaches it has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How often a condition without a channel of its own is looked at.
const LOOK: Duration = Duration::from_millis(10);

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) carrier: Carrier,
    ledger: Arc<MemoryLedger>,
    records: Arc<MemoryRecords>,
    clock: Arc<LeapClock>,
}

/// The machine's clock, further on by what a test lets pass at once. It moves charges, never media.
#[derive(Default)]
struct LeapClock {
    ahead_ms: AtomicU64,
}

impl LeapClock {
    fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }
}

impl Clock for LeapClock {
    fn now(&self) -> Instant {
        SystemClock.now() + self.ahead()
    }

    fn wall(&self) -> WallMillis {
        let ahead = self.ahead_ms.load(Ordering::Relaxed);
        WallMillis(SystemClock.wall().0.saturating_add_unsigned(ahead))
    }
}

impl World {
    /// A practice with `credits` that may ring Australian numbers.
    pub(super) async fn with_credits(credits: u64) -> Self {
        Self::new(credits, |_| {}).await
    }

    pub(super) async fn new(credits: u64, change: impl FnOnce(&mut EngineOptions)) -> Self {
        let carrier = Carrier::start(CarrierOptions::default()).await.unwrap();
        let mut options = EngineOptions::new(Country::Au);
        options.shards = 1;
        let trunk = Trunk::new("Carrier", carrier.domain());
        let trunk = trunk.with_credentials(carrier.credentials().clone());
        options.trunks = vec![TrunkSetup::new(trunk, Peer::udp(carrier.addr()))];
        change(&mut options);
        let ledger = Arc::new(MemoryLedger::with_credits(account(), Credits(credits)).unwrap());
        let records = Arc::new(MemoryRecords::default());
        let clock = Arc::new(LeapClock::default());
        let ports = Ports {
            ledger: ledger.clone(),
            records: records.clone(),
            clock: clock.clone(),
        };
        let engine = Engine::start(options, ports).await.unwrap();
        Self {
            engine,
            carrier,
            ledger,
            records,
            clock,
        }
    }

    /// Lets so much time pass for charges.
    pub(super) fn leap(&self, time: Duration) {
        let ms = time.as_millis() as u64;
        self.clock.ahead_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// The time that charges are counted by.
    pub(super) fn money_now(&self) -> Instant {
        self.clock.now()
    }

    pub(super) async fn dial(&self, to: &str, offer: &str) -> Result<Dialing, DialRefused> {
        within(self.engine.dial(request(to, offer))).await
    }

    pub(super) async fn funds(&self) -> Funds {
        self.ledger.funds(&account()).await.unwrap()
    }

    pub(super) fn records(&self) -> Vec<CallRecord> {
        self.records.calls()
    }

    /// Waits for the first record and returns it.
    pub(super) async fn first_record(&self) -> CallRecord {
        until("a record", || self.records().into_iter().next()).await
    }

    /// Waits until the subscriber of `to` has heard what is `wanted`.
    pub(super) async fn far_end(
        &self,
        to: &str,
        what: &str,
        wanted: impl Fn(&HeardCall) -> bool,
    ) -> HeardCall {
        until(what, || {
            let report = self.carrier.report();
            report.last_to(to).filter(|call| wanted(call)).cloned()
        })
        .await
    }

    /// Waits until nothing is set aside and returns what can be spent: every reservation has met its end.
    pub(super) async fn settled(&self) -> i64 {
        let until = Instant::now() + PATIENCE;
        loop {
            let funds = self.funds().await;
            if funds.reserved == 0 && self.engine.running() == 0 {
                return funds.available;
            }
            assert!(Instant::now() < until, "still reserved: {funds:?}");
            sleep(LOOK).await;
        }
    }
}

pub(super) fn account() -> AccountId {
    AccountId::new("practice:1")
}

pub(super) fn request(to: &str, offer: &str) -> DialRequest {
    let number = |text: &str| Number::parse(text, Country::Au).unwrap();
    DialRequest {
        account: account(),
        appointment: Some("appointment:7".to_owned()),
        practitioner: "practitioner:1".to_owned(),
        caller: "user:1".to_owned(),
        recipient: "patient:1".to_owned(),
        from: number("02 5550 0142"),
        to: number(to),
        offer: offer.to_owned(),
    }
}

/// Waits for something that must come.
pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("out of patience")
}

/// Waits until `look` finds something.
pub(super) async fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "never came: {what}");
        sleep(LOOK).await;
    }
}

/// Waits until what a channel shows is as wanted.
pub(super) async fn shows<T: Clone + std::fmt::Debug>(
    channel: &mut watch::Receiver<T>,
    what: &str,
    wanted: impl FnMut(&T) -> bool,
) -> T {
    let found = timeout(PATIENCE, channel.wait_for(wanted))
        .await
        .ok()
        .and_then(|found| found.ok().map(|value| (*value).clone()));
    found.unwrap_or_else(|| panic!("never shown: {what}; last {:?}", channel.borrow()))
}
