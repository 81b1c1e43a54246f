//! The phone of a patient who goes on by phone (V13), on the shard of their room: the call, its RTP ports, and what it tells the room.

use std::sync::Arc;
use std::time::Instant;

use housecall_bridge::{BridgeEvent, EarFrame, EarPacket, Input, LegOutput, MediaStats, PhoneLeg};
use housecall_phone::Ended;
use housecall_sfu::{OpusPacket, PhoneSound};
use tokio::sync::oneshot;

use super::outbox::Outbox;
use super::rtp::{Port, RtpPorts};
use super::{CallEnd, RoomKey, followed, quality};
use crate::call::CallView;
use crate::engine::Permit;
use crate::ports::Clock;
use crate::ring::{PhoneEnded, SeatEnd};
use crate::trunks::Ways;

/// What a phone tells its room.
pub(crate) enum FromSeat {
    /// Something else is to be seen of it.
    Shown(Box<CallView>),
    /// Somebody has answered: it may have the seat.
    Answered,
    /// It says something, after the answer.
    Sound(OpusPacket),
    /// It is over. Last.
    Ended(PhoneEnded),
}

/// What a room tells a phone.
#[derive(Debug)]
pub(crate) enum ToSeat {
    /// It is to hear this.
    Sound(PhoneSound),
    /// It has the seat no more, or never had it.
    HangUp,
}

/// A phone that rings for a seat, or sits in it.
pub(crate) struct SeatSlot {
    leg: PhoneLeg,
    ports: RtpPorts,
    /// What it tries, its place on the trunk it is on, and its right to one call; given back when it ends.
    held: Option<(Ways, Permit)>,
    room: RoomKey,
    clock: Arc<dyn Clock>,
    view: CallView,
    end: Option<oneshot::Sender<SeatEnd>>,
    to_room: Vec<FromSeat>,
    /// Whether a fault of ours has ended it.
    failed: bool,
}

impl SeatSlot {
    pub(crate) fn new(
        leg: PhoneLeg,
        ports: RtpPorts,
        held: (Ways, Permit),
        room: RoomKey,
        clock: Arc<dyn Clock>,
        end: oneshot::Sender<SeatEnd>,
    ) -> Self {
        Self {
            leg,
            ports,
            held: Some(held),
            room,
            clock,
            view: CallView::new(),
            end: Some(end),
            to_room: Vec::new(),
            failed: false,
        }
    }

    pub(crate) fn room(&self) -> RoomKey {
        self.room
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.leg.poll_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.leg.handle_timeout(now);
        let (heard, sent) = quality::now(self.leg.quality());
        if (self.view.heard, self.view.sent) != (heard, sent) {
            (self.view.heard, self.view.sent) = (heard, sent);
            self.show();
        }
    }

    /// Takes what came on one of its ports.
    pub(crate) fn hear_phone(&mut self, now: Instant, port: Port) {
        if let Some(input) = self.ports.input(port) {
            self.handle_input(now, input);
        }
    }

    pub(crate) fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Rtp { from, bytes } => self.leg.rtp(now, from, bytes),
            Input::Rtcp { from, bytes } => self.leg.rtcp(now, from, &bytes),
            Input::Sip { from, message } => self.leg.sip(now, from, message),
            Input::TransportFailed { peer } => self.leg.transport_failed(now, peer),
            // Browsers have seats of their own.
            Input::Browser { .. } => {}
        }
    }

    /// Does what the room says.
    pub(crate) fn obey(&mut self, now: Instant, word: ToSeat) {
        match word {
            ToSeat::HangUp => self.leg.hang_up(now),
            ToSeat::Sound(PhoneSound::Packet(packet)) => self.leg.ear(now, ear_packet(packet)),
            // It took its seat as one that takes packets.
            ToSeat::Sound(PhoneSound::Frame(_)) => {}
        }
    }

    /// Sends what the call wants sent and notes what it tells. Returns true when nothing more is owed to anybody.
    pub(crate) fn drain(&mut self, out: &mut Outbox<'_>) -> bool {
        while let Some(output) = self.leg.poll_output() {
            match output {
                LegOutput::Phone(output) => out.phone(&self.ports, output),
                LegOutput::Ear(frame) => self.say(frame),
                LegOutput::Event(event) => self.note(event),
            }
        }
        self.leg.is_finished()
    }

    /// Hangs up after a fault of ours, so that nobody is left on the phone with nobody. Returns the last that the room hears.
    pub(crate) fn fail(&mut self, now: Instant, out: &mut Outbox<'_>) -> Vec<FromSeat> {
        self.failed = true;
        self.leg.hang_up(now);
        self.drain(out);
        if self.end.take().is_some() {
            self.to_room.push(FromSeat::Ended(PhoneEnded::fault()));
        }
        self.take_words()
    }

    /// Takes what is for the room.
    pub(crate) fn take_words(&mut self) -> Vec<FromSeat> {
        std::mem::take(&mut self.to_room)
    }

    /// Lets the room hear the phone: not how it rings, and not the music of somebody who has put the consultation on hold.
    fn say(&mut self, frame: EarFrame) {
        if self.leg.is_talking() && !self.view.held_by_them.is_on() {
            self.to_room.push(FromSeat::Sound(opus_packet(frame)));
        }
    }

    fn note(&mut self, event: BridgeEvent) {
        let ways = self.held.as_mut().map(|(ways, _)| ways);
        followed::note_ways(&event, ways);
        if let BridgeEvent::Answered = event {
            self.to_room.push(FromSeat::Answered);
        }
        let transport = self.held.as_ref().and_then(|(ways, _)| ways.transport());
        let now = self.clock.now();
        if followed::show(&event, &mut self.view, now, transport) {
            self.show();
        }
        if let BridgeEvent::Ended { ended, stats } = event {
            self.ended(now, ended, &stats);
        }
    }

    fn ended(&mut self, now: Instant, ended: Ended, stats: &MediaStats) {
        self.held = None;
        let ended = followed::why(ended, self.failed);
        let talk_ms = self.view.talk_ms(now);
        self.to_room.push(FromSeat::Ended(PhoneEnded::of(&ended)));
        let quality = talk_ms.map(|_| quality::of(self.leg.quality(), stats));
        let end = CallEnd {
            ended,
            talk_ms,
            quality,
        };
        if let Some(line) = self.end.take() {
            // A task that is gone writes no record; the visit's own has the minutes.
            let view = self.view;
            let _ = line.send(SeatEnd { end, view });
        }
    }

    fn show(&mut self) {
        self.to_room.push(FromSeat::Shown(Box::new(self.view)));
    }
}

fn opus_packet(frame: EarFrame) -> OpusPacket {
    OpusPacket {
        marker: frame.marker,
        sequence: frame.sequence,
        timestamp: frame.timestamp,
        level: frame.level,
        payload: frame.payload,
    }
}

fn ear_packet(packet: OpusPacket) -> EarPacket {
    EarPacket {
        // A seat's stream is one for as long as it sits.
        ssrc: 0,
        sequence: packet.sequence,
        timestamp: packet.timestamp,
        payload: packet.payload,
    }
}
