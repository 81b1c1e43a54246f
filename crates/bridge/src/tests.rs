use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::coder::{Decoder, Encoder, decoder, encoder};
use housecall_media::opus::OpusSettings;
use housecall_media::rtp::{RtpPacket, RtpSender};
use housecall_media::sdp::{AudioSession, Codec, Description, Direction};
use housecall_media::telephone_event::KeyListener;
use housecall_media::{Frame, Key, Sine, dominant_frequency_at, level};
use housecall_phone::{Dial, Number, Outcome, Route, Side, Trunk};
use housecall_sip::user_agent::{self, Body, CallHandle, Event, Reply};
use housecall_sip::{AgentOptions, Message, Peer, StatusCode, UserAgent};

use crate::{Bridge, BridgeEvent, BridgeOptions, Error, Input, MediaStats, Output, PhoneOutput};

const OUR_SIP: &str = "192.0.2.10:5060";
const OUR_RTP: &str = "192.0.2.10:40000";
const THEIR_SIP: &str = "198.51.100.7:5060";
const THEIR_RTP: &str = "198.51.100.7:49170";

/// What a browser offers for a call, with nobody behind it: its connection never comes up.
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 110\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
    a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n";

/// A bridge, and a phone at the other end of its trunk that does as it is told, in virtual time.
struct World {
    start: Instant,
    now_ms: u64,
    bridge: Bridge,
    phone: Phone,
    events: Vec<BridgeEvent>,
}

struct Phone {
    agent: UserAgent,
    call: Option<CallHandle>,
    audio: AudioSession,
    invite: Option<Message>,
    /// The status with which re-INVITEs are refused, if they are.
    refuses_hold: bool,
    hum: Option<Sine>,
    codec: Codec,
    encoder: Box<dyn Encoder>,
    decoder: Box<dyn Decoder>,
    rtp: RtpSender,
    keys: KeyListener,
    keys_heard: String,
    heard: Vec<i16>,
    offers: Vec<Direction>,
    byes: u32,
}

impl Phone {
    fn new() -> Self {
        let options = AgentOptions {
            user_agent: "Phone".into(),
            accepts_calls: true,
            ..AgentOptions::new(THEIR_SIP.parse().unwrap(), 2)
        };
        let codecs = [Codec::Pcma, Codec::Pcmu, Codec::TelephoneEvent];
        Self {
            agent: UserAgent::new(options),
            call: None,
            audio: AudioSession::new(5, THEIR_RTP.parse().unwrap(), &codecs),
            invite: None,
            refuses_hold: false,
            hum: None,
            codec: Codec::Pcma,
            encoder: encoder(Codec::Pcma, Codec::Pcma.rate(), OpusSettings::default()).unwrap(),
            decoder: decoder(Codec::Pcma, Codec::Pcma.rate()).unwrap(),
            rtp: RtpSender::new(8),
            keys: KeyListener::default(),
            keys_heard: String::new(),
            heard: Vec::new(),
            offers: Vec::new(),
            byes: 0,
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Invited { call, message, .. } => {
                self.call = Some(call);
                self.invite = Some(message);
            }
            Event::Reinvited { message, .. } if self.refuses_hold => {
                assert!(!message.body().is_empty());
                self.reply(now, Reply::new(StatusCode::NOT_ACCEPTABLE_HERE));
            }
            Event::Reinvited { message, .. } => {
                self.reply_with_answer(now, StatusCode::OK, &message)
            }
            Event::Ended {
                end: user_agent::End::ByThem(_),
                ..
            } => self.byes += 1,
            _ => {}
        }
    }

    fn reply(&mut self, now: Instant, reply: Reply) {
        let call = self.call.expect("an INVITE");
        self.agent.respond(now, call, reply).unwrap();
    }

    fn reply_with_answer(&mut self, now: Instant, status: StatusCode, request: &Message) {
        let offer = Description::parse(request.body()).unwrap();
        self.offers.push(offer.direction_of(&offer.media[0]));
        let answer = self.audio.answer(&offer, Direction::SendRecv).unwrap();
        self.reply(now, Reply::new(status).with_body(Body::sdp(answer.sdp)));
    }

    fn reinvite(&mut self, now: Instant, direction: Direction) {
        let body = Body::sdp(self.audio.offer(direction));
        self.agent.reinvite(now, self.call.unwrap(), body).unwrap();
    }

    /// Speaks another codec of the same clock, and says so.
    fn change_codec(&mut self, now: Instant, codec: Codec) {
        self.codec = codec;
        self.encoder = encoder(codec, codec.rate(), OpusSettings::default()).unwrap();
        self.decoder = decoder(codec, codec.rate()).unwrap();
        let codecs = [codec, Codec::TelephoneEvent];
        self.audio = AudioSession::new(5, THEIR_RTP.parse().unwrap(), &codecs);
        self.reinvite(now, Direction::SendRecv);
    }

    fn packet(&mut self) -> Option<Bytes> {
        let mut frame = Frame::silence(self.codec.rate(), 20);
        let packet = self.hum.as_mut().map(|hum| {
            hum.fill(&mut frame);
            let payload = self.encoder.encode(&frame).unwrap();
            let payload_type = self.codec.payload_type();
            self.rtp.packet(payload_type, false, payload).to_bytes()
        });
        self.rtp.advance(self.codec.clock_rate() / 50);
        packet
    }

    fn hears(&mut self, bytes: Bytes) {
        let packet = RtpPacket::parse(bytes).unwrap();
        match packet.payload_type {
            101 => self.keys_heard.extend(
                self.keys
                    .packet(packet.timestamp, &packet.payload)
                    .map(Key::name),
            ),
            agreed if agreed == self.codec.payload_type() => self
                .decoder
                .decode(&packet.payload, &mut self.heard)
                .unwrap(),
            // On its way when the codec changed.
            0 | 8 | 9 => {}
            other => panic!("payload type {other}"),
        }
    }
}

impl World {
    /// Dials; the INVITE is with the phone.
    fn dial() -> Self {
        Self::dial_with(options())
    }

    fn dial_with(options: BridgeOptions) -> Self {
        let start = Instant::now();
        let (bridge, answer) = Bridge::dial(start, options, OFFER).unwrap();
        assert!(answer.starts_with("v=0") && answer.contains(bridge.ufrag()));
        let mut world = Self {
            start,
            now_ms: 0,
            bridge,
            phone: Phone::new(),
            events: Vec::new(),
        };
        world.run(20);
        assert!(world.phone.invite.is_some());
        world
    }

    /// Dials and is answered; the phone hums.
    fn talking() -> Self {
        let mut world = Self::dial();
        world.phone.hum = Some(Sine::new(1_004.0, -12.0));
        world.answer();
        world.run(500);
        let told = [BridgeEvent::Encrypted(false), BridgeEvent::Answered];
        assert_eq!(world.events, told);
        world.events.clear();
        world
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now_ms)
    }

    fn ring(&mut self) {
        let now = self.now();
        self.phone.reply(now, Reply::new(StatusCode::RINGING));
    }

    fn answer(&mut self) {
        let (now, invite) = (self.now(), self.phone.invite.clone().unwrap());
        self.phone.reply_with_answer(now, StatusCode::OK, &invite);
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            let now = self.now();
            if self.now_ms.is_multiple_of(20)
                && let Some(bytes) = self.phone.packet()
            {
                let from = THEIR_RTP.parse().unwrap();
                self.bridge
                    .handle_input(now, Input::Rtp { from, bytes })
                    .unwrap();
            }
            if self.bridge.poll_timeout().is_some_and(|at| at <= now) {
                self.bridge.handle_timeout(now);
            }
            if self.phone.agent.poll_timeout().is_some_and(|at| at <= now) {
                self.phone.agent.handle_timeout(now);
            }
            while self.exchange(now) {}
            self.now_ms += 1;
        }
    }

    /// Carries one message one way; false if there is none.
    fn exchange(&mut self, now: Instant) -> bool {
        if let Some(output) = self.bridge.poll_output() {
            self.bridge_said(now, output);
        } else if let Some(output) = self.phone.agent.poll_output() {
            match output {
                user_agent::Output::Send { bytes, .. } => {
                    let message = Message::parse(bytes).unwrap();
                    let from = Peer::udp(THEIR_SIP.parse().unwrap());
                    self.bridge
                        .handle_input(now, Input::Sip { from, message })
                        .unwrap();
                }
                user_agent::Output::Event(event) => self.phone.event(now, event),
            }
        } else {
            return false;
        }
        true
    }

    fn bridge_said(&mut self, now: Instant, output: Output) {
        match output {
            Output::Phone(PhoneOutput::SendSip { bytes, .. }) => {
                let (from, message) = (
                    Peer::udp(OUR_SIP.parse().unwrap()),
                    Message::parse(bytes).unwrap(),
                );
                self.phone
                    .agent
                    .handle_input(now, user_agent::Input::Received { from, message });
            }
            Output::Phone(PhoneOutput::SendRtp { to, bytes }) => {
                assert_eq!(to.to_string(), THEIR_RTP);
                self.phone.hears(bytes);
            }
            Output::Event(event) => self.events.push(event),
            Output::Phone(PhoneOutput::CallId(_) | PhoneOutput::SendRtcp { .. })
            | Output::SendBrowser { .. }
            | Output::BrowserAddressProved(_) => {}
        }
    }

    fn phone_hears(&mut self, ms: u64) -> f32 {
        self.phone.heard.clear();
        self.run(ms);
        level(&self.phone.heard).0
    }

    fn ended(&self) -> (Outcome, Side, MediaStats) {
        match self.events.last() {
            Some(BridgeEvent::Ended { ended, stats }) => (ended.outcome, ended.by, *stats),
            other => panic!("not ended but {other:?}"),
        }
    }
}

#[test]
fn it_rings_is_answered_and_hung_up_by_us() {
    let mut world = World::dial();
    world.ring();
    world.run(1_000);
    assert_eq!(world.events, [BridgeEvent::Ringing]);
    assert!(world.phone.heard.is_empty());
    world.answer();
    world.run(1_000);
    let told = [
        BridgeEvent::Ringing,
        BridgeEvent::Encrypted(false),
        BridgeEvent::Answered,
    ];
    assert_eq!(world.events, told);
    assert!(world.phone.heard.len() > 7_500);
    world.bridge.hang_up(world.now());
    world.run(100);
    let (outcome, by, stats) = world.ended();
    assert_eq!(
        (outcome, by, world.phone.byes),
        (Outcome::Completed, Side::Us, 1)
    );
    assert!(stats.rtp_sent >= 48);
    world.run(40_000);
    assert!(world.bridge.is_finished());
    assert_eq!(world.bridge.poll_timeout(), None);
    assert_eq!(world.events.len(), 4);
}

#[test]
fn early_audio_is_told_before_the_answer() {
    let mut world = World::dial();
    let (now, invite) = (world.now(), world.phone.invite.clone().unwrap());
    world.phone.hum = Some(Sine::new(400.0, -12.0));
    world
        .phone
        .reply_with_answer(now, StatusCode::SESSION_PROGRESS, &invite);
    world.run(1_000);
    let told = [BridgeEvent::Encrypted(false), BridgeEvent::EarlyAudio];
    assert_eq!(world.events, told);
    assert!(world.bridge.stats().from_phone.played > 40);
    assert!(matches!(
        world.bridge.digit(world.now(), '1'),
        Err(Error::WrongMoment { .. })
    ));
}

#[test]
fn hold_is_offered_plays_music_and_is_taken_back() {
    let mut world = World::talking();
    world.bridge.hold(world.now()).unwrap();
    assert!(world.bridge.hold(world.now()).is_err());
    world.run(200);
    assert_eq!(world.events, [BridgeEvent::Held]);
    let music = world.phone_hears(8_000);
    assert!((-26.0..=-16.0).contains(&music), "{music} dBFS");
    world.bridge.resume(world.now()).unwrap();
    world.run(200);
    assert_eq!(world.events, [BridgeEvent::Held, BridgeEvent::Resumed]);
    assert_eq!(
        world.phone.offers,
        [
            Direction::SendRecv,
            Direction::SendOnly,
            Direction::SendRecv
        ]
    );
    let after = world.phone_hears(1_000);
    assert!(after < -60.0, "music goes on at {after} dBFS");
}

/// RFC 3264 §8.4: told to the page; however long they hold, their silence is not taken for a broken call.
#[test]
fn the_other_side_holds_for_longer_than_it_may_be_silent() {
    for direction in [Direction::SendOnly, Direction::Inactive] {
        let mut world = World::talking();
        world.phone.reinvite(world.now(), direction);
        world.phone.hum = None;
        world.run(200);
        assert_eq!(world.events, [BridgeEvent::HeldByThem]);
        world.phone_hears(2_000);
        assert!(world.phone.heard.is_empty());
        world.run(15_000);
        world.phone.reinvite(world.now(), Direction::SendRecv);
        world.run(200);
        let told = [BridgeEvent::HeldByThem, BridgeEvent::ResumedByThem];
        assert_eq!(world.events, told);
        assert!(world.phone_hears(1_000) > -100.0);
    }
}

/// A BYE that never came: the phone is gone, and its silence says so.
#[test]
fn a_phone_that_vanishes_is_missed() {
    let mut world = World::talking();
    world.phone.hum = None;
    world.run(9_900);
    assert_eq!(world.events, []);
    world.run(1_000);
    let (outcome, by, _) = world.ended();
    assert_eq!((outcome, by), (Outcome::MediaLost, Side::Us));
    assert_eq!(world.phone.byes, 1);
}

#[test]
fn a_refused_hold_leaves_everything_as_it_was() {
    let mut world = World::talking();
    world.phone.refuses_hold = true;
    world.bridge.hold(world.now()).unwrap();
    world.run(200);
    assert_eq!(world.events, [BridgeEvent::HoldRefused]);
    let after = world.phone_hears(1_000);
    assert!(after < -60.0, "music at {after} dBFS");
}

/// RFC 3264 §8.3.2: the phone's network moves the call to another codec, and later back.
#[test]
fn a_re_invite_changes_the_codec() {
    let mut options = options();
    let route = options.dial.routes.first_mut().unwrap();
    Arc::make_mut(&mut route.trunk)
        .codecs
        .insert(0, Codec::G722);
    let mut world = World::dial_with(options);
    world.phone.hum = Some(Sine::new(1_004.0, -12.0));
    world.answer();
    world.run(500);
    for codec in [Codec::G722, Codec::Pcmu] {
        world.phone.change_codec(world.now(), codec);
        world.run(200);
        let played = world.bridge.stats().from_phone.played;
        world.bridge.hold(world.now()).unwrap();
        let music = world.phone_hears(2_000);
        assert!((-28.0..=-14.0).contains(&music), "{codec}: {music} dBFS");
        let note = dominant_frequency_at(codec.rate(), &world.phone.heard);
        assert!(note.is_some_and(|hertz| hertz < 800.0), "{note:?}");
        world.bridge.resume(world.now()).unwrap();
        world.bridge.digit(world.now(), '7').unwrap();
        world.run(1_000);
        let stats = world.bridge.stats();
        assert!(stats.from_phone.played > played + 100);
        assert_eq!((stats.wrong_payload_type, stats.malformed), (0, 0));
    }
    assert_eq!(world.phone.keys_heard, "77");
}

#[test]
fn an_answer_in_none_of_our_codecs_ends_the_call_and_says_so() {
    let mut world = World::dial();
    let g729 = "v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 49170 RTP/AVP 18\r\n".to_owned();
    let reply = Reply::new(StatusCode::OK).with_body(Body::sdp(g729));
    world.phone.reply(world.now(), reply);
    world.run(100);
    let (outcome, by, stats) = world.ended();
    assert_eq!((outcome, by), (Outcome::NoCommonSound, Side::Us));
    assert_eq!((stats.rtp_sent, world.phone.byes), (0, 1));
}

#[test]
fn keys_reach_the_phone_exactly() {
    let mut world = World::talking();
    for digit in "1234567890*#".chars() {
        world.bridge.digit(world.now(), digit).unwrap();
    }
    assert!(matches!(
        world.bridge.digit(world.now(), 'x'),
        Err(Error::NoSuchKey('x'))
    ));
    world.run(4_000);
    assert_eq!(world.phone.keys_heard, "1234567890*#");
    assert_eq!(world.bridge.stats().keys, 12);
}

#[test]
fn the_other_side_hangs_up() {
    let mut world = World::talking();
    let (now, call) = (world.now(), world.phone.call.unwrap());
    world.phone.agent.hang_up(now, call);
    world.run(100);
    let (outcome, by, stats) = world.ended();
    assert_eq!((outcome, by), (Outcome::Completed, Side::Them));
    assert!(
        stats.from_phone.received > 20 && stats.opinion_score() > 4.0,
        "{stats:?}"
    );
}

#[test]
fn busy_costs_nobody_anything_and_says_so() {
    let mut world = World::dial();
    world
        .phone
        .reply(world.now(), Reply::new(StatusCode::BUSY_HERE));
    world.run(100);
    assert_eq!(world.events.len(), 1);
    assert_eq!(world.ended().0, Outcome::Busy);
    assert_eq!(world.ended().2.rtp_sent, 0);
}

#[test]
fn a_browser_that_never_connects_ends_the_call() {
    let mut world = World::talking();
    world.run(35_000);
    assert_eq!(world.events.first(), Some(&BridgeEvent::BrowserLost));
    assert_eq!(world.ended().0, Outcome::Completed);
    assert_eq!(world.phone.byes, 1);
}

#[test]
fn an_offer_that_is_none_dials_nobody() {
    let refused = Bridge::dial(Instant::now(), options(), "hello").unwrap_err();
    assert_eq!(refused.to_string(), "offer has no v=0 line");
}

fn options() -> BridgeOptions {
    let trunk = Trunk::new("Carrier", "sip.carrier.test");
    let dial = Dial::new(
        vec![Route::new(trunk, Peer::udp(THEIR_SIP.parse().unwrap()))],
        Number::from_e164("+61255500142").unwrap(),
        Number::from_e164("+61491570006").unwrap(),
        OUR_SIP.parse().unwrap(),
        OUR_RTP.parse().unwrap(),
        1,
    );
    let mut options = BridgeOptions::new(dial, "192.0.2.10:7000".parse().unwrap());
    // Less than a browser that never connects is waited for.
    options.path.silence_max = Duration::from_secs(10);
    options
}
