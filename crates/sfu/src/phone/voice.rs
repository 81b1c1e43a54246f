use std::time::Instant;

use housecall_media::coder::{CodecError, decoder};
use housecall_media::jitter::Arrival;
use housecall_media::playout::Playout;
use housecall_media::sdp::Codec;
use housecall_media::{FRAME_MS, Frame, Rate};

/// One person's packets on the way to the mixer.
#[derive(Debug)]
pub(super) struct Voice(Playout);

impl Voice {
    pub(super) fn new(rate: Rate) -> Result<Self, CodecError> {
        let decoder = decoder(Codec::Opus, rate)?;
        Ok(Self(Playout::new(Codec::Opus.clock_rate(), rate, decoder)))
    }

    /// Takes a packet in. What is no Opus is dropped.
    pub(super) fn push(&mut self, now: Instant, packet: &rtp::Packet) {
        let Some(ticks) = Codec::Opus.ticks(&packet.payload) else {
            return;
        };
        let arrival = Arrival {
            ssrc: packet.header.ssrc,
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            ticks,
            content: Codec::Opus.content(&packet.payload),
            payload: packet.payload.clone(),
        };
        self.0.push(now, arrival);
    }

    /// Things made up so far.
    pub(super) fn concealed(&self) -> u64 {
        self.0.stats().concealed
    }

    /// The next 20 ms.
    pub(super) fn frame(&mut self, now: Instant) -> Frame {
        let mut frame = Frame::silence(self.0.rate(), FRAME_MS);
        self.0.fill(now, &mut frame);
        frame
    }
}
