//! One turn of a shard's loop: inputs go to their machines, outputs are collected.

use std::collections::VecDeque;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use housecall_bridge::{Bridge, BridgeOptions, Input, PathOptions};
use housecall_browser::stun_ufrag;
use housecall_meter::BlockGrant;
use housecall_phone::Dial;
use housecall_sfu::{PatientSeat, PeerState, Room, Seat};
use housecall_sip::{Message, Peer, Transport};
use tokio::sync::{mpsc, oneshot, watch};

use super::call_slot::{CallEnd, CallSlot};
use super::fault::guarded;
use super::outbox::Outbox;
use super::room_slot::{RoomEnd, RoomSlot};
use super::rtp::RtpPorts;
use super::rtp_poller::Ready;
use super::seat_slot::{SeatSlot, ToSeat};
use super::seats::{Crossing, RingCommand};
use super::sip::FromSip;
use super::stray;
use super::trunk_slot::TrunkSlot;
use super::udp::Datagram;
use super::{CallKey, Leg, Machine, READS_A_TURN, RoomKey, Shard, TrunkKey, TrunkWord};
use crate::call::{CallVerb, CallView};
use crate::dial::{DialPlan, DialRefused};
use crate::metered::{FactSender, Metered};
use crate::trunks::{Trunks, Ways};
use crate::visit::{RoomRefused, VisitView};

/// What the engine asks of a shard.
pub(crate) enum Command {
    /// Start a call that is paid for.
    Dial(Box<DialCommand>),
    /// Do something to a call.
    Call(CallKey, CallVerb),
    /// Make a room, nobody in it yet.
    OpenRoom {
        room: RoomKey,
        machine: Box<Room>,
        view: watch::Sender<VisitView>,
        end: oneshot::Sender<RoomEnd>,
    },
    /// Do something to a room.
    Room(RoomAsk),
    /// Ring a patient's phone into their seat.
    Ring(Box<RingCommand>),
    /// Forget a room in which nobody waits any more.
    CloseRoom(RoomKey),
    /// The same for all of them.
    CloseRooms,
    /// Hang up every call and end every visit.
    EndAll,
    /// Mind the trunks from here on.
    MindTrunks(Arc<Trunks>),
    /// Tell a trunk's minder something.
    Trunk(TrunkKey, TrunkWord),
    /// Let calls, phones in rooms, and rooms of these numbers fall over.
    #[cfg(test)]
    FallOver(std::ops::Range<u64>),
}

/// Everything a call starts with.
pub(crate) struct DialCommand {
    pub(crate) call: CallKey,
    pub(crate) plan: DialPlan,
    pub(crate) ways: Ways,
    pub(crate) offer: String,
    pub(crate) grant: BlockGrant,
    pub(crate) facts: FactSender,
    pub(crate) view: watch::Sender<CallView>,
    pub(crate) verbs: mpsc::Receiver<CallVerb>,
    pub(crate) end: oneshot::Sender<CallEnd>,
    pub(crate) reply: oneshot::Sender<Result<String, DialRefused>>,
}

/// Something asked of a room, with the place for its answer.
pub(crate) struct RoomAsk {
    pub(crate) room: RoomKey,
    pub(crate) verb: RoomVerb,
    pub(crate) reply: oneshot::Sender<Result<Option<String>, RoomRefused>>,
}

/// What can be asked of a room.
pub(crate) enum RoomVerb {
    Arrive(PatientSeat),
    Admit(PatientSeat),
    AdmitAll,
    SendBack(PatientSeat),
    /// Would this offer be answered? Asked before anybody pays.
    Check {
        seat: Seat,
        offer: String,
    },
    /// The meter runs: from here on the practitioner may join.
    Pay {
        grant: BlockGrant,
        facts: FactSender,
    },
    Join {
        seat: Seat,
        offer: String,
    },
    /// A patient's page takes the seat, from their phone too.
    Return {
        seat: PatientSeat,
        offer: String,
    },
    HangUpPhone(PatientSeat),
    SetState(Seat, PeerState),
    Leave(Seat),
    Disconnect,
}

impl RoomVerb {
    /// Returns whether it lets somebody into the room, or nearer to it: what only the room's owner may do.
    pub(crate) fn lets_in(&self) -> bool {
        match self {
            Self::Arrive(_)
            | Self::Admit(_)
            | Self::AdmitAll
            | Self::Check { .. }
            | Self::Join { .. }
            | Self::Return { .. } => true,
            Self::SendBack(_)
            | Self::HangUpPhone(_)
            | Self::Pay { .. }
            | Self::SetState(..)
            | Self::Leave(_)
            | Self::Disconnect => false,
        }
    }
}

/// The machines of a shard for the length of one turn, and what they send.
pub(super) struct Turn<'a> {
    pub(super) shard: &'a mut Shard,
    pub(super) now: Instant,
    pub(super) media: Vec<Datagram>,
    pub(super) sip: Vec<(Peer, Bytes)>,
    /// What rooms and their phones have for each other.
    pub(super) crossings: VecDeque<Crossing>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(shard: &'a mut Shard, now: Instant) -> Self {
        let media = mem::take(&mut shard.outgoing);
        Self {
            shard,
            now,
            media,
            sip: Vec::new(),
            crossings: VecDeque::new(),
        }
    }

    pub(super) fn finish(mut self) -> (Vec<Datagram>, Vec<(Peer, Bytes)>) {
        self.cross();
        (self.media, self.sip)
    }

    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Dial(dial) => self.dial(*dial),
            Command::Call(call, verb) => self.with_call(call, |slot, now| slot.obey(now, verb)),
            Command::OpenRoom {
                room,
                machine,
                view,
                end,
            } => {
                let slot = RoomSlot::new(machine, self.shard.media.local(), view, end);
                self.shard.rooms.insert(room, Box::new(slot));
            }
            Command::Room(ask) => self.ask_room(ask),
            Command::Ring(ring) => self.ring(*ring),
            Command::CloseRoom(room) => self.forget_room(room),
            Command::CloseRooms => self.close_rooms(),
            Command::EndAll => self.end_all(),
            Command::MindTrunks(trunks) => self.mind_trunks(&trunks),
            Command::Trunk(trunk, word) => self.with_trunk(trunk, |slot, now| slot.obey(now, word)),
            #[cfg(test)]
            Command::FallOver(numbers) => numbers.for_each(|number| self.fall_over(number)),
        }
    }

    #[cfg(test)]
    fn fall_over(&mut self, number: u64) {
        use super::fault::fall_over;
        self.with_call(CallKey(number), |_, _| fall_over());
        self.with_seat(CallKey(number), |_, _| fall_over());
        self.with_room(RoomKey(number), |_, _| fall_over());
    }

    pub(super) fn wake(&mut self, machine: Machine) {
        match machine {
            Machine::Call(call) if self.shard.seats.contains_key(&call) => {
                self.with_seat(call, SeatSlot::handle_timeout);
            }
            Machine::Call(call) => self.with_call(call, CallSlot::handle_timeout),
            Machine::Room(room) => self.with_room(room, RoomSlot::handle_timeout),
            Machine::Trunk(trunk) => self.with_trunk(trunk, TrunkSlot::handle_timeout),
        }
    }

    pub(super) fn hear_browser(&mut self, from: SocketAddr, bytes: BytesMut) {
        match self.shard.demux.find(from, || stun_ufrag(&bytes)) {
            Some(Leg::Call(call)) => {
                self.with_call(call, |slot, now| {
                    slot.handle_input(now, Input::Browser { from, bytes })
                });
            }
            Some(Leg::Room(room, peer)) => {
                self.with_room(room, |slot, now| {
                    slot.handle_datagram(now, peer, from, bytes)
                });
            }
            None => tracing::trace!(bytes = bytes.len(), "datagram of nobody"),
        }
    }

    /// Reads the phones' ports until nothing waits, or for so long as the others can wait.
    pub(super) fn hear_phones(&mut self) {
        for _ in 0..READS_A_TURN {
            let ready = self.shard.phones.ready();
            if ready.is_empty() {
                return;
            }
            ready.into_iter().for_each(|ready| self.hear_phone(ready));
        }
    }

    fn hear_phone(&mut self, Ready { leg, port }: Ready) {
        let call = CallKey(leg);
        if self.shard.seats.contains_key(&call) {
            self.with_seat(call, |slot, now| slot.hear_phone(now, port));
        } else {
            self.with_call(call, |slot, now| slot.hear_phone(now, port));
        }
    }

    /// Tells a call, of a browser or of a seat, what came for it.
    fn tell_call(&mut self, call: CallKey, input: Input) {
        if self.shard.seats.contains_key(&call) {
            self.with_seat(call, |slot, now| slot.handle_input(now, input));
        } else {
            self.with_call(call, |slot, now| slot.handle_input(now, input));
        }
    }

    pub(super) fn hear_sip(&mut self, heard: FromSip) {
        match heard {
            FromSip::Message { from, message } => {
                let call = message
                    .call_id()
                    .ok()
                    .and_then(|id| self.shard.calls_by_id.get(id))
                    .copied();
                match call {
                    Some(call) => self.tell_call(call, Input::Sip { from, message }),
                    None => self.hear_of_no_call(from, message),
                }
            }
            FromSip::Connected { peer, secured } => {
                tracing::debug!(%peer, ?secured, "connected");
            }
            FromSip::TransportFailed { peer, why } => {
                tracing::debug!(%peer, %why, "calls of this peer are told");
                let calls = self.shard.calls.keys().chain(self.shard.seats.keys());
                for call in calls.copied().collect::<Vec<CallKey>>() {
                    self.tell_call(call, Input::TransportFailed { peer });
                }
                self.tell_trunks_of(peer, &why.words);
            }
        }
    }

    pub(super) fn answer_stray(&mut self, from: Peer, message: &Message) {
        if !message.is_request() || !self.shard.sip.may_answer(self.now, from) {
            return;
        }
        if let Some((to, answer)) = stray::answer(from, message) {
            self.sip.push((to, answer));
        }
    }

    fn dial(&mut self, dial: DialCommand) {
        let DialCommand {
            call,
            plan,
            ways,
            offer,
            grant,
            facts,
            view,
            verbs,
            end,
            reply,
        } = dial;
        for (peer, name) in ways.tls_names() {
            self.expect_name(peer, name);
        }
        let _ = reply.send(
            self.try_dial(call, plan, &offer)
                .map(|(bridge, ports, answer)| {
                    self.shard.demux.expect(bridge.ufrag(), Leg::Call(call));
                    let metered = Metered::start(bridge, grant, facts);
                    let slot = CallSlot::new(metered, ports, ways, view, end);
                    self.shard.calls.insert(call, Box::new(slot));
                    answer
                }),
        );
        self.forward_verbs(call, verbs);
        self.with_call(call, |_, _| {});
    }

    /// Makes the name known that a TLS peer's certificate must carry (RFC 5922 §7.1).
    pub(super) fn expect_name(&mut self, peer: Peer, name: &str) {
        if peer.transport != Transport::Tls {
            return;
        }
        match name.parse() {
            Ok(name) => self.shard.sip.expect_name(peer, name),
            // Without a name no connection is made, and the call is told so.
            Err(error) => tracing::warn!(%peer, %error, "no name for this trunk"),
        }
    }

    fn try_dial(
        &mut self,
        call: CallKey,
        plan: DialPlan,
        offer: &str,
    ) -> Result<(Bridge, RtpPorts, String), DialRefused> {
        let ports = self.bind_ports(call)?;
        let dial = self.addressed(plan, &ports);
        let mut options = BridgeOptions::new(dial, self.shard.media.local());
        options.ice_lite = self.shard.options.ice_lite;
        options.path = self.path_options(options.path);
        let (bridge, answer) = Bridge::dial(self.now, options, offer)
            .map_err(|error| DialRefused::Offer(error.to_string()))?;
        Ok((bridge, ports, answer))
    }

    /// Binds the ports of a call, and listens on them.
    pub(super) fn bind_ports(&self, call: CallKey) -> Result<RtpPorts, DialRefused> {
        let ports = RtpPorts::bind(self.shard.options.ip);
        let ports = ports.and_then(|ports| {
            self.shard.phones.watch(call.0, &ports)?;
            Ok(ports)
        });
        ports.map_err(|error| DialRefused::NoPorts(error.to_string()))
    }

    /// A call with our addresses as trunks see them.
    pub(super) fn addressed(&self, plan: DialPlan, ports: &RtpPorts) -> Dial {
        let seen = |socket| self.shard.options.as_trunks_see(socket);
        plan.into_dial(seen(self.shard.sip.local()), seen(ports.local()))
    }

    pub(super) fn path_options(&self, defaults: PathOptions) -> PathOptions {
        let options = &self.shard.options;
        PathOptions {
            hold_music: options.hold_music.clone(),
            suppress_noise: options.suppress_noise,
            hear_tones: options.hear_tones,
            straight_g711: options.straight_g711,
            ..defaults
        }
    }

    /// Lets the handle of a call speak to it for as long as both live.
    fn forward_verbs(&self, call: CallKey, mut verbs: mpsc::Receiver<CallVerb>) {
        let Some(commands) = self.shard.commands.upgrade() else {
            return;
        };
        tokio::task::spawn_local(async move {
            while let Some(verb) = verbs.recv().await {
                if commands.send(Command::Call(call, verb)).await.is_err() {
                    return;
                }
            }
            // Nobody holds the call any more: a page that closed must not leave a patient's phone talking to nobody.
            let _ = commands.send(Command::Call(call, CallVerb::HangUp)).await;
        });
    }

    fn close_rooms(&mut self) {
        let rooms: Vec<RoomKey> = self.shard.rooms.keys().copied().collect();
        for room in rooms {
            self.forget_room(room);
        }
    }

    fn end_all(&mut self) {
        let calls: Vec<CallKey> = self.shard.calls.keys().copied().collect();
        for call in calls {
            self.with_call(call, |slot, now| slot.obey(now, CallVerb::HangUp));
        }
        let rooms: Vec<RoomKey> = self.shard.rooms.keys().copied().collect();
        for room in rooms {
            self.with_room(room, |slot, now| drop(slot.obey(now, RoomVerb::Disconnect)));
        }
    }

    fn ask_room(&mut self, ask: RoomAsk) {
        let RoomAsk { room, verb, reply } = ask;
        let mut answer = Err(RoomRefused::Ended);
        self.with_room(room, |slot, now| answer = slot.obey(now, verb));
        let _ = reply.send(answer);
    }

    fn with_call(&mut self, call: CallKey, work: impl FnOnce(&mut CallSlot, Instant)) {
        let Some(slot) = self.shard.calls.get_mut(&call) else {
            return;
        };
        let (mut proved, mut call_ids) = (Vec::new(), Vec::new());
        let mut out = Outbox {
            media: &mut self.media,
            sip: &mut self.sip,
            proved: &mut proved,
            call_ids: &mut call_ids,
        };
        let now = self.now;
        let worked = guarded(|| {
            work(slot, now);
            (slot.drain(&mut out), slot.deadline())
        });
        let (finished, deadline) = worked.unwrap_or_else(|| {
            tracing::error!(call = call.0, "a fault ended this call; the others go on");
            guarded(|| slot.fail(now, &mut out));
            (true, None)
        });
        for address in proved {
            self.shard.demux.prove(address, Leg::Call(call));
        }
        let call_ids = call_ids.into_iter().map(|call_id| (call_id, call));
        self.shard.calls_by_id.extend(call_ids);
        if finished {
            self.forget_call(call);
        } else {
            self.shard.timers.set(Machine::Call(call), deadline);
        }
    }

    pub(super) fn with_room(&mut self, room: RoomKey, work: impl FnOnce(&mut RoomSlot, Instant)) {
        let Some(slot) = self.shard.rooms.get_mut(&room) else {
            return;
        };
        let now = self.now;
        let mut drained = room_slot_output();
        let worked = guarded(|| {
            work(slot, now);
            let finished = slot.drain(now, &mut self.media, &mut drained);
            (finished, slot.deadline())
        });
        let (finished, deadline) = worked.unwrap_or_else(|| {
            tracing::error!(room = room.0, "a fault ended this room; the others go on");
            guarded(|| slot.fail(now, &mut self.media, &mut drained));
            (true, None)
        });
        for (ufrag, peer) in drained.expected {
            self.shard.demux.expect(&ufrag, Leg::Room(room, peer));
        }
        for (address, peer) in drained.proved {
            self.shard.demux.prove(address, Leg::Room(room, peer));
        }
        for peer in drained.gone {
            self.shard.demux.forget(|leg| leg == Leg::Room(room, peer));
        }
        let to_seat = |(call, word)| Crossing::ToSeat(call, word);
        self.crossings
            .extend(drained.phones.into_iter().map(to_seat));
        if finished {
            self.forget_room(room);
        } else {
            self.shard.timers.set(Machine::Room(room), deadline);
        }
    }

    /// Of its own or of a seat.
    pub(super) fn forget_call(&mut self, call: CallKey) {
        self.shard.calls.remove(&call);
        self.shard.seats.remove(&call);
        self.shard.timers.set(Machine::Call(call), None);
        self.shard.calls_by_id.retain(|_, owner| *owner != call);
        self.shard.demux.forget(|leg| leg == Leg::Call(call));
    }

    fn forget_room(&mut self, room: RoomKey) {
        self.shard.rooms.remove(&room);
        self.shard.timers.set(Machine::Room(room), None);
        self.shard
            .demux
            .forget(|leg| matches!(leg, Leg::Room(owner, _) if owner == room));
        self.hang_up_seats(room);
    }
}

/// What a room tells the demultiplexer.
pub(super) struct RoomOutput {
    pub(super) expected: Vec<(String, housecall_sfu::PeerId)>,
    pub(super) proved: Vec<(SocketAddr, housecall_sfu::PeerId)>,
    pub(super) gone: Vec<housecall_sfu::PeerId>,
    /// What its phones are told.
    pub(super) phones: Vec<(CallKey, ToSeat)>,
}

fn room_slot_output() -> RoomOutput {
    RoomOutput {
        expected: Vec::new(),
        proved: Vec::new(),
        gone: Vec::new(),
        phones: Vec::new(),
    }
}
