//! What 20 ms of a phone call cost in each codec of the phone leg: Opus from the browser to the phone's codec and back, through both jitter
//! buffers, or straight through where both legs speak the same.
//!
//! ```text
//! cargo bench -p housecall-benches --bench bridge_frame
//! ```
//!
//! Time is virtual, so a minute of talk takes as long as its computing. A silent way is not free: a frame is made for it too.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

mod rounds;

use std::error::Error;
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_bridge::{EarPacket, MediaPath, MediaStats, PathOptions};
use housecall_media::coder::{CodecError, encoder};
use housecall_media::opus::OpusSettings;
use housecall_media::rtp::RtpSender;
use housecall_media::sdp::{AudioSession, Codec, Description, Direction};
use housecall_media::{FRAME_MS, Frame, HoldMusic};

const PHONE: &str = "198.51.100.7:49170";
/// Milliseconds between a packet's arrival and the frame after it.
const HALF_MS: u64 = FRAME_MS / 2;

fn main() -> Result<(), Box<dyn Error>> {
    let mut talks = Vec::new();
    for (name, codec, ear, speaks) in TALKS {
        talks.push((name, Talk::new(codec, ear, speaks)?));
    }
    let count = rounds::scale(1_500);
    let mut run: Vec<_> = talks
        .iter_mut()
        .map(|(_, talk)| |count| talk.frames(count))
        .collect();
    let mut run: Vec<&mut dyn FnMut(u32)> = run.iter_mut().map(|run| run as _).collect();
    let run: &mut [_; TALKS.len()] = run.as_mut_slice().try_into()?;
    let medians = rounds::medians(count, run);
    for (name, talk) in &talks {
        let stats = talk.path.stats();
        if lost(&stats) > 0 {
            return Err(format!(
                "{name}: frames were lost, so this is no measure of a call: {stats:?}"
            )
            .into());
        }
    }

    println!("one call, 20 ms, median of five, CPU time");
    for ((name, _), nanos) in talks.iter().zip(medians) {
        let micros = nanos / 1_000.0;
        let calls = 20_000.0 / micros;
        println!("  {name:<32} {micros:7.1} µs   {calls:6.0} calls on one core, sound alone");
    }
    println!("again: cargo bench -p housecall-benches --bench bridge_frame");
    Ok(())
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq)]
enum Speaks {
    Nobody,
    Browser,
    Phone,
    Both,
}

/// What is measured: the phone's codec, the browser's, and who speaks.
const TALKS: [(&str, Codec, Codec, Speaks); 8] = [
    (
        "both silent (PCMA)",
        Codec::Pcma,
        Codec::Opus,
        Speaks::Nobody,
    ),
    (
        "Opus → PCMA speaks",
        Codec::Pcma,
        Codec::Opus,
        Speaks::Browser,
    ),
    (
        "PCMA → Opus speaks",
        Codec::Pcma,
        Codec::Opus,
        Speaks::Phone,
    ),
    ("Opus ⇄ PCMA", Codec::Pcma, Codec::Opus, Speaks::Both),
    ("Opus ⇄ PCMU", Codec::Pcmu, Codec::Opus, Speaks::Both),
    ("Opus ⇄ G722", Codec::G722, Codec::Opus, Speaks::Both),
    (
        "Opus ⇄ Opus, straight through",
        Codec::Opus,
        Codec::Opus,
        Speaks::Both,
    ),
    (
        "PCMA ⇄ PCMA, straight through",
        Codec::Pcma,
        Codec::Pcma,
        Speaks::Both,
    ),
];

fn lost(stats: &MediaStats) -> u64 {
    stats.rtp_lost + stats.malformed + stats.wrong_payload_type + stats.strangers
}

/// A call in virtual time.
struct Talk {
    path: MediaPath,
    now: Instant,
    phone: SocketAddr,
    browser_speaks: Option<EarPackets>,
    phone_speaks: Option<RtpPackets>,
}

impl Talk {
    fn new(codec: Codec, ear: Codec, speaks: Speaks) -> Result<Self, Box<dyn Error>> {
        let now = Instant::now();
        let ours = AudioSession::new(
            1,
            "192.0.2.10:40000".parse()?,
            &[codec, Codec::TelephoneEvent],
        );
        let payload_type = codec.payload_type();
        let answer = format!(
            "v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 49170 RTP/AVP {payload_type}\r\na=rtpmap:{payload_type} {}\r\n",
            codec.rtpmap()
        );
        let target = ours.agreed(&Description::parse(answer.as_bytes())?, Direction::SendRecv)?;
        let mut options = PathOptions::new("AU", 42);
        options.silence_max = Duration::MAX;
        options.ear.codec = ear;
        options.straight_g711 = true;
        let mut path = MediaPath::new(now, options)?;
        path.target(now, target);
        path.answered(now);
        let browser = matches!(speaks, Speaks::Browser | Speaks::Both);
        let phone = matches!(speaks, Speaks::Phone | Speaks::Both);
        Ok(Self {
            path,
            now,
            phone: PHONE.parse()?,
            browser_speaks: browser.then(|| EarPackets::new(ear)).transpose()?,
            phone_speaks: phone.then(|| RtpPackets::new(codec)).transpose()?,
        })
    }

    fn frames(&mut self, count: u32) {
        for _ in 0..count {
            self.now += Duration::from_millis(HALF_MS);
            if let Some(packets) = &mut self.browser_speaks {
                self.path.ear(self.now, packets.next());
            }
            if let Some(packets) = &mut self.phone_speaks {
                self.path.rtp(self.now, self.phone, packets.next());
            }
            self.now += Duration::from_millis(HALF_MS);
            self.path.handle_timeout(self.now);
            while let Some(output) = self.path.poll_output() {
                black_box(output);
            }
        }
    }
}

/// Frames made beforehand: ten seconds.
const MADE: usize = 500;

/// Payloads of music in a codec, for ever.
fn payloads(codec: Codec) -> Result<std::iter::Cycle<std::vec::IntoIter<Bytes>>, CodecError> {
    let mut encoder = encoder(codec, codec.rate(), OpusSettings::default())?;
    let mut music = HoldMusic::new();
    let payloads: Result<Vec<Bytes>, _> = (0..MADE)
        .map(|_| {
            let mut frame = Frame::silence(codec.rate(), FRAME_MS);
            music.fill(&mut frame);
            encoder.encode(&frame)
        })
        .collect();
    Ok(payloads?.into_iter().cycle())
}

/// Packets made beforehand; only their numbers are new each time.
struct EarPackets {
    payloads: std::iter::Cycle<std::vec::IntoIter<Bytes>>,
    sequence: u16,
    timestamp: u32,
    ticks: u32,
}

impl EarPackets {
    fn new(codec: Codec) -> Result<Self, CodecError> {
        Ok(Self {
            payloads: payloads(codec)?,
            sequence: 0,
            timestamp: 0,
            ticks: codec.clock_rate() / 50,
        })
    }

    fn next(&mut self) -> EarPacket {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.ticks);
        EarPacket {
            ssrc: 1,
            sequence: self.sequence,
            timestamp: self.timestamp,
            payload: self.payloads.next().unwrap_or_default(),
        }
    }
}

/// The same for the phone. Writing the header is measured with the rest; it is a few nanoseconds.
struct RtpPackets {
    payloads: std::iter::Cycle<std::vec::IntoIter<Bytes>>,
    codec: Codec,
    sender: RtpSender,
}

impl RtpPackets {
    fn new(codec: Codec) -> Result<Self, CodecError> {
        Ok(Self {
            payloads: payloads(codec)?,
            codec,
            sender: RtpSender::new(7),
        })
    }

    fn next(&mut self) -> Bytes {
        let payload = self.payloads.next().unwrap_or_default();
        let packet = self
            .sender
            .packet(self.codec.payload_type(), false, payload);
        self.sender.advance(self.codec.clock_rate() / 50);
        packet.to_bytes()
    }
}
