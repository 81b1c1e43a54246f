use bytes::Bytes;
use housecall_media::AudioLevel;
use housecall_media::opus::OpusSettings;
use housecall_media::rtp::Stamp;
use housecall_media::sdp::Codec;

/// What the browser speaks and hears. Agreed once: a browser does not change it in a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ear {
    /// Its codec, both ways.
    pub codec: Codec,
    /// How Opus is encoded for it, if that is its codec.
    pub opus: OpusSettings,
}

impl Default for Ear {
    /// Opus, with redundancy and without holes.
    fn default() -> Self {
        Self {
            codec: Codec::Opus,
            opus: OpusSettings::default(),
        }
    }
}

/// A packet of the caller's voice, as it came from the browser.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EarPacket {
    /// The browser's stream.
    pub ssrc: u32,
    /// As in the RTP header.
    pub sequence: u16,
    /// As in the RTP header, in the clock of the [`Ear`]'s codec: 48 kHz for Opus.
    pub timestamp: u32,
    /// The sound, in the [`Ear`]'s codec.
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

/// A packet for the caller to hear.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EarFrame {
    /// Whether it is the first of the call, or after a pause.
    pub marker: bool,
    /// Rises by one a packet, wraps; by more where packets of the phone's own were lost.
    pub sequence: u16,
    /// In the clock of the [`Ear`]'s codec; goes on with time, made or not.
    pub timestamp: u32,
    /// How loud it is, for the header extension of RFC 6464; none where the phone's packet goes straight through.
    pub level: Option<AudioLevel>,
    /// The sound, in the [`Ear`]'s codec: 20 ms, or as long as the phone's packet was that goes straight through.
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
