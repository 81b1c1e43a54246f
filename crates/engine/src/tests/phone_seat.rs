//! V13: the phone leg of `bridge` and the phone's seat of `sfu` fit each other. In virtual time: a phone that speaks A-law on one side,
//! pages (`str0m`, a stack that is not ours) on the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use housecall_bridge::{EarPacket, MediaPath, PathOptions, PathOutput};
use housecall_media::g711::Law;
use housecall_media::rtp::{RtpPacket, RtpSender};
use housecall_media::sdp::{AudioSession, Codec, Description, Direction};
use housecall_media::srtp::{Srtp, SrtpKey, SrtpPair, SrtpSuite, TheirKey};
use housecall_media::{AudioLevel, Dbfs, FRAME_SAMPLES, OpusDecoder, OpusEncoder, Sine, level_at};
use housecall_sfu::{
    Hears, Input, OpusPacket, Output, PatientSeat, PeerId, PhoneSound, PhoneStats, Room,
    RoomOptions, Seat,
};

use client::Client;

#[path = "../../../browser/src/tests/client.rs"]
mod client;

const PHONE: &str = "198.51.100.7:49170";
const TICK: Duration = Duration::from_millis(10);
const DBFS: f32 = -20.0;
/// What the phone sings.
const PHONE_HERTZ: f32 = 700.0;
/// What the pages sing: the practitioner, and the second patient.
const PAGES: [(Seat, f32); 2] = [
    (Seat::Practitioner, 400.0),
    (Seat::Patient(PatientSeat::Two), 1_300.0),
];
const ON_PHONE: Seat = Seat::Patient(PatientSeat::One);

struct Page {
    addr: SocketAddr,
    peer: PeerId,
    client: Client,
    sine: Sine,
    encoder: OpusEncoder,
}

/// A visit with some pages, and a patient whose phone is joined to their seat.
struct Visit {
    now: Instant,
    ticks: u64,
    room: Room,
    pages: Vec<Page>,
    seat: PeerId,
    path: MediaPath,
    far: Far,
    /// Who sends to the phone leg's port without being asked, with every packet of the phone's.
    strangers: Vec<(SocketAddr, Mouth)>,
    /// Packets that left for anybody but the phone.
    astray: usize,
}

/// The far end of the phone leg.
struct Far {
    mouth: Mouth,
    heard: Vec<i16>,
}

/// Whoever sends A-law to a port, encrypted or not.
struct Mouth {
    sine: Sine,
    rtp: RtpSender,
    srtp: Option<Srtp>,
}

impl Visit {
    fn with(pages: &[(Seat, f32)]) -> Self {
        Self::with_phone(pages, None)
    }

    /// One whose phone speaks SRTP with this key, and we with key 1.
    fn with_phone(pages: &[(Seat, f32)], key: Option<u8>) -> Self {
        let now = Instant::now();
        let mut room = Room::new(now, RoomOptions::default());
        let pages = pages
            .iter()
            .zip(5_000..)
            .map(|((seat, hertz), port)| Page::join(now, &mut room, *seat, *hertz, port))
            .collect();
        room.arrive(now, PatientSeat::One).unwrap();
        room.admit(now, PatientSeat::One).unwrap();
        let seat = room.join_by_phone(now, PatientSeat::One, Hears::Packets);
        Self {
            now,
            ticks: 0,
            room,
            pages,
            seat: seat.unwrap(),
            path: answered_path(now, key),
            far: Far {
                mouth: Mouth {
                    sine: Sine::new(PHONE_HERTZ, DBFS),
                    rtp: RtpSender::new(7),
                    srtp: key.map(|key| Srtp::new(&keys(key, 1)).unwrap()),
                },
                heard: Vec::new(),
            },
            strangers: Vec::new(),
            astray: 0,
        }
    }

    fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += TICK;
            self.ticks += 1;
            if self.ticks.is_multiple_of(2) {
                self.everybody_sings();
            }
            self.pages
                .iter_mut()
                .for_each(|page| page.client.advance(self.now));
            self.room.handle_timeout(self.now);
            self.path.handle_timeout(self.now);
            while self.deliver_pages() | self.deliver_path() | self.deliver_room() {}
        }
    }

    fn everybody_sings(&mut self) {
        let now = self.now;
        self.pages.iter_mut().for_each(|page| page.sing(now));
        let packet = self.far.mouth.say();
        self.path.rtp(now, PHONE.parse().unwrap(), packet);
        for (from, stranger) in &mut self.strangers {
            self.path.rtp(now, *from, stranger.say());
        }
    }

    fn deliver_pages(&mut self) -> bool {
        let mut spoke = false;
        for page in &mut self.pages {
            while let Some(datagram) = page.client.poll_datagram() {
                spoke = true;
                let (peer, from) = (page.peer, page.addr);
                let bytes = BytesMut::from(datagram.as_slice());
                let input = Input::Datagram { peer, from, bytes };
                self.room.handle_input(self.now, input);
            }
        }
        spoke
    }

    /// What the phone leg says is what its seat says.
    fn deliver_path(&mut self) -> bool {
        let mut spoke = false;
        while let Some(output) = self.path.poll_output() {
            spoke = true;
            match output {
                PathOutput::Rtp { to, bytes } if to.to_string() == PHONE => self.far.hear(bytes),
                PathOutput::Rtp { .. } => self.astray += 1,
                PathOutput::Ear(frame) => {
                    let sound = PhoneSound::Packet(OpusPacket {
                        marker: frame.marker,
                        sequence: frame.sequence,
                        timestamp: frame.timestamp,
                        level: frame.level,
                        payload: frame.payload,
                    });
                    let peer = self.seat;
                    self.room
                        .handle_input(self.now, Input::Phone { peer, sound });
                }
                PathOutput::Rtcp { .. } | PathOutput::KeyHeard(_) => {}
                PathOutput::PhoneLost => panic!("the phone is lost"),
            }
        }
        spoke
    }

    /// What the seat hears is what the phone leg is told to say.
    fn deliver_room(&mut self) -> bool {
        let mut spoke = false;
        while let Some(output) = self.room.poll_output() {
            spoke = true;
            match output {
                Output::Send { to, bytes } => {
                    let page = self.pages.iter_mut().find(|page| page.addr == to);
                    page.unwrap().client.receive(self.now, &bytes);
                }
                Output::Phone { sound, .. } => self.path.ear(self.now, ear_packet(sound)),
                _ => {}
            }
        }
        spoke
    }

    /// The last half second that a page heard of the phone, at 8 kHz.
    fn page_heard(&self, viewer: usize) -> Vec<i16> {
        let page = &self.pages[viewer];
        let slot = ON_PHONE.slot_for(PAGES[viewer].0).unwrap();
        let heard = page.client.heard_on(2 + 2 * usize::from(slot));
        let mut decoder = OpusDecoder::new().unwrap();
        let mut samples = Vec::new();
        for heard in &heard[heard.len() - 50..] {
            decoder.decode(&heard.payload, &mut samples).unwrap();
        }
        samples.split_off(samples.len() - 4_000)
    }

    fn phone_heard(&self) -> &[i16] {
        &self.far.heard[self.far.heard.len() - 4_000..]
    }
}

impl Page {
    fn join(now: Instant, room: &mut Room, seat: Seat, hertz: f32, port: u16) -> Self {
        let local = "127.0.0.1:4000".parse().unwrap();
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        if let Seat::Patient(patient) = seat {
            room.arrive(now, patient).unwrap();
            room.admit(now, patient).unwrap();
        }
        let mut client = Client::new(now, addr, local);
        let offer = client.offer_room();
        let joined = room.join(now, seat, local, &offer).unwrap();
        client.accept(&joined.answer);
        Self {
            addr,
            peer: joined.peer,
            client,
            sine: Sine::new(hertz, DBFS),
            encoder: OpusEncoder::new().unwrap(),
        }
    }

    fn sing(&mut self, now: Instant) {
        if self.client.connected {
            let frame = self.sine.frame();
            let payload = self.encoder.encode(&frame).unwrap().to_vec();
            let below = AudioLevel::of(&frame).below_overload_db;
            self.client.say(now, payload, -(below as i8));
        }
    }
}

impl Far {
    fn hear(&mut self, datagram: Bytes) {
        let datagram = match &mut self.mouth.srtp {
            Some(srtp) => srtp.unprotect_rtp(&datagram).unwrap(),
            None => datagram,
        };
        let packet = RtpPacket::parse(datagram).unwrap();
        assert_eq!((packet.payload_type, packet.payload.len()), (8, 160));
        Law::A.decode(&packet.payload, &mut self.heard);
    }
}

impl Mouth {
    /// A stranger's: loud, from 2000 Hz on, each his own, with a key that is nobody's if the phone encrypts.
    fn of_stranger(seed: u64, key: Option<u8>) -> Self {
        Self {
            sine: Sine::new(2_000.0 + 100.0 * (seed % 4) as f32, 0.0),
            rtp: RtpSender::new(seed),
            srtp: key.map(|key| Srtp::new(&keys(key, 1)).unwrap()),
        }
    }

    fn say(&mut self) -> Bytes {
        let payload = Law::A.encode(&self.sine.frame()).into();
        let packet = self.rtp.packet(8, false, payload).to_bytes();
        self.rtp.advance(FRAME_SAMPLES as u32);
        match &mut self.srtp {
            Some(srtp) => srtp.protect_rtp(&packet).unwrap(),
            None => packet,
        }
    }
}

/// One end's keys, by what they are filled with.
fn keys(ours: u8, theirs: u8) -> SrtpPair {
    let key = |fill| SrtpKey::random([fill; SrtpKey::BYTES]);
    SrtpPair {
        suite: SrtpSuite::Aes128Sha80,
        ours: key(ours),
        theirs: TheirKey {
            key: key(theirs),
            mki: None,
        },
    }
}

/// The sound's way to a phone that has answered in A-law, encrypted if it has a key.
fn answered_path(now: Instant, key: Option<u8>) -> MediaPath {
    let ours = AudioSession::new(1, "192.0.2.10:40000".parse().unwrap(), &[Codec::Pcma]);
    let answer = b"v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 49170 RTP/AVP 8\r\n";
    let answer = Description::parse(answer).unwrap();
    let mut target = ours.agreed(&answer, Direction::SendRecv).unwrap();
    target.srtp = key.map(|key| keys(1, key));
    let mut path = MediaPath::new(now, PathOptions::new("AU", 42)).unwrap();
    path.target(now, target);
    path.answered(now);
    path
}

fn ear_packet(sound: PhoneSound) -> EarPacket {
    let PhoneSound::Packet(packet) = sound else {
        panic!("a frame, for a leg that takes packets");
    };
    EarPacket {
        ssrc: 0,
        sequence: packet.sequence,
        timestamp: packet.timestamp,
        payload: packet.payload,
    }
}

fn has_tone(heard: &[i16], hertz: f32) {
    let Dbfs(dbfs) = level_at(heard, hertz);
    assert!((dbfs - DBFS).abs() < 2.0, "{hertz} Hz at {dbfs} dBFS");
}

fn lacks_tone(heard: &[i16], hertz: f32) {
    let Dbfs(dbfs) = level_at(heard, hertz);
    assert!(dbfs < -45.0, "{hertz} Hz at {dbfs} dBFS");
}

/// One page and one phone: what goes between them is coded once, by the phone leg.
#[test]
fn v13_a_phone_and_a_page_hear_each_other() {
    let mut visit = Visit::with(&PAGES[..1]);
    visit.run(Duration::from_secs(4));
    has_tone(visit.phone_heard(), 400.0);
    lacks_tone(visit.phone_heard(), PHONE_HERTZ);
    has_tone(&visit.page_heard(0), PHONE_HERTZ);
    let PhoneStats {
        phones,
        decoders,
        straight,
        ..
    } = visit.room.phone_stats();
    assert_eq!((phones, decoders), (1, 0));
    assert!(straight > 100, "{straight}");
    let loss = visit.path.stats();
    assert_eq!((loss.malformed, loss.strangers), (0, 0));
}

#[test]
fn v13_a_phone_hears_and_is_heard_by_everybody() {
    let mut visit = Visit::with(&PAGES);
    visit.run(Duration::from_secs(4));
    for (_, hertz) in PAGES {
        has_tone(visit.phone_heard(), hertz);
    }
    lacks_tone(visit.phone_heard(), PHONE_HERTZ);
    for viewer in 0..PAGES.len() {
        has_tone(&visit.page_heard(viewer), PHONE_HERTZ);
    }
    assert_eq!(visit.room.phone_stats().decoders, 2);
    assert!(visit.room.view().speaker.is_some());
}

/// Rows 1 and 2 of the incidents, in a room: strangers get nothing, and nobody in the room hears them.
#[test]
fn v13_strangers_at_the_phone_s_port_are_neither_heard_nor_answered() {
    for seed in 0..12 {
        // The phone in the clear, then encrypted, with strangers who do not know its key, or do not encrypt.
        let (key, theirs) = [(None, None), (Some(2), Some(3)), (Some(2), None)][seed as usize % 3];
        let mut visit = Visit::with_phone(&PAGES, key);
        for n in 0..=seed % 4 {
            let from = SocketAddr::from(([203, 0, 113, 9 + n as u8], 6_000));
            visit
                .strangers
                .push((from, Mouth::of_stranger(seed * 4 + n, theirs)));
        }
        visit.run(Duration::from_secs(4));
        let stats = visit.path.stats();
        let at_most = if key.is_some() { 0 } else { 5 };
        assert!(visit.astray <= at_most, "seed {seed}: {}", visit.astray);
        assert!(
            stats.strangers + stats.forged + stats.malformed > 100,
            "seed {seed}: {stats:?}"
        );
        for viewer in 0..PAGES.len() {
            let heard = visit.page_heard(viewer);
            has_tone(&heard, PHONE_HERTZ);
            for stranger in 0..4 {
                lacks_tone(&heard, 2_000.0 + 100.0 * stranger as f32);
            }
        }
        PAGES
            .iter()
            .for_each(|(_, hertz)| has_tone(visit.phone_heard(), *hertz));
    }
}
