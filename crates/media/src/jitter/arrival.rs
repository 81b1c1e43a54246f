use bytes::Bytes;

use crate::rtp::Stamp;
use crate::sdp::Codec;

/// One packet on its way in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arrival {
    /// Whose stream.
    pub ssrc: u32,
    /// As in the RTP header.
    pub sequence: u16,
    /// As in the RTP header.
    pub timestamp: u32,
    /// Whether it says that a talk spurt begins (RFC 3551 §4.1).
    pub marker: bool,
    /// How long it plays, in ticks of the RTP clock.
    pub ticks: u32,
    /// What is in it.
    pub content: Content,
    /// The sound, or what is said of the background.
    pub payload: Bytes,
}

impl Arrival {
    /// A packet of a codec's voice; none if no packet of it has such a payload.
    pub fn of(codec: Codec, stamp: Stamp, marker: bool, payload: Bytes) -> Option<Self> {
        let Stamp {
            ssrc,
            sequence,
            timestamp,
        } = stamp;
        Some(Self {
            ssrc,
            sequence,
            timestamp,
            marker,
            ticks: codec.ticks(&payload)?,
            content: codec.content(&payload),
            payload,
        })
    }
}

/// What a packet holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Content {
    /// Somebody's voice.
    #[default]
    Voice,
    /// A description of the background; a pause begins (RFC 3389), or an Opus packet of a sender that says nothing (RFC 7587 §3.1.3).
    Noise,
}
