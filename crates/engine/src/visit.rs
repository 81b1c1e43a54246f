//! A video visit at the public edge: people wait, the practitioner joins and pays, everybody meets.

use std::sync::{Arc, Weak};
use std::time::Instant;

use housecall_meter::{AccountId, Booked, Opening, SessionId, Tariff};
use housecall_sfu::{Ending, PatientSeat, PeerState, Phase, RoomView, Seat};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::call::HoldTime;
use crate::engine::Engine;
use crate::metered::{Cost, Opened, Settled, StartRefused, Till};
use crate::ports::{LedgerError, WallMillis};
use crate::record::{PartyRef, VisitPatient, VisitRecord};
use crate::ring::PhoneView;
use crate::sessions::Session;
use crate::shard::{Command, RoomAsk, RoomEnd, RoomKey, RoomVerb};

/// Who meets, and who pays.
#[derive(Clone, Debug)]
pub struct VisitPlan {
    /// Whose credits pay.
    pub account: AccountId,
    /// The appointment that is held.
    pub appointment: PartyRef,
    /// Who holds it.
    pub practitioner: PartyRef,
    /// Who sits where: there is no fourth seat (V2).
    pub patients: [Option<PartyRef>; 3],
    /// What time costs: [`Tariff::STANDARD`] (M4) or [`Tariff::ATTENDED`] (M5), as it is when the visit begins (M6).
    pub tariff: Tariff,
}

impl VisitPlan {
    fn booked(&self) -> Booked {
        let patients = self.patients.iter().flatten().count();
        u8::try_from(patients)
            .ok()
            .and_then(Booked::new)
            .unwrap_or(Booked::ONE)
    }
}

/// What can be seen of a visit at a moment. Instants are on the clock of charges.
#[derive(Clone, Debug)]
pub struct VisitView {
    /// The room and who is where.
    pub room: RoomView,
    /// When the practitioner joined first.
    pub started: Option<Instant>,
    /// How often each seat has been joined, in the order of [`Seat::ALL`]: a page with an older number was replaced (V9).
    joins: [u64; 4],
    /// The phones that were rung for the patients' seats (V13).
    phones: [Option<PhoneView>; 3],
}

impl VisitView {
    pub(crate) fn new(room: RoomView) -> Self {
        Self {
            room,
            started: None,
            joins: [0; 4],
            phones: [None; 3],
        }
    }

    /// Returns what can be seen of the phone that was rung last for a patient; none if none was.
    #[must_use]
    pub fn phone(&self, seat: PatientSeat) -> Option<&PhoneView> {
        seat.of(&self.phones).as_ref()
    }

    pub(crate) fn phone_mut(&mut self, seat: PatientSeat) -> &mut Option<PhoneView> {
        seat.of_mut(&mut self.phones)
    }

    pub(crate) fn count_join(&mut self, seat: Seat) {
        for (joins, other) in self.joins.iter_mut().zip(Seat::ALL) {
            *joins += u64::from(other == seat);
        }
    }

    /// Returns how often a seat has been joined.
    #[must_use]
    pub fn joins(&self, seat: Seat) -> u64 {
        let mut of = Seat::ALL.into_iter().zip(self.joins);
        of.find_map(|(other, joins)| (other == seat).then_some(joins))
            .unwrap_or(0)
    }
}

/// How long somebody was there, by page and by phone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Presence {
    pub(crate) admitted: bool,
    pub(crate) by_page: HoldTime,
    pub(crate) by_phone: HoldTime,
}

impl Presence {
    pub(crate) fn end(&mut self, now: Instant) {
        self.by_page.end(now);
        self.by_phone.end(now);
    }
}

/// Why a room did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoomRefused {
    /// The visit is over, or was never opened.
    #[error("this consultation has ended")]
    Ended,
    /// The practitioner must be paid for before the room opens.
    #[error("the consultation has not started")]
    NotPaid,
    /// The meter would not start.
    #[error(transparent)]
    Money(#[from] StartRefused),
    /// New visits are not started while the service stops.
    #[error(
        "the service is about to restart: consultations in progress go on, new ones start in a minute"
    )]
    Draining,
    /// Others share the ledger, and this node may not act just now.
    #[error(
        "this server has lost touch with the clinic's records: who is connected stays connected, and nobody can come in for the moment ({0})"
    )]
    MayNotAct(LedgerError),
    /// The patient's phone has the seat, and a page that did not ask for it back would hang it up.
    #[error("this visit goes on by phone")]
    OnThePhone,
    /// The room's own words.
    #[error("{0}")]
    Room(String),
}

/// A visit in progress or about to be; cheap to clone.
#[derive(Clone)]
pub struct Visit {
    inner: Arc<Inner>,
}

/// A visit that lives only as long as somebody else holds it.
#[derive(Clone)]
pub(crate) struct WeakVisit(Weak<Inner>);

impl WeakVisit {
    /// Returns the visit unless it is over or nobody holds it.
    pub(crate) fn upgrade(&self) -> Option<Visit> {
        let visit = Visit {
            inner: self.0.upgrade()?,
        };
        (!visit.is_over()).then_some(visit)
    }
}

struct Inner {
    plan: VisitPlan,
    session: SessionId,
    room: RoomKey,
    commands: mpsc::Sender<Command>,
    engine: Engine,
    view: watch::Receiver<VisitView>,
    cost: watch::Sender<Cost>,
    record: watch::Sender<Option<VisitRecord>>,
    /// The end of the room, until the meter takes it; none once the meter runs.
    end: Mutex<Option<oneshot::Receiver<RoomEnd>>>,
}

/// What a visit is made of.
pub(crate) struct VisitParts {
    pub(crate) plan: VisitPlan,
    pub(crate) session: SessionId,
    pub(crate) room: RoomKey,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) engine: Engine,
    pub(crate) view: watch::Receiver<VisitView>,
    pub(crate) end: oneshot::Receiver<RoomEnd>,
}

impl Visit {
    pub(crate) fn new(parts: VisitParts) -> Self {
        let VisitParts {
            plan,
            session,
            room,
            commands,
            engine,
            view,
            end,
        } = parts;
        let inner = Inner {
            plan,
            session,
            room,
            commands,
            engine,
            view,
            cost: watch::channel(Cost::default()).0,
            record: watch::channel(None).0,
            end: Mutex::new(Some(end)),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn downgrade(&self) -> WeakVisit {
        WeakVisit(Arc::downgrade(&self.inner))
    }

    /// Returns the name of the session, as its record and its journal entries have it.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.inner.session
    }

    /// Returns who meets.
    #[must_use]
    pub fn plan(&self) -> &VisitPlan {
        &self.inner.plan
    }

    /// Returns what can be seen of the visit, now and as it changes.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<VisitView> {
        self.inner.view.clone()
    }

    /// Returns the running cost.
    #[must_use]
    pub fn cost(&self) -> watch::Receiver<Cost> {
        self.inner.cost.subscribe()
    }

    /// Returns the record once the visit has ended and is settled.
    #[must_use]
    pub fn record(&self) -> watch::Receiver<Option<VisitRecord>> {
        self.inner.record.subscribe()
    }

    /// Returns whether the room is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let ended = matches!(self.inner.view.borrow().room.phase, Phase::Ended { .. });
        ended || self.inner.view.has_changed().is_err()
    }

    /// A patient enters the waiting room.
    pub async fn arrive(&self, seat: PatientSeat) -> Result<(), RoomRefused> {
        self.ask(RoomVerb::Arrive(seat)).await.map(drop)
    }

    /// The practitioner lets a patient in (V10).
    pub async fn admit(&self, seat: PatientSeat) -> Result<(), RoomRefused> {
        self.ask(RoomVerb::Admit(seat)).await.map(drop)
    }

    /// The practitioner lets everybody in who waits.
    pub async fn admit_all(&self) -> Result<(), RoomRefused> {
        self.ask(RoomVerb::AdmitAll).await.map(drop)
    }

    /// The practitioner sends a patient back to the waiting room.
    pub async fn send_back(&self, seat: PatientSeat) -> Result<(), RoomRefused> {
        self.ask(RoomVerb::SendBack(seat)).await.map(drop)
    }

    /// The practitioner joins; the first time, the meter starts (V7, M7). Returns the SDP answer.
    ///
    /// # Errors
    /// [`RoomRefused::Money`] when the first block of everybody booked is not covered; [`RoomRefused::Room`] when the
    /// offer is not a seat's.
    pub async fn join_practitioner(&self, offer: String) -> Result<String, RoomRefused> {
        let paid_now = self.pay(&offer).await?;
        let joined = self.join(Seat::Practitioner, offer).await;
        if paid_now && joined.is_err() {
            // Nobody is in the room and nobody can be: without it the till gives back what it holds.
            let close = Command::CloseRoom(self.inner.room);
            let _ = self.inner.commands.send(close).await;
        }
        joined
    }

    /// An admitted patient joins, for the first time or again with the same link (V8, V9). Returns the SDP answer.
    ///
    /// # Errors
    /// [`RoomRefused::OnThePhone`] while they are on the phone: a page that mends its connection does not know of that yet.
    pub async fn join_patient(
        &self,
        seat: PatientSeat,
        offer: String,
    ) -> Result<String, RoomRefused> {
        self.join(Seat::Patient(seat), offer).await
    }

    /// A patient who is on the phone comes back by page (V13): the phone is hung up. Otherwise as [`join_patient`](Self::join_patient).
    pub async fn return_from_phone(
        &self,
        seat: PatientSeat,
        offer: String,
    ) -> Result<String, RoomRefused> {
        self.answered(RoomVerb::Return { seat, offer }).await
    }

    /// Tells everybody that a microphone or camera is off.
    pub async fn set_state(&self, seat: Seat, state: PeerState) -> Result<(), RoomRefused> {
        self.ask(RoomVerb::SetState(seat, state)).await.map(drop)
    }

    /// A patient leaves, and may come back (V8).
    pub async fn leave(&self, seat: PatientSeat) -> Result<(), RoomRefused> {
        self.ask(RoomVerb::Leave(Seat::Patient(seat)))
            .await
            .map(drop)
    }

    /// The practitioner ends the visit for everyone (V8).
    pub async fn disconnect(&self) -> Result<(), RoomRefused> {
        self.ask(RoomVerb::Disconnect).await.map(drop)
    }

    async fn join(&self, seat: Seat, offer: String) -> Result<String, RoomRefused> {
        self.answered(RoomVerb::Join { seat, offer }).await
    }

    async fn answered(&self, verb: RoomVerb) -> Result<String, RoomRefused> {
        self.ask(verb).await?.ok_or(RoomRefused::Ended)
    }

    pub(crate) async fn ask(&self, verb: RoomVerb) -> Result<Option<String>, RoomRefused> {
        if verb.lets_in() {
            let may_act = self.engine().ports().ledger.may_act();
            may_act.map_err(RoomRefused::MayNotAct)?;
        }
        let (reply, answer) = oneshot::channel();
        let ask = RoomAsk {
            room: self.inner.room,
            verb,
            reply,
        };
        self.send(Command::Room(ask)).await?;
        answer.await.map_err(|_| RoomRefused::Ended)?
    }

    /// Tells the shard on which the room lives something.
    pub(crate) async fn send(&self, command: Command) -> Result<(), RoomRefused> {
        let sent = self.inner.commands.send(command).await;
        sent.map_err(|_| RoomRefused::Ended)
    }

    pub(crate) fn room(&self) -> RoomKey {
        self.inner.room
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Opens the meter, once; a second Join finds it running. Returns whether this was the first.
    ///
    /// An offer that would not be answered is refused before anything is reserved.
    async fn pay(&self, offer: &str) -> Result<bool, RoomRefused> {
        let mut end = self.inner.end.lock().await;
        if end.is_none() {
            return Ok(false);
        }
        let (seat, offer) = (Seat::Practitioner, offer.to_owned());
        self.ask(RoomVerb::Check { seat, offer }).await?;
        let counted = self
            .engine()
            .sessions()
            .begin()
            .ok_or(RoomRefused::Draining)?;
        let plan = &self.inner.plan;
        let session = self.inner.session.clone();
        let now = self.engine().ports().clock.now();
        let opening = Opening {
            tariff: plan.tariff,
            reopens: self.engine().grids().reopened(&plan.appointment, now),
            ..Opening::visit(session, plan.account.clone(), plan.booked())
        };
        let Opened {
            till,
            grant,
            facts,
            cost,
        } = Till::open(self.engine().ports().clone(), opening).await?;
        let Some(room_end) = end.take() else {
            return Ok(false);
        };
        tokio::spawn(follow_cost(cost, self.inner.cost.clone()));
        tokio::spawn(self.clone().settle(till, room_end, counted));
        self.ask(RoomVerb::Pay { grant, facts }).await?;
        Ok(true)
    }

    /// Waits for the end, settles it and writes the record.
    async fn settle(self, till: Till, end: oneshot::Receiver<RoomEnd>, counted: Session) {
        let started = self.engine().ports().clock.wall();
        let settled = till.run().await;
        let Settled { ended, left, .. } = settled;
        let appointment = &self.inner.plan.appointment;
        self.engine().grids().keep(appointment, ended, left);
        let (words, presence) = match end.await {
            Ok(end) => (words(end.why).to_owned(), end.presence),
            Err(_) => (
                "a fault ended the consultation".to_owned(),
                [Presence::default(); 3],
            ),
        };
        let record = VisitRecord {
            session: self.inner.session.clone(),
            account: self.inner.plan.account.clone(),
            appointment: self.inner.plan.appointment.clone(),
            practitioner: self.inner.plan.practitioner.clone(),
            started,
            ended: WallMillis(started.0.saturating_add_unsigned(settled.elapsed_ms)),
            elapsed_ms: settled.elapsed_ms,
            words,
            credits: settled.credits.0,
            patients: self.patients(presence, settled.each.map(|credits| credits.0)),
        };
        // Who has taken over has closed the session, perhaps for less.
        if !settled.fenced {
            crate::engine::keep(|| self.engine().ports().records.save_visit(&record)).await;
        }
        self.inner.record.send_replace(Some(record));
        drop(counted);
    }

    fn patients(&self, presence: [Presence; 3], credits: [u64; 3]) -> Vec<VisitPatient> {
        let now = self.engine().ports().clock.now();
        let seats = self
            .inner
            .plan
            .patients
            .iter()
            .zip(1u8..)
            .zip(presence.into_iter().zip(credits));
        seats
            .filter_map(|((patient, seat), (presence, credits))| {
                Some(VisitPatient {
                    seat,
                    patient: patient.clone()?,
                    admitted: presence.admitted,
                    connected_ms: presence.by_page.ms(now) + presence.by_phone.ms(now),
                    by_phone_ms: presence.by_phone.ms(now),
                    credits,
                })
            })
            .collect()
    }
}

/// Returns what a person reads of a visit's end.
#[must_use]
pub fn words(ending: Ending) -> &'static str {
    match ending {
        Ending::Disconnected => "the practitioner ended the consultation",
        Ending::Empty { .. } => "nobody was in the room for five minutes",
    }
}

impl Drop for Inner {
    /// Nobody is in the waiting room any more and the meter never ran: the room is not needed.
    fn drop(&mut self) {
        let _ = self.commands.try_send(Command::CloseRoom(self.room));
    }
}

async fn follow_cost(mut from: watch::Receiver<Cost>, to: watch::Sender<Cost>) {
    loop {
        to.send_replace(*from.borrow_and_update());
        if from.changed().await.is_err() {
            return;
        }
    }
}
