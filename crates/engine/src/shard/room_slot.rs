//! One room on its shard: the room, its meter once it runs, and what the callers of the API see of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use housecall_meter::{BlockGrant, Fact as MoneyFact, Patient, Person};
use housecall_sfu::{
    Ending, Fact, Input, JoinRefused, Output, PatientSeat, PeerId, Room, Seat, WrongMoment,
};
use tokio::sync::{oneshot, watch};

use super::room_phones::RoomPhones;
use super::turn::{RoomOutput, RoomVerb};
use super::udp::Datagram;
use crate::metered::{FactSender, Metered};
use crate::visit::{Presence, RoomRefused, VisitView};

/// A room before and after the practitioner's Join.
enum Held {
    /// People may wait; nothing costs.
    Waiting(Box<Room>),
    /// The meter runs (V7).
    Running(Metered<Box<Room>>),
}

/// How a room ended, for its record.
#[derive(Debug)]
pub(crate) struct RoomEnd {
    pub(crate) why: Ending,
    pub(crate) presence: [Presence; 3],
}

/// A room in progress.
pub(crate) struct RoomSlot {
    held: Option<Held>,
    local: SocketAddr,
    pub(super) view: watch::Sender<VisitView>,
    pub(super) phones: RoomPhones,
    presence: [Presence; 3],
    end: Option<oneshot::Sender<RoomEnd>>,
    expected: Vec<(String, PeerId)>,
}

impl RoomSlot {
    pub(crate) fn new(
        room: Box<Room>,
        local: SocketAddr,
        view: watch::Sender<VisitView>,
        end: oneshot::Sender<RoomEnd>,
    ) -> Self {
        let (held, end) = (Some(Held::Waiting(room)), Some(end));
        Self {
            held,
            local,
            view,
            phones: RoomPhones::default(),
            presence: [Presence::default(); 3],
            end,
            expected: Vec::new(),
        }
    }

    pub(super) fn room(&mut self) -> Option<&mut Room> {
        match self.held.as_mut()? {
            Held::Waiting(room) => Some(room),
            Held::Running(metered) => Some(&mut metered.media),
        }
    }

    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        self.room()?.poll_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(room) = self.room() {
            room.handle_timeout(now);
        }
    }

    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        peer: PeerId,
        from: SocketAddr,
        bytes: BytesMut,
    ) {
        if let Some(room) = self.room() {
            room.handle_input(now, Input::Datagram { peer, from, bytes });
        }
    }

    /// Does what was asked; a join answers with the SDP.
    pub(crate) fn obey(
        &mut self,
        now: Instant,
        verb: RoomVerb,
    ) -> Result<Option<String>, RoomRefused> {
        match verb {
            RoomVerb::Check { seat, offer } => {
                let local = self.local;
                let room = self.room().ok_or(RoomRefused::Ended)?;
                room.check(now, seat, local, &offer)?;
                Ok(None)
            }
            RoomVerb::Pay { grant, facts } => {
                self.pay(grant, facts);
                Ok(None)
            }
            RoomVerb::Join {
                seat: Seat::Patient(seat),
                ..
            } if self.phones.sits(seat) => Err(RoomRefused::OnThePhone),
            RoomVerb::Join { seat, offer } => self.join(now, seat, &offer).map(Some),
            RoomVerb::Return { seat, offer } => {
                self.join(now, Seat::Patient(seat), &offer).map(Some)
            }
            RoomVerb::HangUpPhone(seat) => self.hang_up_phone(seat).map(|()| None),
            RoomVerb::Arrive(seat) => self.ask(|room| room.arrive(now, seat)),
            RoomVerb::Admit(seat) => self.ask(|room| room.admit(now, seat)),
            RoomVerb::AdmitAll => self.ask(|room| room.admit_all(now)),
            RoomVerb::SendBack(seat) => {
                self.phones.cancel(seat);
                self.ask(|room| room.send_back(now, seat))
            }
            RoomVerb::SetState(seat, state) => self.ask(|room| room.set_state(now, seat, state)),
            RoomVerb::Leave(seat) => self.ask(|room| room.leave(now, seat)),
            RoomVerb::Disconnect => self.ask(|room| room.disconnect(now)),
        }
    }

    fn ask(
        &mut self,
        asked: impl FnOnce(&mut Room) -> Result<(), WrongMoment>,
    ) -> Result<Option<String>, RoomRefused> {
        asked(self.room().ok_or(RoomRefused::Ended)?)?;
        Ok(None)
    }

    fn pay(&mut self, grant: BlockGrant, facts: FactSender) {
        self.held = match self.held.take() {
            Some(Held::Waiting(room)) => Some(self.start(Metered::start(room, grant, facts))),
            held => held,
        };
    }

    /// The practitioner has clicked Join and the first blocks are reserved.
    fn start(&self, metered: Metered<Box<Room>>) -> Held {
        let started = metered.now();
        self.view.send_modify(|view| view.started = Some(started));
        Held::Running(metered)
    }

    fn join(&mut self, now: Instant, seat: Seat, offer: &str) -> Result<String, RoomRefused> {
        let paid = matches!(self.held, Some(Held::Running(_)));
        if seat == Seat::Practitioner && !paid {
            return Err(RoomRefused::NotPaid);
        }
        let local = self.local;
        let room = self.room().ok_or(RoomRefused::Ended)?;
        let joined = room.join(now, seat, local, offer)?;
        self.expected.push((joined.ufrag, joined.peer));
        self.view.send_modify(|view| view.count_join(seat));
        Ok(joined.answer)
    }

    /// Collects what the room sends and tells. Returns true when the room is over.
    pub(crate) fn drain(
        &mut self,
        now: Instant,
        media: &mut Vec<Datagram>,
        out: &mut RoomOutput,
    ) -> bool {
        out.expected.append(&mut self.expected);
        let mut changed = false;
        let mut over = None;
        while let Some(output) = self.room().and_then(Room::poll_output) {
            match output {
                Output::Send { to, bytes } => media.push(Datagram { to, bytes }),
                Output::AddressProved { peer, addr } => out.proved.push((addr, peer)),
                Output::PeerGone { peer, .. } if self.phones.gone(peer) => {}
                Output::PeerGone { peer, .. } => out.gone.push(peer),
                Output::Phone { peer, sound } => self.phones.let_hear(peer, sound),
                Output::Changed => changed = true,
                Output::Fact(fact) => over = self.note(fact).or(over),
            }
        }
        out.phones.append(&mut self.phones.words);
        if changed || over.is_some() {
            self.show();
        }
        let Some(why) = over else { return false };
        self.finish(now, why);
        true
    }

    /// Says goodbye to everybody after a fault of ours.
    pub(super) fn fail(&mut self, now: Instant, media: &mut Vec<Datagram>, out: &mut RoomOutput) {
        // A room that is over has said it already.
        let _ = self.ask(|room| room.disconnect(now));
        self.drain(now, media, out);
    }

    fn note(&mut self, fact: Fact) -> Option<Ending> {
        match fact {
            Fact::PractitionerJoined => {}
            Fact::Connected(Seat::Practitioner) => {
                self.charge(MoneyFact::Joined(Person::Practitioner));
            }
            Fact::Left(Seat::Practitioner) => {
                self.charge(MoneyFact::Left(Person::Practitioner));
            }
            Fact::PatientAdmitted(seat) => {
                seat.of_mut(&mut self.presence).admitted = true;
                self.charge(MoneyFact::PatientAdmitted(money(seat)));
            }
            Fact::Connected(Seat::Patient(seat)) => {
                self.be_there(seat, |presence, now| presence.by_page.begin(now));
                self.charge(MoneyFact::Joined(Person::Patient(money(seat))));
            }
            Fact::Left(Seat::Patient(seat)) => {
                self.be_there(seat, |presence, now| presence.by_page.end(now));
                self.charge(MoneyFact::Left(Person::Patient(money(seat))));
            }
            Fact::PhoneJoined(seat) => {
                self.be_there(seat, |presence, now| presence.by_phone.begin(now));
                self.charge(MoneyFact::PhoneAnswered(money(seat)));
            }
            Fact::PhoneLeft(seat) => {
                self.be_there(seat, |presence, now| presence.by_phone.end(now));
                self.charge(MoneyFact::PhoneHungUp(money(seat)));
            }
            Fact::Ended(why) => return Some(why),
        }
        None
    }

    /// Tells the till, if it runs.
    fn charge(&self, fact: MoneyFact) {
        if let Some(Held::Running(metered)) = &self.held {
            metered.tell(fact);
        }
    }

    fn money_now(&self) -> Option<Instant> {
        match &self.held {
            Some(Held::Running(metered)) => Some(metered.now()),
            _ => None,
        }
    }

    /// Notes that a patient comes or goes, while the meter runs.
    fn be_there(&mut self, seat: PatientSeat, note: impl FnOnce(&mut Presence, Instant)) {
        if let Some(now) = self.money_now() {
            note(seat.of_mut(&mut self.presence), now);
        }
    }

    fn show(&mut self) {
        let Some(room) = self.room().map(|room| room.view()) else {
            return;
        };
        self.view.send_modify(|view| view.room = room);
    }

    fn finish(&mut self, now: Instant, why: Ending) {
        if let Some(now) = self.money_now() {
            self.presence
                .iter_mut()
                .for_each(|presence| presence.end(now));
        }
        if let Some(Held::Running(metered)) = &self.held {
            // V15: an empty room counts as ended at the last departure.
            let ago = match why {
                Ending::Empty { since } => now.saturating_duration_since(since),
                Ending::Disconnected => Duration::ZERO,
            };
            metered.tell_ago(MoneyFact::Ended, ago);
        }
        if let Some(end) = self.end.take() {
            let _ = end.send(RoomEnd {
                why,
                presence: self.presence,
            });
        }
    }
}

fn money(seat: PatientSeat) -> Patient {
    match seat {
        PatientSeat::One => Patient::One,
        PatientSeat::Two => Patient::Two,
        PatientSeat::Three => Patient::Three,
    }
}

impl From<WrongMoment> for RoomRefused {
    fn from(refused: WrongMoment) -> Self {
        Self::Room(refused.to_string())
    }
}

impl From<JoinRefused> for RoomRefused {
    fn from(refused: JoinRefused) -> Self {
        Self::Room(refused.to_string())
    }
}
