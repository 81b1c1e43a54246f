//! Phones in rooms, in a turn of the loop: a call and its room are two machines, and neither falls with the other.

use std::sync::Arc;
use std::time::Instant;

use housecall_bridge::{PathOptions, PhoneLeg};
use housecall_sfu::PatientSeat;
use tokio::sync::oneshot;

use super::fault::guarded;
use super::outbox::Outbox;
use super::rtp::RtpPorts;
use super::seat_slot::{FromSeat, SeatSlot, ToSeat};
use super::turn::Turn;
use super::{CallKey, Machine, RoomKey};
use crate::dial::{DialPlan, DialRefused};
use crate::engine::Permit;
use crate::ports::Clock;
use crate::ring::{PhoneEnded, RingRefused, SeatEnd};
use crate::trunks::Ways;
use crate::visit::RoomRefused;

/// Everything that a patient's phone is rung with.
pub(crate) struct RingCommand {
    pub(crate) room: RoomKey,
    pub(crate) seat: PatientSeat,
    pub(crate) call: CallKey,
    pub(crate) plan: DialPlan,
    pub(crate) ways: Ways,
    pub(crate) permit: Permit,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) end: oneshot::Sender<SeatEnd>,
    pub(crate) reply: oneshot::Sender<Result<(), RingRefused>>,
}

/// What one machine of a turn has for the other.
pub(super) enum Crossing {
    ToRoom(RoomKey, CallKey, FromSeat),
    ToSeat(CallKey, ToSeat),
}

impl Turn<'_> {
    pub(super) fn ring(&mut self, ring: RingCommand) {
        let RingCommand {
            room,
            seat,
            call,
            plan,
            ways,
            permit,
            clock,
            end,
            reply,
        } = ring;
        for (peer, name) in ways.tls_names() {
            self.expect_name(peer, name);
        }
        let rung = self.may_ring(room, seat).and_then(|()| {
            let (leg, ports) = self.dial_for_seat(call, plan)?;
            Ok(SeatSlot::new(leg, ports, (ways, permit), room, clock, end))
        });
        let rung = rung.map(|slot| {
            self.shard.seats.insert(call, Box::new(slot));
            self.with_room(room, |slot, _| slot.rings(seat, call));
        });
        let _ = reply.send(rung);
        self.with_seat(call, |_, _| {});
    }

    fn may_ring(&mut self, room: RoomKey, seat: PatientSeat) -> Result<(), RingRefused> {
        let mut answer = Err(RoomRefused::Ended.into());
        self.with_room(room, |slot, _| answer = slot.may_ring(seat));
        answer
    }

    fn dial_for_seat(
        &mut self,
        call: CallKey,
        plan: DialPlan,
    ) -> Result<(PhoneLeg, RtpPorts), DialRefused> {
        let ports = self.bind_ports(call)?;
        let dial = self.addressed(plan, &ports);
        let options = self.path_options(PathOptions::of(&dial));
        let leg = PhoneLeg::dial(self.now, dial, options)
            .map_err(|error| DialRefused::Offer(error.to_string()))?;
        Ok((leg, ports))
    }

    /// Lets both machines of a seat hear each other, until neither has anything to say. What is said to a phone makes it say nothing but its
    /// end, so this ends.
    pub(super) fn cross(&mut self) {
        while let Some(crossing) = self.crossings.pop_front() {
            match crossing {
                Crossing::ToRoom(room, call, word) => {
                    self.with_room(room, |slot, now| slot.hear_phone(now, call, word));
                }
                Crossing::ToSeat(call, word) => {
                    self.with_seat(call, |slot, now| slot.obey(now, word));
                }
            }
        }
    }

    /// Nobody may be left on the phone with a room that is gone.
    pub(super) fn hang_up_seats(&mut self, room: RoomKey) {
        let seats = self.shard.seats.iter();
        let of_room = seats.filter(|(_, slot)| slot.room() == room);
        let hang_up = |(call, _): (&CallKey, _)| Crossing::ToSeat(*call, ToSeat::HangUp);
        self.crossings.extend(of_room.map(hang_up));
    }

    pub(super) fn with_seat(&mut self, call: CallKey, work: impl FnOnce(&mut SeatSlot, Instant)) {
        let Some(slot) = self.shard.seats.get_mut(&call) else {
            return;
        };
        let (room, now) = (slot.room(), self.now);
        let mut call_ids = Vec::new();
        let mut out = Outbox {
            media: &mut self.media,
            sip: &mut self.sip,
            proved: &mut Vec::new(),
            call_ids: &mut call_ids,
        };
        let worked = guarded(|| {
            work(slot, now);
            let finished = slot.drain(&mut out);
            (finished, slot.take_words(), slot.deadline())
        });
        let (finished, words, deadline) = worked.unwrap_or_else(|| {
            tracing::error!(call = call.0, "a fault ended this call; its room goes on");
            let last_words = guarded(|| slot.fail(now, &mut out));
            let last_words =
                last_words.unwrap_or_else(|| vec![FromSeat::Ended(PhoneEnded::fault())]);
            (true, last_words, None)
        });
        let call_ids = call_ids.into_iter().map(|call_id| (call_id, call));
        self.shard.calls_by_id.extend(call_ids);
        let to_room = |word| Crossing::ToRoom(room, call, word);
        self.crossings.extend(words.into_iter().map(to_room));
        if finished {
            self.forget_call(call);
        } else {
            self.shard.timers.set(Machine::Call(call), deadline);
        }
    }
}
