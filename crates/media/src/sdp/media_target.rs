use std::net::SocketAddr;

use super::{Codec, Direction, Media, OpusParameters};
use crate::FRAME_MS;
use crate::srtp::SrtpPair;

/// The longest packet that we ask to be sent, and send, in milliseconds.
pub(super) const PACKET_MS_MAX: u64 = 60;

/// Where sound goes and what it is, as both sides agreed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MediaTarget {
    /// Where the other side wants RTP. Unspecified (`0.0.0.0`) while it holds in the old way; `direction` then does not send.
    pub remote: SocketAddr,
    /// Where the other side wants RTCP: what `a=rtcp` says, else the next port.
    pub rtcp: Option<SocketAddr>,
    /// The voice codec to send.
    pub codec: Codec,
    /// The payload type to send it with.
    pub payload_type: u8,
    /// The payload type to send telephone events with, if the other side takes them under the clock of `codec`.
    pub telephone_event: Option<u8>,
    /// Every payload type that the other side may send with, whatever we send (RFC 3264 §6.1).
    pub heard: Vec<(u8, Codec)>,
    /// What the other side says of Opus; of meaning if that is the codec.
    pub opus: OpusParameters,
    /// What we may do: `sends()` says whether we may send to `remote`.
    pub direction: Direction,
    /// The packet length to send, in milliseconds: the one that the other side asks for, or the nearest below it that there is, from 10
    /// to 60; 20 where it says nothing, or nonsense.
    pub ptime_ms: u64,
    /// The longest packet that the other side takes, in milliseconds.
    pub maxptime_ms: u64,
    /// The keys of both, if the sound is secured.
    pub srtp: Option<SrtpPair>,
}

impl MediaTarget {
    /// What a payload type that the other side sends with means; none if it was never agreed.
    pub fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        let mut heard = self.heard.iter();
        heard
            .find(|(known, _)| *known == payload_type)
            .map(|(_, codec)| *codec)
    }
}

/// The packet length that a line asks for. A wish that nobody can have meant, as 0 or 65535, is none (RFC 8866 §6.4).
pub(super) fn asked_packet_ms(media: &Media) -> u64 {
    let asked = media.ptime_ms.filter(|ms| (1..=200).contains(ms));
    asked.map_or(FRAME_MS, u64::from)
}

pub(super) fn longest_packet_ms(media: &Media) -> u64 {
    let longest = media.maxptime_ms.filter(|ms| *ms > 0);
    longest.map_or(PACKET_MS_MAX, u64::from)
}
