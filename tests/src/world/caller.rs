use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use housecall_bridge::{MediaPath, MediaStats, PathOptions, PathOutput};
use housecall_carrier::NetworkOptions;
use housecall_media::Key;
use housecall_meter::BlockGrant;
use housecall_phone::{
    Call, Country, DestinationPolicy, Dial, Event, Input, Number, Output, Route, Secret,
    SrtpPolicy, Trunk,
};
use housecall_sip::{Message, Peer};

use super::sound::{Ear, Microphone};

/// The practice's side of a call: what `housecall_bridge::Bridge` joins, with a microphone and an ear in place of a browser,
/// since a browser's packets are encrypted and its ICE wants a network of its own.
pub(super) struct Caller {
    pub(super) call: Call,
    /// None in a world without sound.
    headset: Option<Headset>,
    outputs: VecDeque<Said>,
    /// Whether our hold is in force.
    held: bool,
    over: bool,
    _paid: BlockGrant,
}

struct Headset {
    path: MediaPath,
    microphone: Microphone,
    ear: Ear,
}

/// What comes of the caller's side.
pub(super) enum Said {
    Sip(Bytes),
    Rtp(SocketAddr, Bytes),
    Event(Event),
}

/// Our SIP address, as the network knows it.
pub(super) fn peer() -> Peer {
    Peer::udp(SocketAddr::from(([127, 0, 0, 1], 5080)))
}

/// Where we want sound.
pub(super) fn media() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 40_000))
}

/// Where we want reports: the next port.
pub(super) fn reports() -> SocketAddr {
    SocketAddr::new(media().ip(), media().port() + 1)
}

impl Caller {
    /// Calls a number, if it is one that may be called. The grant is the price of dialling.
    pub(super) fn dial(
        now: Instant,
        number: &str,
        seed: u64,
        with_sound: bool,
        srtp: SrtpPolicy,
        grant: BlockGrant,
    ) -> Caller {
        let to = DestinationPolicy::domestic(Country::Au)
            .read(number)
            .unwrap();
        let mut caller = Caller {
            call: Call::dial(now, order(to, seed, srtp)).unwrap(),
            headset: with_sound.then(|| Headset::new(now, seed)),
            outputs: VecDeque::new(),
            held: false,
            over: false,
            _paid: grant,
        };
        caller.listen(now);
        caller
    }

    pub(super) fn sip(&mut self, now: Instant, from: Peer, message: Message) {
        self.call.handle_input(now, Input::Sip { from, message });
        self.listen(now);
    }

    pub(super) fn rtp(&mut self, now: Instant, from: SocketAddr, bytes: Bytes) {
        if let Some(headset) = &mut self.headset {
            headset.path.rtp(now, from, bytes);
        }
    }

    pub(super) fn rtcp(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        if let Some(headset) = &mut self.headset {
            headset.path.rtcp(now, from, bytes);
        }
    }

    pub(super) fn stats(&self) -> Option<MediaStats> {
        self.headset.as_ref().map(|headset| headset.path.stats())
    }

    pub(super) fn hang_up(&mut self, now: Instant) {
        self.call.hang_up(now);
        self.listen(now);
    }

    /// Asks for hold; the sound is shut at once. False at the wrong moment.
    pub(super) fn hold(&mut self, now: Instant) -> bool {
        let asked = self.call.hold(now).is_ok();
        if asked {
            self.shut(now, true);
        }
        self.listen(now);
        asked
    }

    /// Asks for the end of the hold. False at the wrong moment.
    pub(super) fn resume(&mut self, now: Instant) -> bool {
        let asked = self.call.resume(now).is_ok();
        self.listen(now);
        asked
    }

    /// Whether our hold is in force.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    pub(super) fn mute(&mut self, muted: bool) {
        if let Some(headset) = &mut self.headset {
            headset.path.mute(muted);
        }
    }

    pub(super) fn press(&mut self, keys: &str) {
        let Some(headset) = &mut self.headset else {
            return;
        };
        for name in keys.chars() {
            headset.path.press(Key::new(name).unwrap()).unwrap();
        }
    }

    pub(super) fn ear(&self) -> Option<&Ear> {
        self.headset.as_ref().map(|headset| &headset.ear)
    }

    pub(super) fn poll_output(&mut self) -> Option<Said> {
        self.outputs.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let headset = self.headset.as_ref().filter(|_| !self.over);
        let frame = headset.map(|headset| headset.path.poll_timeout());
        [self.call.poll_timeout(), frame]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.call.poll_timeout().is_some_and(|at| at <= now) {
            self.call.handle_timeout(now);
        }
        self.frame(now);
        self.listen(now);
    }

    fn frame(&mut self, now: Instant) {
        let Some(headset) = self.headset.as_mut().filter(|_| !self.over) else {
            return;
        };
        if headset.path.poll_timeout() <= now {
            headset.path.ear(now, headset.microphone.packet());
            headset.path.handle_timeout(now);
        }
    }

    fn listen(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.call.poll_output() {
                self.call_said(now, output);
            } else if let Some(output) = self.headset.as_mut().and_then(|it| it.path.poll_output())
            {
                self.path_said(now, output);
            } else {
                return;
            }
        }
    }

    fn call_said(&mut self, now: Instant, output: Output) {
        let said = match output {
            Output::CallId(_) => return,
            Output::SendSip { bytes, .. } => Said::Sip(bytes),
            Output::Event(event) => {
                self.event(now, &event);
                Said::Event(event)
            }
        };
        self.outputs.push_back(said);
    }

    /// Lets the sound follow the call.
    fn event(&mut self, now: Instant, event: &Event) {
        match event {
            Event::Held => self.held = true,
            Event::Resumed => self.held = false,
            Event::Ended(_) => self.over = true,
            _ => {}
        }
        if let Some(headset) = &mut self.headset {
            headset.path.follow(now, event);
        }
    }

    fn shut(&mut self, now: Instant, held: bool) {
        if let Some(headset) = &mut self.headset {
            headset.path.hold(now, held);
        }
    }

    fn path_said(&mut self, now: Instant, output: PathOutput) {
        match output {
            PathOutput::Rtp { to, bytes } => self.outputs.push_back(Said::Rtp(to, bytes)),
            // The subscribers of this network read no reports.
            PathOutput::Rtcp { .. } => {}
            PathOutput::Ear(frame) => self.headset.iter_mut().for_each(|it| it.ear.hear(&frame)),
            PathOutput::KeyHeard(_) => {}
            PathOutput::PhoneLost => self.call.handle_input(now, Input::MediaLost),
        }
    }
}

impl Headset {
    fn new(now: Instant, seed: u64) -> Headset {
        Headset {
            path: MediaPath::new(now, PathOptions::new("AU", seed)).unwrap(),
            microphone: Microphone::new(),
            ear: Ear::new(),
        }
    }
}

fn order(to: Number, seed: u64, srtp: SrtpPolicy) -> Dial {
    let network = NetworkOptions::default();
    let trunk = Trunk {
        credentials: network.credentials,
        srtp,
        ..Trunk::new("Carrier", &network.domain)
    };
    let route = Route::new(trunk, Peer::udp(network.sip));
    let caller_id = Number::parse("02 5550 0142", Country::Au).unwrap();
    Dial {
        secret: Some(Secret::new([seed as u8; Secret::BYTES])),
        ..Dial::new(vec![route], caller_id, to, peer().addr, media(), seed)
    }
}
