//! The phones of a room's patients: which rings, which sits, and what the room and they have for each other.

use std::time::Instant;

use housecall_sfu::{Hears, Input, PatientSeat, PeerId, PhoneSound, Room};

use super::CallKey;
use super::room_slot::RoomSlot;
use super::seat_slot::{FromSeat, ToSeat};
use crate::ring::{PhoneEnded, PhoneView, RingRefused};
use crate::visit::RoomRefused;

/// One phone a seat, from its first ringing to its end.
#[derive(Debug, Default)]
pub(super) struct RoomPhones {
    phones: [Option<RoomPhone>; 3],
    /// What they are to be told.
    pub(super) words: Vec<(CallKey, ToSeat)>,
}

#[derive(Clone, Copy, Debug)]
struct RoomPhone {
    call: CallKey,
    /// Its part in the room, once it has answered.
    peer: Option<PeerId>,
}

impl RoomPhones {
    fn of(&self, seat: PatientSeat) -> Option<RoomPhone> {
        *seat.of(&self.phones)
    }

    /// Whether the seat is a phone's, answered.
    pub(super) fn sits(&self, seat: PatientSeat) -> bool {
        self.of(seat).is_some_and(|phone| phone.peer.is_some())
    }

    fn seat_of(&self, call: CallKey) -> Option<PatientSeat> {
        let is_its = |seat: &PatientSeat| self.of(*seat).is_some_and(|phone| phone.call == call);
        PatientSeat::ALL.into_iter().find(is_its)
    }

    fn call_of(&self, peer: PeerId) -> Option<CallKey> {
        let mut phones = self.phones.iter().flatten();
        let its = phones.find(|phone| phone.peer == Some(peer));
        its.map(|phone| phone.call)
    }

    fn hang_up(&mut self, call: CallKey) {
        self.words.push((call, ToSeat::HangUp));
    }

    /// Hangs up a phone that still rings for a seat.
    pub(super) fn cancel(&mut self, seat: PatientSeat) {
        if let Some(RoomPhone { call, peer: None }) = self.of(seat) {
            self.hang_up(call);
        }
    }

    /// Lets a phone hear something.
    pub(super) fn let_hear(&mut self, peer: PeerId, sound: PhoneSound) {
        let call = self.call_of(peer);
        self.words
            .extend(call.map(|call| (call, ToSeat::Sound(sound))));
    }

    /// Somebody has no part in the room any more; true if it was a phone, which is hung up.
    pub(super) fn gone(&mut self, peer: PeerId) -> bool {
        let mut phones = self.phones.iter_mut().flatten();
        let Some(phone) = phones.find(|phone| phone.peer == Some(peer)) else {
            return false;
        };
        phone.peer = None;
        self.words.push((phone.call, ToSeat::HangUp));
        true
    }
}

impl RoomSlot {
    /// Says whether a phone may be rung for a seat: in a room that runs, for somebody who was let in, one at a time.
    pub(super) fn may_ring(&mut self, seat: PatientSeat) -> Result<(), RingRefused> {
        let room = self.room().ok_or(RoomRefused::Ended)?;
        room.check_phone(seat).map_err(RoomRefused::from)?;
        match self.phones.of(seat) {
            Some(_) => Err(RingRefused::Ongoing),
            None => Ok(()),
        }
    }

    /// A phone has begun to ring for a seat.
    pub(super) fn rings(&mut self, seat: PatientSeat, call: CallKey) {
        let phone = RoomPhone { call, peer: None };
        *seat.of_mut(&mut self.phones.phones) = Some(phone);
        self.view
            .send_modify(|view| *view.phone_mut(seat) = Some(PhoneView::new()));
    }

    /// The practitioner hangs up, or thinks better of it while it rings.
    pub(super) fn hang_up_phone(&mut self, seat: PatientSeat) -> Result<(), RoomRefused> {
        let phone = self.phones.of(seat);
        let phone =
            phone.ok_or_else(|| RoomRefused::Room("no phone is rung for them".to_owned()))?;
        self.phones.hang_up(phone.call);
        Ok(())
    }

    /// Takes what a phone says. One that the room does not know has nothing to do here.
    pub(super) fn hear_phone(&mut self, now: Instant, call: CallKey, word: FromSeat) {
        let Some(seat) = self.phones.seat_of(call) else {
            return self.phones.hang_up(call);
        };
        match word {
            FromSeat::Shown(call) => self.show_phone(seat, |phone| phone.call = *call),
            FromSeat::Answered => self.phone_answered(now, seat, call),
            FromSeat::Sound(packet) => {
                let sound = PhoneSound::Packet(packet);
                self.with_phone(seat, |room, peer| {
                    room.handle_input(now, Input::Phone { peer, sound });
                });
            }
            FromSeat::Ended(ended) => self.phone_ended(now, seat, ended),
        }
    }

    /// It takes the seat; a page that held it retires only now (V13). If the patient may not be in the room any more, it is hung up.
    fn phone_answered(&mut self, now: Instant, seat: PatientSeat, call: CallKey) {
        let joined = self
            .room()
            .and_then(|room| room.join_by_phone(now, seat, Hears::Packets).ok());
        match joined {
            Some(peer) => {
                let peer = Some(peer);
                *seat.of_mut(&mut self.phones.phones) = Some(RoomPhone { call, peer });
            }
            None => self.phones.hang_up(call),
        }
    }

    fn phone_ended(&mut self, now: Instant, seat: PatientSeat, ended: PhoneEnded) {
        self.with_phone(seat, |room, peer| {
            room.handle_input(now, Input::HungUp { peer });
        });
        *seat.of_mut(&mut self.phones.phones) = None;
        self.show_phone(seat, |phone| phone.ended = Some(ended));
    }

    /// Lets a phone that has answered act in the room.
    fn with_phone(&mut self, seat: PatientSeat, act: impl FnOnce(&mut Room, PeerId)) {
        let peer = self.phones.of(seat).and_then(|phone| phone.peer);
        if let Some((room, peer)) = self.room().zip(peer) {
            act(room, peer);
        }
    }

    fn show_phone(&self, seat: PatientSeat, change: impl FnOnce(&mut PhoneView)) {
        self.view.send_modify(|view| {
            view.phone_mut(seat).as_mut().map(change);
        });
    }
}
