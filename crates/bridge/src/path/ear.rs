use bytes::Bytes;
use housecall_media::AudioLevel;
use housecall_media::rtp::Stamp;

/// A packet of the caller's voice, as it came from the browser.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EarPacket {
    /// The browser's stream.
    pub ssrc: u32,
    /// As in the RTP header.
    pub sequence: u16,
    /// As in the RTP header, 48 kHz.
    pub timestamp: u32,
    /// An Opus packet.
    pub payload: Bytes,
}

impl From<&EarPacket> for Stamp {
    fn from(packet: &EarPacket) -> Self {
        Self {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
        }
    }
}

/// 20 ms for the caller to hear.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EarFrame {
    /// Whether it is the first of the call.
    pub marker: bool,
    /// Rises by one a frame, wraps.
    pub sequence: u16,
    /// 48 kHz; rises by 960 for every 20 ms of time, made or not.
    pub timestamp: u32,
    /// How loud it is, for the header extension of RFC 6464.
    pub level: AudioLevel,
    /// An Opus packet.
    pub payload: Bytes,
}

/// How loud both sides are, for meters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Levels {
    /// What the caller hears.
    pub heard: AudioLevel,
    /// What the browser says of its microphone (RFC 6464); none if it says nothing.
    pub spoken: Option<AudioLevel>,
}
