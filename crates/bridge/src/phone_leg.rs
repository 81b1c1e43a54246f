use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::sdp::MediaTarget;
use housecall_media::{AudioLevel, Key};
use housecall_phone::{self as phone, Call, Dial, Ended, Message, Peer};

use crate::dialled::Dialled;
use crate::io::{BridgeEvent, PhoneOutput};
use crate::options::{DialRefused, Error};
use crate::path::{
    EarFrame, EarPacket, Levels, MediaPath, MediaStats, PathOptions, PathOutput, Quality,
};

/// One phone call whose caller is whoever gives and takes packets of sound: a browser's connection ([`Bridge`](crate::Bridge)), or the seat
/// of a patient who goes on by phone (V13).
///
/// It is told what came, one method for each kind, and says in [`poll_output`](Self::poll_output) what to send.
#[derive(Debug)]
pub struct PhoneLeg {
    call: Dialled,
    path: MediaPath,
    moment: Moment,
    /// Whether the other side holds us.
    held_by_them: bool,
    /// Whether the sound is secured; none before anything is agreed.
    encrypted: Option<bool>,
    outputs: VecDeque<LegOutput>,
}

/// As much of the call's state as the sound depends on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Moment {
    Ringing,
    Talking,
    Ended,
}

/// What a phone leg asks of the world, or tells it.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the end is said once a call: a box would only cost its readers a word"
)]
pub enum LegOutput {
    /// The call asks for something.
    Phone(PhoneOutput),
    /// Let the caller hear this: from before the answer on, ringing tones included.
    Ear(EarFrame),
    /// Something happened; none of what only a browser can do.
    Event(BridgeEvent),
}

impl PhoneLeg {
    /// Dials.
    ///
    /// # Errors
    /// [`DialRefused::Trunk`] or [`DialRefused::Codec`]: nothing was dialled.
    pub fn dial(now: Instant, dial: Dial, path: PathOptions) -> Result<Self, DialRefused> {
        let path = MediaPath::new(now, path)?;
        let mut leg = Self {
            call: Dialled::new(Call::dial(now, dial)?),
            path,
            moment: Moment::Ringing,
            held_by_them: false,
            encrypted: None,
            outputs: VecDeque::new(),
        };
        leg.listen(now);
        Ok(leg)
    }

    /// What happened to the sound so far.
    pub fn stats(&self) -> MediaStats {
        self.path.stats()
    }

    /// How loud both sides are now.
    pub fn levels(&self) -> Levels {
        self.path.levels()
    }

    /// How both directions sound, and have sounded.
    pub fn quality(&self) -> &Quality {
        self.path.quality()
    }

    /// Whether the phone has answered, and the call is not over.
    pub fn is_talking(&self) -> bool {
        self.moment == Moment::Talking
    }

    /// Whether [`BridgeEvent::Ended`] has been told.
    pub fn is_over(&self) -> bool {
        self.moment == Moment::Ended
    }

    /// Whether the call is over and nothing is owed to the network any more: the leg may be dropped.
    pub fn is_finished(&self) -> bool {
        self.is_over() && self.call.get().is_finished()
    }

    /// Takes a packet of what the phone is to hear.
    pub fn ear(&mut self, now: Instant, packet: EarPacket) {
        self.path.ear(now, packet);
        self.listen(now);
    }

    /// Takes how loud the last such packet is, as far as its maker says.
    pub fn ear_level(&mut self, level: Option<AudioLevel>) {
        self.path.ear_level(level);
    }

    /// Takes what those who hear the phone say of it: the part lost, of 256, and the round trip to them.
    pub fn ear_report(&mut self, now: Instant, fraction_lost: u8, round_trip: Option<Duration>) {
        self.path.ear_report(now, fraction_lost, round_trip);
    }

    /// Takes a datagram from the RTP port.
    pub fn rtp(&mut self, now: Instant, from: SocketAddr, datagram: Bytes) {
        self.path.rtp(now, from, datagram);
        self.listen(now);
    }

    /// Takes a datagram from the RTCP port.
    pub fn rtcp(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.path.rtcp(now, from, datagram);
        self.listen(now);
    }

    /// Takes a SIP message with one of this call's Call-IDs.
    pub fn sip(&mut self, now: Instant, from: Peer, message: Message) {
        let input = phone::Input::Sip { from, message };
        self.call.with(|call| call.handle_input(now, input));
        self.listen(now);
    }

    /// Hears that nothing can be sent to a SIP peer.
    pub fn transport_failed(&mut self, now: Instant, peer: Peer) {
        let input = phone::Input::TransportFailed { peer };
        self.call.with(|call| call.handle_input(now, input));
        self.listen(now);
    }

    /// Shuts or opens what the phone hears; silence goes to it meanwhile. Nobody else is told.
    pub fn mute(&mut self, muted: bool) {
        self.path.mute(muted);
    }

    /// Asks to hold: [`BridgeEvent::Held`] or [`BridgeEvent::HoldRefused`] follows. The sound is shut at once.
    ///
    /// # Errors
    /// [`Error::WrongMoment`]
    pub fn hold(&mut self, now: Instant) -> Result<(), Error> {
        self.call.with(|call| call.hold(now))?;
        // Whoever clicks Hold and turns to somebody in the room must not be heard while the network makes up its mind.
        self.path.hold(now, true);
        self.listen(now);
        Ok(())
    }

    /// Asks to end the hold: [`BridgeEvent::Resumed`] or [`BridgeEvent::HoldRefused`] follows.
    ///
    /// # Errors
    /// [`Error::WrongMoment`]
    pub fn resume(&mut self, now: Instant) -> Result<(), Error> {
        self.call.with(|call| call.resume(now))?;
        self.listen(now);
        Ok(())
    }

    /// Presses a key towards the phone, in the way that its trunk takes.
    ///
    /// # Errors
    /// Too many keys wait, or [`Error::WrongMoment`] outside the conversation.
    pub fn press(&mut self, now: Instant, key: Key) -> Result<(), Error> {
        match self.moment {
            Moment::Ringing => Err(wrong_moment("the phone has not answered")),
            Moment::Ended => Err(wrong_moment("the call is over")),
            Moment::Talking => {
                let pressed = self.pressed(now, key);
                self.listen(now);
                pressed
            }
        }
    }

    fn pressed(&mut self, now: Instant, key: Key) -> Result<(), Error> {
        if self.call.get().presses_by_info() {
            return Ok(self.call.with(|call| call.press(now, key))?);
        }
        self.path.press(key).map_err(|refused| Error::TooManyKeys {
            waiting: refused.waiting,
        })
    }

    /// Ends the call, in whatever state it is.
    pub fn hang_up(&mut self, now: Instant) {
        self.call.with(|call| call.hang_up(now));
        self.listen(now);
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<LegOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`PhoneLeg::handle_timeout`] next; none once [`PhoneLeg::is_finished`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let path = (!self.is_over()).then(|| self.path.poll_timeout());
        [self.call.poll_timeout(), path].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.call.poll_timeout().is_some_and(|at| at <= now) {
            self.call.with(|call| call.handle_timeout(now));
        }
        if !self.is_over() {
            self.path.handle_timeout(now);
        }
        self.listen(now);
    }

    /// Passes on what both parts say, until neither says anything more.
    fn listen(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.call.poll_output() {
                self.call_said(now, output);
            } else if let Some(output) = self.path.poll_output() {
                self.path_said(now, output);
            } else {
                return;
            }
        }
    }

    fn call_said(&mut self, now: Instant, output: phone::Output) {
        match output {
            phone::Output::CallId(call_id) => self.ask(PhoneOutput::CallId(call_id)),
            phone::Output::SendSip { to, bytes } => self.ask(PhoneOutput::SendSip { to, bytes }),
            phone::Output::Event(event) => self.call_event(now, event),
        }
    }

    fn call_event(&mut self, now: Instant, event: phone::Event) {
        self.path.follow(now, &event);
        match event {
            phone::Event::RouteFailed { route, why } => {
                self.tell(BridgeEvent::RouteFailed { route, why });
            }
            phone::Event::Redirected { to } => self.tell(BridgeEvent::Redirected { to }),
            // The path presses it in another way.
            phone::Event::KeyRefused(_) => {}
            phone::Event::KeyHeard(key) => self.tell(BridgeEvent::KeyHeard(key)),
            phone::Event::EncryptionRefused => self.tell(BridgeEvent::EncryptionRefused),
            phone::Event::Ringing => self.tell(BridgeEvent::Ringing),
            phone::Event::EarlyMedia(target) => {
                self.now_encrypted(&target);
                self.tell(BridgeEvent::EarlyAudio);
            }
            phone::Event::Answered(target) => self.answered(&target),
            phone::Event::MediaChanged(target) => self.media_changed(&target),
            phone::Event::Held => self.tell(BridgeEvent::Held),
            phone::Event::Resumed => self.tell(BridgeEvent::Resumed),
            phone::Event::HoldRefused => self.tell(BridgeEvent::HoldRefused),
            phone::Event::Ended(ended) => self.ended(now, ended),
        }
    }

    fn answered(&mut self, target: &MediaTarget) {
        self.moment = Moment::Talking;
        self.now_encrypted(target);
        self.tell(BridgeEvent::Answered);
        self.now_held_by_them(!target.direction.sends());
    }

    fn media_changed(&mut self, target: &MediaTarget) {
        self.now_encrypted(target);
        self.now_held_by_them(!target.direction.sends());
    }

    fn now_encrypted(&mut self, target: &MediaTarget) {
        let encrypted = target.srtp.is_some();
        if self.encrypted != Some(encrypted) {
            self.encrypted = Some(encrypted);
            self.tell(BridgeEvent::Encrypted(encrypted));
        }
    }

    /// RFC 3264 §8.4: whoever may not be sent to holds us. Before the answer that is no hold.
    fn now_held_by_them(&mut self, held: bool) {
        if held == self.held_by_them {
            return;
        }
        self.held_by_them = held;
        self.tell(if held {
            BridgeEvent::HeldByThem
        } else {
            BridgeEvent::ResumedByThem
        });
    }

    fn ended(&mut self, now: Instant, ended: Ended) {
        self.moment = Moment::Ended;
        while let Some(output) = self.path.poll_output() {
            self.path_said(now, output);
        }
        let stats = self.path.stats();
        self.tell(BridgeEvent::Ended { ended, stats });
    }

    fn path_said(&mut self, now: Instant, output: PathOutput) {
        match output {
            PathOutput::Rtp { to, bytes } => self.ask(PhoneOutput::SendRtp { to, bytes }),
            PathOutput::Rtcp { to, bytes } => self.ask(PhoneOutput::SendRtcp { to, bytes }),
            PathOutput::Ear(frame) => self.outputs.push_back(LegOutput::Ear(frame)),
            PathOutput::KeyHeard(key) => self.tell(BridgeEvent::KeyHeard(key)),
            PathOutput::PhoneLost => {
                let lost = phone::Input::MediaLost;
                self.call.with(|call| call.handle_input(now, lost));
            }
        }
    }

    fn ask(&mut self, output: PhoneOutput) {
        self.outputs.push_back(LegOutput::Phone(output));
    }

    fn tell(&mut self, event: BridgeEvent) {
        self.outputs.push_back(LegOutput::Event(event));
    }
}

fn wrong_moment(state: &'static str) -> Error {
    Error::WrongMoment {
        action: "press a key",
        state,
    }
}
