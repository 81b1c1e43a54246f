//! A patient goes on by phone (V13): their phone is rung into their seat of a visit in progress, and the visit's meter counts it (M9).

use std::time::Instant;

use housecall_meter::{Millis, PhoneEstimate, SessionId};
use housecall_phone::{Ended, Number, Outcome};
use housecall_sfu::PatientSeat;
use tokio::sync::oneshot;

use crate::book::{Book, Came, Parties};
use crate::call::{CallView, millis};
use crate::dial::DialRefused;
use crate::engine::{Permit, keep};
use crate::record::PartyRef;
use crate::sessions::Session;
use crate::shard::{CallEnd, Command, RingCommand, RoomVerb};
use crate::visit::{RoomRefused, Visit};

/// What is needed to ring a patient of a visit.
#[derive(Clone, Debug)]
pub struct RingRequest {
    /// Who clicked; limits on dialling count by this name.
    pub caller: PartyRef,
    /// The dedicated number that is shown to the patient (P2). The program around the engine has checked that it may be used.
    pub from: Number,
    /// The patient's number.
    pub to: Number,
}

/// What can be seen of the phone that was rung last for a patient of a visit.
#[derive(Clone, Copy, Debug)]
pub struct PhoneView {
    /// How far the call is, and how it sounds. Nobody here holds or mutes it: those stay as they are.
    pub call: CallView,
    /// How it ended; none while it rings or talks.
    pub ended: Option<PhoneEnded>,
}

/// How a patient's phone call ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PhoneEnded {
    /// What is recorded.
    pub outcome: Outcome,
    /// What a person reads.
    pub words: &'static str,
}

/// Why a patient's phone was not rung; nothing is charged for that.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RingRefused {
    /// As for any call: the number, the limits, the trunks.
    #[error(transparent)]
    Dial(#[from] DialRefused),
    /// The room is over, or the patient may not be in it.
    #[error(transparent)]
    Room(#[from] RoomRefused),
    /// The seat is nobody's.
    #[error("no patient is booked for this place")]
    NobodyBooked,
    /// One phone a seat.
    #[error("their phone is ringing already, or they are on it")]
    Ongoing,
}

/// The end of a patient's phone call, with what was to be seen of it last.
pub(crate) struct SeatEnd {
    pub(crate) end: CallEnd,
    pub(crate) view: CallView,
}

impl PhoneEnded {
    pub(crate) fn of(ended: &Ended) -> Self {
        Self {
            outcome: ended.outcome,
            words: ended.words,
        }
    }

    /// The end of a call whose machine stopped by a fault of ours.
    pub(crate) fn fault() -> Self {
        Self::of(&CallEnd::fault().ended)
    }
}

impl PhoneView {
    pub(crate) fn new() -> Self {
        Self {
            call: CallView::new(),
            ended: None,
        }
    }
}

impl Visit {
    /// Rings a patient's phone into their seat. [`VisitView::phone`](crate::VisitView::phone) follows it; as it answers, it takes the place of
    /// the patient's page, and its minutes count (M9). Until then, and if nobody answers, everything stays as it is.
    ///
    /// # Errors
    /// [`RingRefused`] in words for the person who clicked; nothing was rung. Credits are no reason: what is in progress goes on (M8).
    pub async fn ring(&self, seat: PatientSeat, request: RingRequest) -> Result<(), RingRefused> {
        let booked = seat.of(&self.plan().patients).clone();
        let parties = self.parties(booked.ok_or(RingRefused::NobodyBooked)?, request);
        let engine = self.engine();
        engine.may_dial(&parties.to)?;
        let permit = engine.permit(parties.who()).map_err(DialRefused::from)?;
        // In a task of its own: a page that closes in the middle must not leave a call without its record.
        let visit = self.clone();
        let rung = tokio::spawn(async move { visit.ring_and_keep(seat, parties, permit).await });
        rung.await.unwrap_or(Err(RoomRefused::Ended.into()))
    }

    /// Hangs up a patient's phone: before the answer it is as if it had not been rung.
    ///
    /// # Errors
    /// [`RoomRefused::Room`] when it neither rings nor talks.
    pub async fn hang_up_phone(&self, seat: PatientSeat) -> Result<(), RoomRefused> {
        self.ask(RoomVerb::HangUpPhone(seat)).await.map(drop)
    }

    /// Returns what a patient of this visit costs from now on until `ends`, by page and by phone (M9).
    #[must_use]
    pub fn phone_estimate(&self, now: Instant, ends: Instant) -> PhoneEstimate {
        let started = self.view().borrow().started.unwrap_or(now);
        let (from, to) = (millis(started, now), millis(started, ends));
        self.plan().tariff.phone_estimate(Millis(from), Millis(to))
    }

    fn parties(&self, recipient: PartyRef, request: RingRequest) -> Parties {
        let plan = self.plan();
        Parties {
            account: plan.account.clone(),
            appointment: Some(plan.appointment.clone()),
            practitioner: plan.practitioner.clone(),
            caller: request.caller,
            recipient,
            from: request.from,
            to: request.to,
        }
    }

    async fn ring_and_keep(
        self,
        seat: PatientSeat,
        parties: Parties,
        permit: Permit,
    ) -> Result<(), RingRefused> {
        let engine = self.engine();
        let ways = engine.trunk_board().ways().await;
        let ways = ways.map_err(DialRefused::from)?;
        let (end, ended) = oneshot::channel();
        let (reply, answer) = oneshot::channel();
        let command = RingCommand {
            room: self.room(),
            seat,
            call: engine.next_call(),
            plan: engine.dial_plan(&ways, parties.from.clone(), parties.to.clone()),
            ways,
            permit,
            clock: engine.ports().clock.clone(),
            end,
            reply,
        };
        let book = Book {
            ports: engine.ports().clone(),
            parties,
            session: SessionId::new(engine.new_name("phone")),
            visit: Some(self.session().clone()),
            started: engine.ports().clock.wall(),
        };
        let counted = engine.sessions().extend();
        self.send(Command::Ring(Box::new(command))).await?;
        answer.await.map_err(|_| RoomRefused::Ended)??;
        tokio::spawn(keep_record(book, ended, counted));
        Ok(())
    }
}

/// Waits for the end of the call and writes its record. What it cost is in the visit's.
async fn keep_record(book: Book, ended: oneshot::Receiver<SeatEnd>, counted: Session) {
    let clock = book.ports.clock.clone();
    let began = clock.now();
    let SeatEnd { end, view } = ended.await.unwrap_or_else(|_| SeatEnd {
        end: CallEnd::fault(),
        view: CallView::new(),
    });
    let came = Came {
        elapsed_ms: millis(began, clock.now()),
        credits: 0,
    };
    let record = book.record(came, &end, &view);
    keep(|| book.ports.records.save_call(&record)).await;
    drop(counted);
}
