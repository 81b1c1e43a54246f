//! What 20 ms of a phone call cost: Opus from the browser to A-law, and A-law from the phone to Opus, through both jitter
//! buffers.
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
use housecall_media::g711::Law;
use housecall_media::opus::OPUS_FRAME_TICKS;
use housecall_media::rtp::RtpSender;
use housecall_media::sdp::{AudioSession, Codec, Description, Direction};
use housecall_media::{FRAME_MS, HoldMusic, OpusEncoder};

const PHONE: &str = "198.51.100.7:49170";
/// Milliseconds between a packet's arrival and the frame after it.
const HALF_MS: u64 = FRAME_MS / 2;

fn main() -> Result<(), Box<dyn Error>> {
    let mut silent = Talk::new(false, false)?;
    let mut to_phone = Talk::new(true, false)?;
    let mut to_browser = Talk::new(false, true)?;
    let mut both = Talk::new(true, true)?;
    let count = rounds::scale(3_000);
    let medians = rounds::medians(
        count,
        &mut [
            &mut |count| silent.frames(count),
            &mut |count| to_phone.frames(count),
            &mut |count| to_browser.frames(count),
            &mut |count| both.frames(count),
        ],
    );
    let stats = both.path.stats();
    if lost(&stats) > 0 {
        return Err(format!("frames were lost, so this is no measure of a call: {stats:?}").into());
    }

    println!("one call, 20 ms, median of five, CPU time");
    let names = [
        "both silent",
        "Opus → PCMA speaks",
        "PCMA → Opus speaks",
        "both speak",
    ];
    for (name, nanos) in names.into_iter().zip(medians) {
        let micros = nanos / 1_000.0;
        let calls = 20_000.0 / micros;
        println!("  {name:<20} {micros:7.1} µs   {calls:6.0} calls on one core, sound alone");
    }
    println!("again: cargo bench -p housecall-benches --bench bridge_frame");
    Ok(())
}

fn lost(stats: &MediaStats) -> u64 {
    stats.rtp_lost + stats.malformed + stats.wrong_payload_type + stats.strangers
}

/// A call in virtual time.
struct Talk {
    path: MediaPath,
    now: Instant,
    phone: SocketAddr,
    browser_speaks: Option<OpusPackets>,
    phone_speaks: Option<RtpPackets>,
}

impl Talk {
    fn new(browser_speaks: bool, phone_speaks: bool) -> Result<Self, Box<dyn Error>> {
        let now = Instant::now();
        let codecs = [Codec::Pcma, Codec::TelephoneEvent];
        let ours = AudioSession::new(1, "192.0.2.10:40000".parse()?, &codecs);
        let answer = b"v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 49170 RTP/AVP 8\r\n";
        let target = ours.agreed(&Description::parse(answer)?, Direction::SendRecv)?;
        let mut options = PathOptions::new("AU", 42);
        options.silence_max = Duration::MAX;
        let mut path = MediaPath::new(now, options)?;
        path.target(target);
        path.answered(now);
        Ok(Self {
            path,
            now,
            phone: PHONE.parse()?,
            browser_speaks: browser_speaks.then(OpusPackets::new).transpose()?,
            phone_speaks: phone_speaks.then(RtpPackets::new),
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

/// Packets made beforehand; only their numbers are new each time.
struct OpusPackets {
    payloads: std::iter::Cycle<std::vec::IntoIter<Bytes>>,
    sequence: u16,
    timestamp: u32,
}

/// Frames made beforehand: ten seconds.
const MADE: usize = 500;

impl OpusPackets {
    fn new() -> Result<Self, Box<dyn Error>> {
        let (mut encoder, mut music) = (OpusEncoder::new()?, HoldMusic::new());
        let payloads: Result<Vec<Bytes>, _> =
            (0..MADE).map(|_| encoder.encode(&music.frame())).collect();
        Ok(Self {
            payloads: payloads?.into_iter().cycle(),
            sequence: 0,
            timestamp: 0,
        })
    }

    fn next(&mut self) -> EarPacket {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(OPUS_FRAME_TICKS);
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
    sender: RtpSender,
}

impl RtpPackets {
    fn new() -> Self {
        let mut music = HoldMusic::new();
        let payloads: Vec<Bytes> = (0..MADE)
            .map(|_| Bytes::from(Law::A.encode(&music.frame())))
            .collect();
        Self {
            payloads: payloads.into_iter().cycle(),
            sender: RtpSender::new(7),
        }
    }

    fn next(&mut self) -> Bytes {
        let payload = self.payloads.next().unwrap_or_default();
        let packet = self.sender.packet(8, false, payload);
        self.sender.advance(160);
        packet.to_bytes()
    }
}
