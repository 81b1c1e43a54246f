use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::coder::{Decoder, Encoder, decoder, encoder};
use housecall_media::g711::Law;
use housecall_media::opus::OpusSettings;
use housecall_media::rtp::{Reception, Report, RtpPacket, RtpSender};
use housecall_media::sdp::{Codec, Direction, MediaTarget, OpusParameters};
use housecall_media::srtp::Srtp;
use housecall_media::telephone_event::{KeyListener, TelephoneEvent};
use housecall_media::testing::Network;
use housecall_media::{
    FRAME_SAMPLES, Frame, Key, KeyDetector, Rate, Sine, dominant_frequency_at, level, level_at,
};

mod codecs;
mod delay;
mod heard_keys;
mod incidents;
mod quality;
mod secured;
mod straight;
mod weather;

use super::{EarFrame, EarPacket, MediaPath, MediaStats, PathOptions, PathOutput};

const PHONE: &str = "192.0.2.1:4000";
const PHONE_RTCP: &str = "192.0.2.1:4001";
/// The payload types of named events, under either clock.
const EVENTS: [u8; 2] = [101, 110];
/// How often a phone in any weather reports (RFC 3550 §6.2).
const REPORT_EVERY_MS: u64 = 5_000;
const CALLER_HERTZ: f32 = 440.0;
const CALLEE_HERTZ: f32 = 1_004.0;
const SENT_DBFS: f32 = -12.0;

/// A caller at a browser who hums 440 Hz, a callee at a phone who hums 1004 Hz, and a path between them, in virtual time.
struct World {
    seed: u64,
    start: Instant,
    now_ms: u64,
    path: MediaPath,
    caller: Caller,
    callee: Callee,
    /// How much later than at once packets arrive, at most, in each direction.
    jitter_ms: u64,
    /// Of 100 packets in each direction.
    lost: u64,
    /// Worse than that: what the caller's, the callee's and our own packets come through.
    weather: Option<[Network; 3]>,
    /// What is on its way: arrival in ms.
    to_path: Vec<(u64, Packet)>,
    phone_lost: u32,
    /// What was sent to the callee in named events, heard or not.
    sent_keys: SentKeys,
    /// What the callee pressed, as the path tells.
    keys_heard: String,
    reports: Vec<Report>,
}

#[derive(Clone)]
enum Packet {
    Ear(EarPacket),
    Rtp(SocketAddr, Bytes),
    Rtcp(SocketAddr, Bytes),
}

/// The keys that left in named events, in order.
#[derive(Default)]
struct SentKeys {
    keys: Vec<SentKey>,
    /// Each takes the place of 20 ms of voice.
    packets: u64,
}

struct SentKey {
    /// All packets of an event share it (RFC 4733 §2.1).
    timestamp: u32,
    name: char,
    /// Whether any of its packets arrived.
    arrived: bool,
}

impl SentKeys {
    fn note(&mut self, packet: &RtpPacket, arrived: bool) {
        let Some(key) = TelephoneEvent::parse(&packet.payload).and_then(|event| event.key()) else {
            return;
        };
        self.packets += 1;
        match self.keys.last_mut() {
            Some(last) if last.timestamp == packet.timestamp => last.arrived |= arrived,
            _ => self.keys.push(SentKey {
                timestamp: packet.timestamp,
                name: key.name(),
                arrived,
            }),
        }
    }

    fn all(&self) -> String {
        self.keys.iter().map(|key| key.name).collect()
    }

    fn arrived(&self) -> String {
        let arrived = self.keys.iter().filter(|key| key.arrived);
        arrived.map(|key| key.name).collect()
    }
}

struct Caller {
    hum: Option<Sine>,
    codec: Codec,
    voice: Voice,
    sequence: u16,
    timestamp: u32,
    heard: Vec<i16>,
    timestamps: Vec<u32>,
    frames: Vec<EarFrame>,
}

struct Callee {
    codec: Codec,
    voice: Voice,
    /// How long its own packets are.
    ptime_ms: u64,
    srtp: Option<Srtp>,
    addr: SocketAddr,
    hum: Option<Sine>,
    rtp: RtpSender,
    reception: Option<Reception>,
    keys: KeyListener,
    keys_heard: String,
    heard: Vec<i16>,
    packets: Vec<RtpPacket>,
}

/// Both directions of a codec at one end.
struct Voice {
    rate: Rate,
    encoder: Box<dyn Encoder>,
    decoder: Box<dyn Decoder>,
}

impl Voice {
    fn new(codec: Codec, rate: Rate) -> Self {
        Self {
            rate,
            encoder: encoder(codec, rate, OpusSettings::default()).unwrap(),
            decoder: decoder(codec, rate).unwrap(),
        }
    }

    fn says(&mut self, hum: &mut Sine, ms: u64) -> Bytes {
        let mut samples = Vec::new();
        for _ in 0..ms / 10 {
            let mut frame = Frame::silence(self.rate, 10);
            hum.fill(&mut frame);
            samples.extend(frame);
        }
        self.encoder.encode(&samples).unwrap()
    }
}

fn target(codec: Codec) -> MediaTarget {
    let remote: SocketAddr = PHONE.parse().unwrap();
    MediaTarget {
        remote,
        rtcp: Some(PHONE_RTCP.parse().unwrap()),
        codec,
        payload_type: codec.payload_type(),
        telephone_event: Some(codec.telephone_event().payload_type()),
        heard: vec![
            (0, Codec::Pcmu),
            (8, Codec::Pcma),
            (codec.payload_type(), codec),
            (101, Codec::TelephoneEvent),
        ],
        opus: OpusParameters::default(),
        direction: Direction::SendRecv,
        ptime_ms: 20,
        maxptime_ms: 60,
        srtp: None,
    }
}

impl World {
    fn new(seed: u64) -> Self {
        Self::with(PathOptions::new("AU", seed))
    }

    fn with(options: PathOptions) -> Self {
        let start = Instant::now();
        Self {
            seed: options.seed,
            start,
            now_ms: 0,
            caller: Caller::new(options.ear.codec),
            path: MediaPath::new(start, options).unwrap(),
            callee: Callee::new(Codec::Pcma),
            jitter_ms: 0,
            lost: 0,
            weather: None,
            to_path: Vec::new(),
            phone_lost: 0,
            sent_keys: SentKeys::default(),
            keys_heard: String::new(),
            reports: Vec::new(),
        }
    }

    /// A world whose callee has answered.
    fn talking(seed: u64, codec: Codec) -> Self {
        let mut world = Self::new(seed);
        world.agree(target(codec));
        world.path.answered(world.start);
        world
    }

    /// The callee speaks another codec, or in another way, from now on, and has said so.
    fn agree(&mut self, target: MediaTarget) {
        if self.callee.codec != target.codec {
            self.callee.speak(target.codec);
        }
        // A caller who could speak more than the callee hears is measured at what the callee hears.
        let rate = target.codec.rate().min(self.caller.codec.rate());
        if self.caller.voice.rate != rate {
            self.caller.voice = Voice::new(self.caller.codec, rate);
        }
        self.path.target(self.now(), target);
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now_ms)
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below.max(1)
    }

    /// Lets time pass, a millisecond at a time; everybody hums in packets.
    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.speak();
            self.deliver();
            if self.path.poll_timeout() <= self.now() {
                self.path.handle_timeout(self.now());
            }
            self.take_outputs();
            self.now_ms += 1;
        }
    }

    fn speak(&mut self) {
        if self.now_ms.is_multiple_of(20)
            && let Some(packet) = self.caller.packet()
        {
            self.send(Packet::Ear(packet));
        }
        if self.now_ms.is_multiple_of(self.callee.ptime_ms)
            && let Some((from, bytes)) = self.callee.packet()
        {
            self.send(Packet::Rtp(from, bytes));
        }
        let reports = self.weather.is_some() && self.now_ms.is_multiple_of(REPORT_EVERY_MS);
        if reports && let Some((from, bytes)) = self.callee.report(self.now()) {
            self.send(Packet::Rtcp(from, bytes));
        }
    }

    fn send(&mut self, packet: Packet) {
        if let Some([caller, callee, _]) = &mut self.weather {
            let network = match &packet {
                Packet::Ear(_) => caller,
                Packet::Rtp(..) | Packet::Rtcp(..) => callee,
            };
            let arrivals = network.arrivals(self.now_ms * 1_000);
            let arrivals = arrivals.into_iter().map(|at_us| at_us / 1_000);
            self.to_path.extend(arrivals.map(|at| (at, packet.clone())));
            return;
        }
        let lost = self.random(100) < self.lost;
        let at = self.now_ms + self.random(self.jitter_ms + 1);
        if !lost {
            self.to_path.push((at, packet));
        }
    }

    fn deliver(&mut self) {
        let now = self.now();
        let (due, later) = std::mem::take(&mut self.to_path)
            .into_iter()
            .partition(|(at, _)| *at <= self.now_ms);
        self.to_path = later;
        let mut due: Vec<(u64, Packet)> = due;
        due.sort_by_key(|(at, _)| *at);
        for (_, packet) in due {
            match packet {
                Packet::Ear(packet) => self.path.ear(now, packet),
                Packet::Rtp(from, bytes) => self.path.rtp(now, from, bytes),
                Packet::Rtcp(from, bytes) => self.path.rtcp(now, from, &bytes),
            }
        }
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.path.poll_output() {
            let lost = self.is_lost_on_the_way_out();
            match output {
                PathOutput::Rtp { to, bytes } => {
                    assert_eq!(to, self.callee.addr);
                    let packet = self.callee.open(bytes);
                    if EVENTS.contains(&packet.payload_type) {
                        self.sent_keys.note(&packet, !lost);
                    }
                    if !lost {
                        self.callee.hears(self.now(), packet);
                    }
                }
                PathOutput::Ear(frame) if !lost => self.caller.hears(frame),
                PathOutput::Ear(_) => {}
                PathOutput::Rtcp { bytes, .. } => {
                    let bytes = match &mut self.callee.srtp {
                        Some(srtp) => srtp.unprotect_rtcp(&bytes).unwrap(),
                        None => bytes,
                    };
                    self.reports.push(Report::parse(&bytes).unwrap());
                }
                PathOutput::KeyHeard(key) => self.keys_heard.push(key.name()),
                PathOutput::PhoneLost => self.phone_lost += 1,
            }
        }
    }

    fn is_lost_on_the_way_out(&mut self) -> bool {
        match &mut self.weather {
            Some([.., ours]) => ours.arrivals(self.now_ms * 1_000).is_empty(),
            None => self.random(100) < self.lost,
        }
    }

    /// Forgets what was heard, lets `ms` pass, and gives what the caller and the callee heard meanwhile.
    fn listen(&mut self, ms: u64) -> (Vec<i16>, Vec<i16>) {
        self.caller.heard.clear();
        self.callee.heard.clear();
        self.run(ms);
        (
            std::mem::take(&mut self.caller.heard),
            std::mem::take(&mut self.callee.heard),
        )
    }

    fn press(&mut self, keys: &str) {
        for name in keys.chars() {
            self.path.press(Key::new(name).unwrap()).unwrap();
        }
    }

    fn stats(&self) -> MediaStats {
        self.path.stats()
    }
}

impl Caller {
    fn new(codec: Codec) -> Self {
        Self {
            hum: Some(Sine::new(CALLER_HERTZ, SENT_DBFS)),
            codec,
            voice: Voice::new(codec, Rate::Narrow),
            sequence: 65_000,
            timestamp: 4_294_000_000,
            heard: Vec::new(),
            timestamps: Vec::new(),
            frames: Vec::new(),
        }
    }

    fn packet(&mut self) -> Option<EarPacket> {
        let payload = self.hum.as_mut().map(|hum| self.voice.says(hum, 20));
        let packet = payload.map(|payload| EarPacket {
            ssrc: 7,
            sequence: self.sequence,
            timestamp: self.timestamp,
            payload,
        });
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.codec.clock_rate() / 50);
        packet
    }

    fn hears(&mut self, frame: EarFrame) {
        self.timestamps.push(frame.timestamp);
        self.voice
            .decoder
            .decode(&frame.payload, &mut self.heard)
            .unwrap();
        self.frames.push(frame);
    }
}

impl Callee {
    fn new(codec: Codec) -> Self {
        Self {
            codec,
            voice: Voice::new(codec, codec.rate()),
            ptime_ms: 20,
            srtp: None,
            addr: PHONE.parse().unwrap(),
            hum: Some(Sine::new(CALLEE_HERTZ, SENT_DBFS)),
            rtp: RtpSender::new(99),
            reception: None,
            keys: KeyListener::default(),
            keys_heard: String::new(),
            heard: Vec::new(),
            packets: Vec::new(),
        }
    }

    /// Speaks and hears another codec. Under another clock it is another stream (RFC 7160 §4.1).
    fn speak(&mut self, codec: Codec) {
        if codec.clock_rate() != self.codec.clock_rate() {
            self.rtp = RtpSender::new(u64::from(self.rtp.ssrc()));
        }
        self.codec = codec;
        self.voice = Voice::new(codec, codec.rate());
    }

    fn packet(&mut self) -> Option<(SocketAddr, Bytes)> {
        let ms = self.ptime_ms;
        let payload = self.hum.as_mut().map(|hum| self.voice.says(hum, ms));
        let packet =
            payload.map(|payload| self.rtp.packet(self.codec.payload_type(), false, payload));
        self.rtp
            .advance(self.codec.clock_rate() / 1_000 * ms as u32);
        packet.map(|packet| (self.addr, self.protect(packet.to_bytes())))
    }

    fn protect(&mut self, packet: Bytes) -> Bytes {
        match &mut self.srtp {
            Some(srtp) => srtp.protect_rtp(&packet).unwrap(),
            None => packet,
        }
    }

    fn open(&mut self, bytes: Bytes) -> RtpPacket {
        let bytes = match &mut self.srtp {
            Some(srtp) => srtp.unprotect_rtp(&bytes).unwrap(),
            None => bytes,
        };
        RtpPacket::parse(bytes).unwrap()
    }

    fn hears(&mut self, now: Instant, packet: RtpPacket) {
        let clock_rate = self.codec.clock_rate();
        match &mut self.reception {
            Some(reception) if reception.ssrc() == packet.ssrc => reception.received(now, &packet),
            reception => *reception = Some(Reception::new(now, clock_rate, &packet)),
        }
        if EVENTS.contains(&packet.payload_type) {
            let key = self.keys.packet(packet.timestamp, &packet.payload);
            self.keys_heard.extend(key.map(Key::name));
        } else {
            let Voice { decoder, .. } = &mut self.voice;
            decoder.decode(&packet.payload, &mut self.heard).unwrap();
        }
        self.packets.push(packet);
    }

    /// What it says of the sound that it gets.
    fn report(&mut self, now: Instant) -> Option<(SocketAddr, Bytes)> {
        let report = Report {
            ssrc: self.rtp.ssrc(),
            blocks: vec![self.reception.as_mut()?.report(now)],
            ..Report::default()
        };
        Some((PHONE_RTCP.parse().unwrap(), report.to_bytes("phone")))
    }
}

fn assert_tone(sound: &[i16], hertz: f32, dbfs: f32, tolerance_db: f32) {
    assert_tone_at(Rate::Narrow, sound, hertz, dbfs, tolerance_db);
}

fn assert_tone_at(rate: Rate, sound: &[i16], hertz: f32, dbfs: f32, tolerance_db: f32) {
    let heard = dominant_frequency_at(rate, sound).expect("silence");
    assert!((heard - hertz).abs() < 4.0, "{heard} Hz, not {hertz}");
    assert!(
        (level(sound).0 - dbfs).abs() < tolerance_db,
        "{:?}, not {dbfs}",
        level(sound)
    );
}

#[test]
fn both_hear_each_other_in_either_law() {
    for codec in [Codec::Pcma, Codec::Pcmu] {
        let mut world = World::talking(1, codec);
        world.run(3_000);
        let (caller, callee) = world.listen(2_000);
        assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
        assert_tone(&callee, CALLER_HERTZ, SENT_DBFS, 2.0);
        assert_eq!(callee.len(), 100 * FRAME_SAMPLES);
        let stats = world.stats();
        assert_eq!(
            (stats.from_phone.concealed, stats.from_browser.concealed),
            (0, 0),
            "{stats:?}"
        );
        assert!(
            stats.opinion_score() > 4.2,
            "{} {stats:?}",
            stats.opinion_score()
        );
    }
}

#[test]
fn jitter_and_loss_are_bridged_both_ways() {
    for seed in 0..8 {
        let mut world = World::talking(seed, Codec::Pcma);
        (world.jitter_ms, world.lost) = (50, 3);
        world.run(3_000);
        let (caller, callee) = world.listen(4_000);
        // 3 % is lost again on the way from the path, where nothing bridges it here.
        assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 3.0);
        assert_tone(&callee, CALLER_HERTZ, SENT_DBFS, 3.0);
        let stats = world.stats();
        for direction in [stats.from_phone, stats.from_browser] {
            assert!(
                direction.concealed_part() < 0.08,
                "seed {seed}: {direction:?}"
            );
            assert!(direction.delay_ms <= 200, "seed {seed}: {direction:?}");
        }
        assert!(
            stats.rtp_lost > 2 && stats.rtp_lost < 25,
            "seed {seed}: {stats:?}"
        );
    }
}

#[test]
fn mute_sends_silence_and_goes_on_sending() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(3_000);
    world.path.mute(true);
    world.run(100);
    let (caller, callee) = world.listen(1_000);
    assert_eq!(callee.len(), 50 * FRAME_SAMPLES);
    // A-law has no zero: its silence is the smallest step.
    assert!(level(&callee).0 < -65.0, "{:?}", level(&callee));
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    world.path.mute(false);
    world.run(100);
    assert_tone(&world.listen(1_000).1, CALLER_HERTZ, SENT_DBFS, 2.0);
}

#[test]
fn hold_plays_music_to_the_callee_and_nothing_to_the_caller_and_resume_joins_them_again() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    world.path.hold(world.now(), true);
    world.path.target(
        world.now(),
        MediaTarget {
            direction: Direction::SendOnly,
            ..target(Codec::Pcma)
        },
    );
    world.run(200);
    let (caller, callee) = world.listen(16_000);
    assert!(
        level(&caller).0 < -60.0,
        "the caller hears {:?}",
        level(&caller)
    );
    let music = level(&callee).0;
    assert!((-24.0..=-16.0).contains(&music), "{music} dBFS");
    assert!(
        level_at(&callee, CALLER_HERTZ).0 < -30.0,
        "the callee hears the caller"
    );
    world.path.hold(world.now(), false);
    world.path.target(world.now(), target(Codec::Pcma));
    world.run(300);
    let (caller, callee) = world.listen(1_000);
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    assert_tone(&callee, CALLER_HERTZ, SENT_DBFS, 2.0);
    let numbers: Vec<u16> = world
        .callee
        .packets
        .iter()
        .map(|packet| packet.sequence)
        .collect();
    assert!(
        numbers
            .windows(2)
            .all(|two| two[1] == two[0].wrapping_add(1)),
        "the numbers do not go on"
    );
    assert!(
        world
            .callee
            .packets
            .windows(2)
            .all(|two| two[1].timestamp.wrapping_sub(two[0].timestamp) == 160)
    );
}

#[test]
fn a_phone_that_is_held_may_be_silent_but_not_one_that_talks() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    world.path.hold(world.now(), true);
    world.callee.hum = None;
    world.run(60_000);
    assert_eq!(world.phone_lost, 0);
    world.path.hold(world.now(), false);
    world.run(29_900);
    assert_eq!(world.phone_lost, 0);
    world.run(60_000);
    assert_eq!(world.phone_lost, 1);
}

#[test]
fn a_phone_that_holds_us_gets_nothing_and_may_be_silent() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(500);
    world.path.target(
        world.now(),
        MediaTarget {
            direction: Direction::Inactive,
            ..target(Codec::Pcma)
        },
    );
    world.callee.hum = None;
    let (_, callee) = world.listen(60_000);
    assert_eq!((callee.len(), world.phone_lost), (0, 0));
    world.path.target(world.now(), target(Codec::Pcma));
    let marked = world.callee.packets.len();
    world.run(1_000);
    assert!(
        world.callee.packets[marked].marker,
        "sound after a pause begins a talk spurt"
    );
}

#[test]
fn keys_are_exact_under_loss_and_disorder() {
    const DIALLED: &str = "1234#0*99ABCD55";
    for seed in 0..10 {
        let mut world = World::talking(seed, Codec::Pcma);
        (world.jitter_ms, world.lost) = (60, 20);
        world.run(500);
        world.press(DIALLED);
        world.run(5_000);
        assert_eq!(world.callee.keys_heard, DIALLED, "seed {seed}");
    }
}

#[test]
fn a_phone_without_named_events_hears_tones() {
    let mut world = World::talking(1, Codec::Pcma);
    world.path.target(
        world.now(),
        MediaTarget {
            telephone_event: None,
            ..target(Codec::Pcma)
        },
    );
    world.path.mute(true);
    world.run(500);
    world.press("42##0");
    let (_, callee) = world.listen(2_000);
    let heard: String = KeyDetector::default()
        .listen(&callee)
        .into_iter()
        .map(Key::name)
        .collect();
    assert_eq!(heard, "42##0");
}

#[test]
fn the_caller_hears_the_country_s_ringing_until_the_phone_is_heard() {
    let mut world = World::new(1);
    world.callee.hum = None;
    world.path.ring();
    let (caller, _) = world.listen(400);
    assert!(level_at(&caller, 400.0).0 > -28.0 && level_at(&caller, 450.0).0 > -28.0);
    // Early audio: its first packet ends the ringing.
    world.path.target(world.now(), target(Codec::Pcma));
    world.callee.hum = Some(Sine::new(CALLEE_HERTZ, SENT_DBFS));
    world.run(500);
    world.path.ring();
    let (caller, _) = world.listen(1_000);
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    assert!(level_at(&caller, 400.0).0 < -45.0);
}

/// RFC 3960 §3.2: one fork speaks and gives up, another goes on ringing.
#[test]
fn the_ringing_comes_back_when_early_sound_is_over() {
    let mut world = World::new(1);
    world.path.ring();
    world.path.target(world.now(), target(Codec::Pcma));
    world.run(1_000);
    assert_tone(&world.listen(1_000).0, CALLEE_HERTZ, SENT_DBFS, 2.0);
    world.callee.hum = None;
    let (caller, _) = world.listen(4_000);
    assert!(level(&caller[4_000..]).0 < -50.0);
    world.run(2_000);
    let (caller, _) = world.listen(3_000);
    assert!(level_at(&caller, 400.0).0 > -40.0);
}

#[test]
fn the_answer_ends_the_ringing_even_if_the_phone_is_silent() {
    let mut world = World::new(1);
    world.callee.hum = None;
    world.path.ring();
    world.run(3_100);
    world.path.target(world.now(), target(Codec::Pcma));
    world.path.answered(world.now());
    world.run(200);
    let (caller, _) = world.listen(5_000);
    assert!(level(&caller).0 < -60.0, "{:?}", level(&caller));
}

#[test]
fn sound_follows_a_phone_whose_address_is_not_what_it_said() {
    let mut world = World::talking(1, Codec::Pcma);
    let real: SocketAddr = "192.0.2.1:6000".parse().unwrap();
    for _ in 0..10 {
        let (_, bytes) = world.callee.packet().unwrap();
        world.path.rtp(world.now(), real, bytes);
    }
    world.callee.addr = real;
    let (caller, callee) = world.listen(2_000);
    assert_tone(&caller[8_000..], CALLEE_HERTZ, SENT_DBFS, 2.0);
    assert_tone(&callee[8_000..], CALLER_HERTZ, SENT_DBFS, 2.0);
    assert_eq!(world.stats().strangers, 3);
}

#[test]
fn strangers_wrong_payload_types_and_damage_are_counted_and_not_heard() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(500);
    let loud = Bytes::from(Law::A.encode(&Sine::new(2_000.0, 0.0).frame()));
    let mut stranger = RtpSender::new(5);
    for _ in 0..50 {
        let now = world.now();
        let packet = stranger.packet(8, false, loud.clone()).to_bytes();
        world
            .path
            .rtp(now, "203.0.113.66:666".parse().unwrap(), packet);
        let wrong = stranger.packet(9, false, loud.clone()).to_bytes();
        world.path.rtp(now, PHONE.parse().unwrap(), wrong);
        world.path.rtp(
            now,
            PHONE.parse().unwrap(),
            Bytes::from_static(&[0x80, 8, 0]),
        );
        world
            .path
            .rtcp(now, PHONE.parse().unwrap(), &[0x80, 200, 0, 99]);
        world.run(20);
    }
    let stats = world.stats();
    assert_eq!(
        (stats.strangers, stats.wrong_payload_type, stats.malformed),
        (50, 50, 100),
        "{stats:?}"
    );
    let (caller, _) = world.listen(1_000);
    assert!(level_at(&caller, 2_000.0).0 < -50.0);
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
}

#[test]
fn a_stall_is_caught_up_with_by_three_frames_and_time_goes_on() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    let (rtp, ear) = (world.callee.packets.len(), world.caller.timestamps.len());
    world.now_ms += 2_000;
    world.path.handle_timeout(world.now());
    world.take_outputs();
    assert!(world.callee.packets.len() - rtp <= 3);
    let step = world.caller.timestamps[ear].wrapping_sub(world.caller.timestamps[ear - 1]);
    assert_eq!(step % 960, 0);
    assert!(step >= 960 * 97, "{step}");
    assert!(world.stats().frames_missed >= 96);
    world.run(1_000);
    assert_tone(&world.listen(1_000).0, CALLEE_HERTZ, SENT_DBFS, 2.0);
}

#[test]
fn reports_go_out_and_the_round_trip_is_measured() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(5_100);
    let report = world.reports.pop().unwrap();
    let sender = report.sender.unwrap();
    assert!(sender.packets > 240, "{report:?}");
    assert_eq!(report.blocks.len(), 1);
    assert_eq!(report.blocks[0].ssrc, world.callee.rtp.ssrc());
    world.now_ms += 80;
    let block = housecall_media::rtp::ReportBlock {
        ssrc: report.ssrc,
        fraction_lost: 5,
        lost: 1,
        highest_sequence: 1,
        jitter: 0,
        last_sender_report: sender.ntp_middle(),
        delay_since_sender_report: 0,
    };
    let answer = Report {
        ssrc: 99,
        sender: None,
        blocks: vec![block],
        ..Report::default()
    };
    world.path.rtcp(
        world.now(),
        PHONE_RTCP.parse().unwrap(),
        &answer.to_bytes("phone"),
    );
    let stats = world.stats();
    assert_eq!(stats.reported_fraction_lost, 5);
    let trip = stats.round_trip.unwrap().as_millis();
    assert!((80..=200).contains(&trip), "{trip} ms");
    world.path.close(world.now());
    world.take_outputs();
    assert!(world.reports.pop().unwrap().bye);
}
