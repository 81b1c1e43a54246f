//! A call whose two ends and networks are in virtual time, and what is heard in it.

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

mod callee;
mod caller;
mod codecs;
mod conversations;
mod delay;
mod heard_keys;
mod incidents;
mod quality;
mod secured;
mod sent_keys;
mod straight;
mod voice;
mod weather;
mod world;

use super::{EarFrame, EarPacket, MediaPath, MediaStats, PathOptions, PathOutput};
use callee::Callee;
use caller::Caller;
use sent_keys::SentKeys;
use voice::Voice;
use world::{Packet, World};

const PHONE: &str = "192.0.2.1:4000";
const PHONE_RTCP: &str = "192.0.2.1:4001";
/// The payload types of named events, under either clock.
const EVENTS: [u8; 2] = [101, 110];
/// How often a phone in any weather reports (RFC 3550 §6.2).
const REPORT_EVERY_MS: u64 = 5_000;
const CALLER_HERTZ: f32 = 440.0;
const CALLEE_HERTZ: f32 = 1_004.0;
const SENT_DBFS: f32 = -12.0;

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
