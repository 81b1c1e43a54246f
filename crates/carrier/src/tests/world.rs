//! A caller and the network, joined by wires without loss, in virtual time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::g711::Law;
use housecall_media::rtp::{Report, RtpPacket, RtpSender};
use housecall_media::sdp::{AudioSession, Codec, Description, Direction, MediaTarget, SrtpOffer};
use housecall_media::srtp::{Srtp, SrtpKey};
use housecall_media::telephone_event::KeySender;
use housecall_media::{FRAME_SAMPLES, Frame, Key};
use housecall_sip::digest::Credentials;
use housecall_sip::transaction::Peer;
use housecall_sip::user_agent::{
    self, AgentOptions, Ask, Body, CallHandle, End, Event, Invite, Reply, UserAgent,
};
use housecall_sip::{Message, Method, Name, NameAddr, StatusCode, Uri};

use crate::ear::{Ear, Sound};
use crate::{HeardCall, Input, Network, NetworkOptions, Output};

const FRAME: Duration = Duration::from_millis(20);

/// What happened to the caller, in order, and when after the start.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    Progress(u16),
    Answered,
    Renegotiated,
    /// The network described the session anew, and this is what it left us.
    Asked(Direction),
    HungUp,
    Refused(u16),
    Over,
}

pub(super) struct World {
    pub(super) network: Network,
    agent: UserAgent,
    session: AudioSession,
    offered: Direction,
    target: Option<MediaTarget>,
    call: Option<CallHandle>,
    zero: Instant,
    now: Instant,
    caller: SocketAddr,
    sip: SocketAddr,
    credentials: Credentials,
    sender: RtpSender,
    keys: KeySender,
    event_timestamp: u32,
    ear: Ear,
    pub(super) packets: u64,
    srtp: Option<Srtp>,
    pub(super) reports: Vec<Report>,
    /// Provisional responses that wanted a PRACK.
    pub(super) confirmed: u32,
    /// The last final response that refused the call.
    pub(super) refusal: Option<Message>,
    /// The final response to the last question outside a call.
    reply: Option<Message>,
    pub(super) seen: Vec<(Duration, Seen)>,
    says: Box<dyn FnMut() -> Option<Frame>>,
}

impl World {
    pub(super) fn new() -> World {
        World::with(NetworkOptions::default())
    }

    pub(super) fn with(options: NetworkOptions) -> World {
        let caller = SocketAddr::from(([127, 0, 0, 1], 5080));
        let codecs = [Codec::Pcma, Codec::Pcmu, Codec::TelephoneEvent];
        let now = Instant::now();
        World {
            sip: options.sip,
            network: Network::new(options),
            agent: UserAgent::new(AgentOptions {
                contact_user: "harbour".to_owned(),
                ..AgentOptions::new(caller, 7)
            }),
            session: AudioSession::new(7, SocketAddr::from(([127, 0, 0, 1], 40_000)), &codecs),
            offered: Direction::SendRecv,
            target: None,
            call: None,
            zero: now,
            now,
            caller,
            credentials: Credentials::new("harbour", "harbour-street"),
            sender: RtpSender::new(7),
            keys: KeySender::default(),
            event_timestamp: 0,
            ear: Ear::default(),
            packets: 0,
            srtp: None,
            reports: Vec::new(),
            confirmed: 0,
            refusal: None,
            reply: None,
            seen: Vec::new(),
            says: Box::new(|| None),
        }
    }

    pub(super) fn password(mut self, password: &str) -> World {
        self.credentials = Credentials::new("harbour", password);
        self
    }

    /// Offers SRTP, and nothing else.
    pub(super) fn secured(mut self) -> World {
        let local = SrtpKey::random([9; SrtpKey::BYTES]);
        self.session = self.session.with_srtp(SrtpOffer { local });
        self
    }

    pub(super) fn dial(&mut self, number: &str) {
        let uri = |user: &str| Uri::sip(user, "sip.carrier.test").unwrap();
        let offer = self.session.offer(Direction::SendRecv);
        self.offered = Direction::SendRecv;
        let invite = Invite {
            to_peer: Peer::udp(self.sip),
            uri: uri(number),
            from: NameAddr::new(uri("+61255500142")),
            to: NameAddr::new(uri(number)),
            headers: Vec::new(),
            body: Some(Body::sdp(offer)),
            credentials: Some(self.credentials.clone()),
        };
        self.call = Some(self.agent.invite(self.now, invite));
        self.settle();
    }

    /// Sends a REGISTER with these headers, and returns what comes of it.
    pub(super) fn register(&mut self, headers: &[(&str, &str)]) -> u16 {
        let headers = headers.iter();
        let uri = Uri::parse("sip:sip.carrier.test").unwrap();
        let us = NameAddr::new(Uri::parse("sip:harbour@sip.carrier.test").unwrap());
        let ask = Ask {
            method: Method::Register,
            to_peer: Peer::udp(self.sip),
            uri,
            from: us.clone(),
            to: us,
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: None,
            credentials: Some(self.credentials.clone()),
            call_id: None,
            cseq: None,
        };
        self.agent.ask(self.now, ask);
        self.settle();
        let reply = self.reply.take().unwrap();
        reply.status().unwrap().code()
    }

    pub(super) fn offer(&mut self, direction: Direction) {
        self.offered = direction;
        let offer = self.session.offer(direction);
        let call = self.call.unwrap();
        self.agent
            .reinvite(self.now, call, Body::sdp(offer))
            .unwrap();
        self.settle();
    }

    pub(super) fn hang_up(&mut self) {
        self.agent.hang_up(self.now, self.call.unwrap());
        self.settle();
    }

    /// What the caller says from now on, 20 ms at a time.
    pub(super) fn say(&mut self, mut sound: impl FnMut() -> Frame + 'static) {
        self.says = Box::new(move || Some(sound()));
    }

    pub(super) fn fall_silent(&mut self) {
        self.says = Box::new(|| None);
    }

    pub(super) fn press(&mut self, keys: &str) {
        for key in keys.chars().filter_map(Key::new) {
            self.keys.press(key).unwrap();
        }
    }

    /// Presses a key with an INFO that says `body`.
    pub(super) fn info(&mut self, content_type: &str, body: &str) {
        let body = Body {
            content_type: content_type.to_owned(),
            bytes: Bytes::copy_from_slice(body.as_bytes()),
        };
        self.agent.info(self.now, self.call.unwrap(), body).unwrap();
        self.settle();
    }

    /// Lets time pass, 20 ms at a time and at every timer between.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            let frame_end = self.now + FRAME;
            while let Some(due) = self.next_timeout().filter(|due| *due <= frame_end) {
                self.now = due.max(self.now);
                self.network.handle_timeout(self.now);
                self.agent.handle_timeout(self.now);
                self.settle();
            }
            self.now = frame_end;
            self.speak();
            self.settle();
        }
    }

    /// What the caller hears.
    pub(super) fn hears(&self) -> Sound {
        self.ear.sound()
    }

    /// What the subscriber of `number` heard in the latest call.
    pub(super) fn heard_at(&self, number: &str) -> HeardCall {
        self.network.report().last_to(number).unwrap().clone()
    }

    /// What the caller has seen, without the times.
    pub(super) fn story(&self) -> Vec<Seen> {
        self.seen.iter().map(|(_, seen)| seen.clone()).collect()
    }

    fn next_timeout(&self) -> Option<Instant> {
        [self.network.poll_timeout(), self.agent.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Carries messages to and fro until nobody has anything to say.
    fn settle(&mut self) {
        let mut quiet = false;
        while !quiet {
            quiet = true;
            while let Some(output) = self.agent.poll_output() {
                quiet = false;
                self.caller_wants(output);
            }
            while let Some(output) = self.network.poll_output() {
                quiet = false;
                self.network_wants(output);
            }
        }
    }

    fn caller_wants(&mut self, output: user_agent::Output) {
        match output {
            user_agent::Output::Send { to, bytes } => {
                assert_eq!(to, Peer::udp(self.sip));
                let from = Peer::udp(self.caller);
                let message = Message::parse(bytes).unwrap();
                self.network
                    .handle_input(self.now, Input::Sip { from, message });
            }
            user_agent::Output::Event(event) => self.event(event),
        }
    }

    fn network_wants(&mut self, output: Output) {
        match output {
            Output::SendSip { to, bytes } => {
                assert_eq!(to, Peer::udp(self.caller));
                let from = Peer::udp(self.sip);
                let message = Message::parse(bytes).unwrap();
                let input = user_agent::Input::Received { from, message };
                self.agent.handle_input(self.now, input);
            }
            Output::SendMedia { to, bytes, .. } => self.hear(to, bytes),
        }
    }

    fn hear(&mut self, to: SocketAddr, bytes: Bytes) {
        if to != self.session.addr() {
            assert_eq!(to.port(), self.session.addr().port() + 1);
            let plain = match &mut self.srtp {
                Some(srtp) => srtp.unprotect_rtcp(&bytes).unwrap(),
                None => bytes,
            };
            return self.reports.push(Report::parse(&plain).unwrap());
        }
        let bytes = match &mut self.srtp {
            Some(srtp) => srtp.unprotect_rtp(&bytes).unwrap(),
            None => bytes,
        };
        let packet = RtpPacket::parse(bytes).unwrap();
        let law = if packet.payload_type == 0 {
            Law::Mu
        } else {
            Law::A
        };
        let mut samples = Vec::new();
        law.decode(&packet.payload, &mut samples);
        self.ear.hear(&samples);
        self.packets += 1;
    }

    fn speak(&mut self) {
        let Some(target) = self.target.clone().filter(|it| it.direction.sends()) else {
            return;
        };
        self.sender.advance(FRAME_SAMPLES as u32);
        let packet = match (self.keys.tick(), (self.says)()) {
            (Some(event), _) => {
                if event.first {
                    self.event_timestamp = self.sender.timestamp();
                }
                let payload_type = target.telephone_event.unwrap();
                self.sender.packet_at(
                    self.event_timestamp,
                    payload_type,
                    event.first,
                    event.payload,
                )
            }
            (None, Some(frame)) => {
                let payload = Law::A.encode(&frame).into();
                self.sender.packet(target.payload_type, false, payload)
            }
            (None, None) => return,
        };
        let plain = packet.to_bytes();
        let datagram = match &mut self.srtp {
            Some(srtp) => srtp.protect_rtp(&plain).unwrap(),
            None => plain,
        };
        let input = Input::Media {
            at: target.remote,
            datagram: &datagram,
        };
        self.network.handle_input(self.now, input);
    }

    fn event(&mut self, event: Event) {
        let seen = match event {
            Event::Progress { message, .. } => {
                self.confirmed += u32::from(message.header(Name::Other("RSeq")).is_some());
                self.agree(&message);
                Seen::Progress(message.status().unwrap().code())
            }
            Event::Answered { message, .. } => {
                self.agree(&message);
                Seen::Answered
            }
            Event::ReinviteAnswered { message, .. } => {
                self.agree(&message);
                Seen::Renegotiated
            }
            Event::Reinvited { call, message } => self.asked(call, &message),
            Event::Acknowledged { .. } => return,
            Event::Replied { message, .. } => {
                self.reply = Some(message);
                return;
            }
            Event::InfoAnswered { status, .. } => return assert_eq!(status, StatusCode::OK),
            Event::Ended { end, .. } => match end {
                End::Refused(message) => {
                    let status = message.status().unwrap().code();
                    self.refusal = Some(message);
                    Seen::Refused(status)
                }
                End::ByThem(_) => Seen::HungUp,
                _ => Seen::Over,
            },
            other => panic!("unexpected {other:?}"),
        };
        self.seen.push((self.now - self.zero, seen));
    }

    fn agree(&mut self, message: &Message) {
        if let Ok(answer) = Description::parse(message.body()) {
            let target = self.session.agreed(&answer, self.offered).unwrap();
            self.moved(target);
        }
    }

    fn moved(&mut self, target: MediaTarget) {
        match (&mut self.srtp, &target.srtp) {
            (Some(srtp), Some(pair)) => srtp.rekey(pair, true).unwrap(),
            (srtp, pair) => *srtp = pair.as_ref().map(|pair| Srtp::new(pair).unwrap()),
        }
        self.target = Some(target);
    }

    /// Agrees to what the network describes anew.
    fn asked(&mut self, call: CallHandle, message: &Message) -> Seen {
        let offer = Description::parse(message.body()).unwrap();
        // Whoever holds goes on holding.
        let answer = self.session.answer(&offer, self.offered).unwrap();
        let direction = answer.target.direction;
        self.moved(answer.target);
        let reply = Reply::new(StatusCode::OK).with_body(Body::sdp(answer.sdp));
        self.agent.respond(self.now, call, reply).unwrap();
        Seen::Asked(direction)
    }
}
