use std::time::Instant;

use housecall_media::coder::{CodecError, decoder};
use housecall_media::jitter::{Arrival, JitterStats};
use housecall_media::sdp::Codec;
use housecall_media::{Frame, Rate};

/// One direction's way from packets of the codec that is spoken just now to frames.
#[derive(Debug)]
pub(super) struct Playout {
    playout: housecall_media::Playout,
    codec: Codec,
}

impl Playout {
    /// Plays packets of a codec at a rate.
    pub(super) fn new(codec: Codec, rate: Rate) -> Result<Self, CodecError> {
        Ok(Self {
            playout: housecall_media::Playout::of(codec, rate)?,
            codec,
        })
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// How finely its frames are sampled.
    pub(super) fn rate(&self) -> Rate {
        self.playout.rate()
    }

    /// Goes on with packets of another codec, or at another rate. What waits is of the one before, and is left out.
    pub(super) fn change(&mut self, codec: Codec, rate: Rate) -> Result<(), CodecError> {
        if (self.codec, self.rate()) == (codec, rate) {
            return Ok(());
        }
        let decoder = decoder(codec, rate)?;
        self.playout.change(codec.clock_rate(), rate, decoder);
        self.codec = codec;
        Ok(())
    }

    pub(super) fn push(&mut self, now: Instant, packet: Arrival) {
        self.playout.push(now, packet);
    }

    pub(super) fn clear(&mut self) {
        self.playout.clear();
    }

    pub(super) fn stats(&self) -> JitterStats {
        self.playout.stats()
    }

    /// How much sooner the last frame could have been asked for, in microseconds; none if nothing is known, or none was since this was asked.
    pub(super) fn take_spare_us(&mut self) -> Option<i64> {
        self.playout.take_spare_us()
    }

    /// Whether the next `ms` milliseconds are there, and waiting for their moment would serve nothing.
    pub(super) fn completes(&self, ms: u64) -> bool {
        self.playout.completes(ms)
    }

    /// The next `ms` milliseconds, 20 at most.
    pub(super) fn frame(&mut self, now: Instant, ms: u64) -> Frame {
        self.playout.frame(now, ms)
    }
}
