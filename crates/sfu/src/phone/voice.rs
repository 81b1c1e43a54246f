use std::time::Instant;

use housecall_media::coder::CodecError;
use housecall_media::jitter::Arrival;
use housecall_media::playout::Playout;
use housecall_media::rtp::Stamp;
use housecall_media::sdp::Codec;
use housecall_media::{FRAME_MS, Frame, Rate};

/// One person's packets on the way to the mixer.
#[derive(Debug)]
pub(super) struct Voice(Playout);

impl Voice {
    pub(super) fn new(rate: Rate) -> Result<Self, CodecError> {
        Playout::of(Codec::Opus, rate).map(Self)
    }

    /// Takes a packet in. What is no Opus is dropped.
    pub(super) fn push(&mut self, now: Instant, packet: &rtp::Packet) {
        let header = &packet.header;
        let stamp = Stamp {
            ssrc: header.ssrc,
            sequence: header.sequence_number,
            timestamp: header.timestamp,
        };
        if let Some(arrival) =
            Arrival::of(Codec::Opus, stamp, header.marker, packet.payload.clone())
        {
            self.0.push(now, arrival);
        }
    }

    /// Things made up so far.
    pub(super) fn concealed(&self) -> u64 {
        self.0.stats().concealed
    }

    /// The next 20 ms.
    pub(super) fn frame(&mut self, now: Instant) -> Frame {
        self.0.frame(now, FRAME_MS)
    }
}
