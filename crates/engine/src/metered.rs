//! The only place that sees both money and media.
//!
//! ```text
//!   open ── Reserve ──► Ledger ── recorded ──► BlockGrant ──► Metered::start(media, grant)
//!                                                                  │ facts, with their time
//!   Till::run  ◄───────────────────────────────────────────────────┘
//!      ├─ a block begins, somebody is admitted ──► Extend, Evidence
//!      ├─ every 5 s ──► heartbeat (M11)
//!      └─ the end ──► Settle or Release, once
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_meter::{
    BlockGrant, Credits, Fact, Millis, OldGrid, Opening, Patient, Session, Transaction,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::call::millis;
use crate::ports::{Clock, Funds, LedgerError, Ports, Recorded};

/// How often the till looks at its clock.
const TICK: Duration = Duration::from_millis(250);
/// How often a session leaves evidence that it lives (M11), on the clock of charges.
const HEARTBEAT_MS: u64 = 5_000;
/// How long a start waits for a ledger that is away before it is refused.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two tries at a ledger that is away.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// What a session costs at a moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cost {
    /// Credits if it ended now.
    pub so_far: u64,
    /// Time until the next block begins, in milliseconds; none while nothing is counted.
    pub next_block_in_ms: Option<u64>,
    /// What the account could still spend when the ledger last spoke.
    pub available: i64,
}

/// Why a session may not start; nothing was reserved.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartRefused {
    /// Not enough credits for the first block of everybody booked (M7).
    #[error("this needs {} and {available} are available: top up, then try again", Credits(*.needed))]
    InsufficientCredits {
        /// The reservation.
        needed: u64,
        /// What the account has.
        available: i64,
    },
    /// The ledger did not answer for 5 s. What it may have reserved all the same is given back when it is there again.
    #[error("the ledger cannot be reached, so nothing was started or charged: {0}")]
    LedgerAway(String),
}

/// A piece of running media that is paid for.
///
/// It cannot be made without a [`BlockGrant`], which only a recorded reservation yields.
#[derive(Debug)]
pub(crate) struct Metered<S> {
    pub(crate) media: S,
    facts: FactSender,
    _grant: BlockGrant,
}

impl<S> Metered<S> {
    /// Starts what has been paid for.
    pub(crate) fn start(media: S, grant: BlockGrant, facts: FactSender) -> Self {
        Self {
            media,
            facts,
            _grant: grant,
        }
    }

    /// Tells the till what happened, now.
    pub(crate) fn tell(&self, fact: Fact) {
        self.facts.tell(fact);
    }

    /// Tells the till what turned out to have happened a while ago.
    pub(crate) fn tell_ago(&self, fact: Fact, ago: Duration) {
        let now = self.facts.clock.now();
        self.facts
            .tell_at(now.checked_sub(ago).unwrap_or(now), fact);
    }

    /// Returns the time on the clock of charges.
    pub(crate) fn now(&self) -> Instant {
        self.facts.clock.now()
    }
}

/// The line from media to its till; each fact carries the moment it happened.
#[derive(Clone)]
pub(crate) struct FactSender {
    clock: Arc<dyn Clock>,
    line: mpsc::UnboundedSender<(Instant, Fact)>,
}

impl std::fmt::Debug for FactSender {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("FactSender")
    }
}

impl FactSender {
    /// Tells the till what happened, now.
    pub(crate) fn tell(&self, fact: Fact) {
        self.tell_at(self.clock.now(), fact);
    }

    fn tell_at(&self, at: Instant, fact: Fact) {
        // A till that is gone has settled; what comes later changes nothing.
        let _ = self.line.send((at, fact));
    }
}

/// How a session was settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Settled {
    pub(crate) credits: Credits,
    pub(crate) each: [Credits; 3],
    pub(crate) elapsed_ms: u64,
    /// When, on the clock of charges.
    pub(crate) ended: Instant,
    /// For a session that reopens it.
    pub(crate) left: OldGrid,
    /// The ledger took no end from us, since others have taken this node's work over.
    pub(crate) fenced: bool,
}

/// Runs the meter of one session against the ledger.
pub(crate) struct Till {
    ports: Ports,
    session: Session,
    zero: Instant,
    funds: Funds,
    heartbeat_at_ms: u64,
    /// Others have taken this node's work over: nothing more is written.
    fenced: bool,
    facts: mpsc::UnboundedReceiver<(Instant, Fact)>,
    cost: watch::Sender<Cost>,
}

/// A reserved session, ready to be started.
pub(crate) struct Opened {
    pub(crate) till: Till,
    pub(crate) grant: BlockGrant,
    pub(crate) facts: FactSender,
    pub(crate) cost: watch::Receiver<Cost>,
}

impl Till {
    /// Reserves the first block (M7).
    pub(crate) async fn open(ports: Ports, opening: Opening) -> Result<Opened, StartRefused> {
        let mut session = Session::open(opening);
        let (recorded, grant) = match reserve(&ports, &mut session, START_PATIENCE).await {
            Ok(reserved) => reserved,
            Err(refused) => {
                if matches!(refused, StartRefused::LedgerAway(_)) {
                    tokio::spawn(give_back(ports, session));
                }
                return Err(refused);
            }
        };
        let (line, facts) = mpsc::unbounded_channel();
        let clock = Arc::clone(&ports.clock);
        let zero = clock.now();
        let first = Cost {
            available: recorded.funds.available,
            ..Cost::default()
        };
        let (cost, cost_view) = watch::channel(first);
        let till = Self {
            ports,
            session,
            zero,
            funds: recorded.funds,
            heartbeat_at_ms: 0,
            fenced: false,
            facts,
            cost,
        };
        Ok(Opened {
            till,
            grant,
            facts: FactSender { clock, line },
            cost: cost_view,
        })
    }

    /// Hears facts until the session is settled and the ledger has all of it.
    pub(crate) async fn run(mut self) -> Settled {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                fact = self.facts.recv() => self.hear(fact),
                _ = ticks.tick() => self.tick().await,
            }
            self.write().await;
            self.publish();
            let left = self.session.reopening(Millis::ZERO);
            if let Some((credits, left)) = self.session.settled().zip(left) {
                return self.settled(credits, left);
            }
        }
    }

    fn hear(&mut self, fact: Option<(Instant, Fact)>) {
        // A line that broke without a word is an end: the media is gone.
        let (at, fact) = fact.unwrap_or_else(|| (self.ports.clock.now(), Fact::Ended));
        let at = Millis(millis(self.zero, at));
        if let Err(error) = self.session.handle_input(at, fact) {
            tracing::error!(%error, session = %self.session.id(), "the meter heard what cannot be");
        }
    }

    async fn tick(&mut self) {
        let at = self.elapsed();
        self.session.handle_timeout(at);
        if at.0 >= self.heartbeat_at_ms {
            self.heartbeat_at_ms = at.0.saturating_add(HEARTBEAT_MS);
            // A missed heartbeat only moves the evidence back; the next one repairs it.
            if let Err(error) = self.ports.ledger.heartbeat(self.session.id(), at.0).await {
                tracing::warn!(%error, session = %self.session.id(), "heartbeat not written");
            }
        }
    }

    async fn write(&mut self) {
        while let Some(entry) = self.session.poll_output() {
            match persist(&self.ports, &entry).await {
                Ok(recorded) => self.funds = recorded.funds,
                Err(refused) => self.fenced |= matches!(refused, LedgerError::Fenced { .. }),
            }
            // Only the first reservation grants, and that one was recorded before the start.
            let _ = self.session.recorded(&entry.key);
        }
    }

    fn publish(&self) {
        let now = self.elapsed();
        let cost = Cost {
            so_far: self.session.cost_so_far(now).0,
            next_block_in_ms: self.session.next_block_at().map(|at| at.since(now).0),
            available: self.funds.available,
        };
        self.cost.send_replace(cost);
    }

    fn settled(&self, credits: Credits, left: OldGrid) -> Settled {
        let elapsed = self.session.latest();
        let bill = self.session.bill(elapsed);
        let each = Patient::ALL.map(|patient| bill.total_of(patient));
        Settled {
            credits,
            each,
            elapsed_ms: elapsed.0,
            ended: self.zero + Duration::from_millis(elapsed.0),
            left,
            fenced: self.fenced,
        }
    }

    fn elapsed(&self) -> Millis {
        Millis(millis(self.zero, self.ports.clock.now()))
    }
}

async fn reserve(
    ports: &Ports,
    session: &mut Session,
    patience: Duration,
) -> Result<(Recorded, BlockGrant), StartRefused> {
    let nothing = || StartRefused::LedgerAway("the meter reserved nothing".to_owned());
    let entry = session.poll_output().ok_or_else(nothing)?;
    let answered = timeout(patience, until_answered(ports, &entry)).await;
    let recorded = answered.unwrap_or_else(|_| {
        let waited_ms = patience.as_millis();
        let silent = format!("no answer for {waited_ms} ms");
        Err(LedgerError::Unavailable(silent))
    });
    // Even if nobody has said so, the journal may have it: the session goes on as if it had, to its end.
    let grant = session.recorded(&entry.key).ok_or_else(nothing)?;
    match recorded {
        Ok(recorded) => Ok((recorded, grant)),
        Err(LedgerError::InsufficientCredits { needed, available }) => {
            Err(StartRefused::InsufficientCredits { needed, available })
        }
        Err(error) => Err(StartRefused::LedgerAway(error.to_string())),
    }
}

/// Ends a session that nobody has started, since its reservation may be in the journal although nobody was told so.
async fn give_back(ports: Ports, mut session: Session) {
    // No session has an end yet that nobody has begun.
    let _ = session.handle_input(Millis::ZERO, Fact::Ended);
    while let Some(entry) = session.poll_output() {
        let given_back = until_answered(&ports, &entry).await;
        let was_reserved = given_back.is_ok();
        tracing::info!(session = %session.id(), was_reserved, "a start that was refused for the ledger's sake is over");
    }
}

/// Sends an entry again for as long as the ledger is away: the key makes that safe.
async fn until_answered(ports: &Ports, entry: &Transaction) -> Result<Recorded, LedgerError> {
    loop {
        match ports.ledger.record(entry).await {
            Err(LedgerError::Unavailable(error)) => {
                tracing::warn!(%error, key = %entry.key.0, "ledger away, trying again");
                sleep(RETRY_PAUSE).await;
            }
            answered => return answered,
        }
    }
}

/// Writes an entry of a session in progress.
///
/// # Errors
/// What the ledger refuses for good.
async fn persist(ports: &Ports, entry: &Transaction) -> Result<Recorded, LedgerError> {
    let answered = until_answered(ports, entry).await;
    if let Err(error) = &answered {
        tracing::error!(%error, key = %entry.key.0, "entry refused for good");
    }
    answered
}

#[cfg(test)]
mod tests;
