//! The handle that an embedding program holds.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use housecall_meter::SessionId;
use housecall_sfu::{Room, RoomOptions};
use rand::{Rng, RngExt};
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::grids::Grids;
use crate::limits::{DialGuard, TooManyCalls, Who};
use crate::options::{EngineOptions, SHARDS_MAX};
use crate::ports::{Ports, RecordError};
use crate::sessions::Sessions;
use crate::shard::{self, CallKey, Command, RoomKey, ShardHandle, TrunkWord};
use crate::trunks::{TrunkView, Trunks};
use crate::visit::{RoomRefused, Visit, VisitParts, VisitPlan, VisitView, WeakVisit};

/// How long a record is tried to be written before it is given up, with an error in the log.
const RECORD_TRIES: u32 = 240;
/// The pause between two tries.
const RECORD_PAUSE: Duration = Duration::from_millis(500);
/// How long a stop waits for trunks to confirm that we have left; a registration that stays runs out by itself.
const LEAVE_PATIENCE: Duration = Duration::from_secs(1);

/// The engine: dials calls and holds visits. Cheap to clone; it stops when the last clone is dropped.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    options: EngineOptions,
    ports: Ports,
    shards: Vec<ShardHandle>,
    sessions: Sessions,
    guard: Arc<Mutex<DialGuard>>,
    trunks: Arc<Trunks>,
    visits: tokio::sync::Mutex<BTreeMap<String, WeakVisit>>,
    grids: Grids,
    names: AtomicU64,
}

impl Engine {
    /// Binds the sockets and starts the media threads.
    ///
    /// # Errors
    /// What the operating system says when an address or port cannot be bound.
    pub async fn start(options: EngineOptions, ports: Ports) -> io::Result<Self> {
        let count = options.shards.clamp(1, SHARDS_MAX);
        let mut shards = Vec::with_capacity(count);
        for index in 0..count {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            shards.push(shard::start(index, options.clone()).await?);
        }
        let guard = Arc::new(Mutex::new(DialGuard::new(options.limits)));
        let trunks = Trunks::new(options.trunks.clone(), ports.clock.clone());
        let trunks = Arc::new(trunks);
        mind(&trunks, &shards).await;
        let inner = Inner {
            options,
            ports,
            shards,
            sessions: Sessions::new(),
            guard,
            trunks,
            visits: tokio::sync::Mutex::default(),
            grids: Grids::default(),
            names: AtomicU64::new(1),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Returns the visit of `plan.appointment`, opening its waiting room when there is none.
    ///
    /// A visit that has ended makes way for a new one: reopening is a new session.
    ///
    /// # Errors
    /// [`RoomRefused::Ended`] when the media thread is gone, [`RoomRefused::MayNotAct`] when another node may have the room.
    pub async fn visit(&self, plan: VisitPlan) -> Result<Visit, RoomRefused> {
        let mut visits = self.inner.visits.lock().await;
        if let Some(visit) = visits.get(&plan.appointment).and_then(WeakVisit::upgrade) {
            return Ok(visit);
        }
        let may_act = self.inner.ports.ledger.may_act();
        may_act.map_err(RoomRefused::MayNotAct)?;
        visits.retain(|_, visit| visit.upgrade().is_some());
        let appointment = plan.appointment.clone();
        let visit = self.open_visit(plan).await?;
        visits.insert(appointment, visit.downgrade());
        Ok(visit)
    }

    /// Returns the visit of an appointment if one is open.
    pub async fn find_visit(&self, appointment: &str) -> Option<Visit> {
        let visits = self.inner.visits.lock().await;
        visits.get(appointment).and_then(WeakVisit::upgrade)
    }

    async fn open_visit(&self, plan: VisitPlan) -> Result<Visit, RoomRefused> {
        let room = RoomKey(self.next());
        let shard = self.shard(room.0);
        let options = RoomOptions {
            lite: self.inner.options.ice_lite,
            ..RoomOptions::default()
        };
        let machine = Box::new(Room::new(Instant::now(), options));
        let (view, seen) = watch::channel(VisitView::new(machine.view()));
        let (end, ended) = oneshot::channel();
        let open = Command::OpenRoom {
            room,
            machine,
            view,
            end,
        };
        shard
            .commands
            .send(open)
            .await
            .map_err(|_| RoomRefused::Ended)?;
        Ok(Visit::new(VisitParts {
            plan,
            session: SessionId::new(self.new_name("visit")),
            room,
            commands: shard.commands.clone(),
            engine: self.clone(),
            view: seen,
            end: ended,
        }))
    }

    /// Returns how many calls and visits run, or are being settled.
    #[must_use]
    pub fn running(&self) -> usize {
        self.inner.sessions.running()
    }

    /// Returns whether new calls and visits are refused because the engine stops.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.inner.sessions.is_draining()
    }

    /// Returns how each trunk stands, in configured order, now and as it changes.
    #[must_use]
    pub fn trunks(&self) -> watch::Receiver<Vec<TrunkView>> {
        self.inner.trunks.views()
    }

    /// Lets no new call or visit start and waits, at most `patience`, until those in progress have ended by themselves.
    /// Returns whether all have.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.inner.sessions.drain();
        timeout(patience, self.inner.sessions.all_ended())
            .await
            .is_ok()
    }

    /// Closes the room of every visit, since another node has them now: who was in one meets there again. Calls go on.
    pub async fn close_rooms(&self) {
        for shard in &self.inner.shards {
            let _ = shard.commands.send(Command::CloseRooms).await;
        }
    }

    /// Waits until no call or visit runs and all are settled.
    pub async fn all_ended(&self) {
        self.inner.sessions.all_ended().await;
    }

    /// Ends every call and visit and waits, at most `patience`, until all are settled. Returns whether all are.
    pub async fn end_all(&self, patience: Duration) -> bool {
        self.inner.sessions.drain();
        for shard in &self.inner.shards {
            let _ = shard.commands.send(Command::EndAll).await;
        }
        let ended = timeout(patience, self.inner.sessions.all_ended())
            .await
            .is_ok();
        self.leave_trunks().await;
        ended
    }

    /// Ends our registrations, so that nobody sends calls to a machine that is gone.
    async fn leave_trunks(&self) {
        let Some(shard) = self.inner.shards.first() else {
            return;
        };
        let mut leaving = Vec::new();
        for (trunk, _) in self.inner.trunks.setups() {
            let (left, when_left) = oneshot::channel();
            let leave = Command::Trunk(trunk, TrunkWord::Leave(left));
            let _ = shard.commands.send(leave).await;
            leaving.push(when_left);
        }
        let all_left = async {
            for left in leaving {
                // A trunk that nobody minds has nothing to end.
                let _ = left.await;
            }
        };
        let _ = timeout(LEAVE_PATIENCE, all_left).await;
    }

    pub(crate) fn trunk_board(&self) -> &Arc<Trunks> {
        &self.inner.trunks
    }

    pub(crate) fn options(&self) -> &EngineOptions {
        &self.inner.options
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.inner.ports
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    pub(crate) fn grids(&self) -> &Grids {
        &self.inner.grids
    }

    /// Counts a call against the limits on dialling (P6).
    pub(crate) fn permit(&self, who: Who) -> Result<Permit, TooManyCalls> {
        let now = self.inner.ports.clock.now();
        let mut guard = self
            .inner
            .guard
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        guard.begin(now, &who)?;
        Ok(Permit {
            guard: Arc::clone(&self.inner.guard),
            who,
        })
    }

    pub(crate) fn next_call(&self) -> CallKey {
        CallKey(self.next())
    }

    pub(crate) fn shard_for_call(&self) -> &ShardHandle {
        self.shard(self.inner.names.load(Ordering::Relaxed))
    }

    /// Returns a name that was never used: it begins journal keys, which are unique for ever (M12).
    pub(crate) fn new_name(&self, kind: &str) -> String {
        let random: u128 = rand::rng().random();
        format!("{kind}:{random:032x}")
    }

    pub(crate) fn seed(&self) -> u64 {
        rand::rng().next_u64()
    }

    fn next(&self) -> u64 {
        self.inner.names.fetch_add(1, Ordering::Relaxed)
    }

    /// Spreads machines over the shards in turn. There is at least one shard.
    fn shard(&self, turn: u64) -> &ShardHandle {
        let count = self.inner.shards.len().max(1);
        let index = usize::try_from(turn).unwrap_or(0) % count;
        #[expect(
            clippy::indexing_slicing,
            reason = "the index is below the length, and start() makes at least one"
        )]
        &self.inner.shards[index]
    }
}

/// Lets the first shard mind the trunks: its SIP address is the one they know.
async fn mind(trunks: &Arc<Trunks>, shards: &[ShardHandle]) {
    if let Some(shard) = shards.first() {
        trunks.minded_by(shard.commands.downgrade());
        // A shard that is gone already refuses every call too.
        let _ = shard
            .commands
            .send(Command::MindTrunks(trunks.clone()))
            .await;
    }
}

/// The right to one call. Dropping it counts the call out.
pub(crate) struct Permit {
    guard: Arc<Mutex<DialGuard>>,
    who: Who,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        guard.end(&self.who);
    }
}

/// Writes a record, trying again for two minutes while the store is away. The money is in the ledger by then.
pub(crate) async fn keep<F: Future<Output = Result<(), RecordError>>>(
    mut write: impl FnMut() -> F,
) {
    for _ in 0..RECORD_TRIES {
        match write().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "record not written, trying again"),
        }
        sleep(RECORD_PAUSE).await;
    }
    tracing::error!("record given up");
}
