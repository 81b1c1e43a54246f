use std::time::Instant;

use bytes::Bytes;
use housecall_media::coder::{CodecError, Decoder, decoder};
use housecall_media::jitter::{Arrival, JitterStats, Play};
use housecall_media::sdp::Codec;
use housecall_media::{Frame, JitterBuffer, Rate, level};

/// One direction's way from packets to frames: the jitter buffer, a decoder, and what the decoder made too much.
#[derive(Debug)]
pub(super) struct Playout {
    buffer: JitterBuffer,
    decoder: Box<dyn Decoder>,
    codec: Codec,
    rate: Rate,
    /// Decoded and not yet played; less than one packet.
    samples: Vec<i16>,
    quiet: bool,
    /// What happened under the clocks of codecs before.
    before: JitterStats,
}

impl Playout {
    /// Below this, in dBFS, leaving out a frame is not heard.
    const QUIET_DBFS: f32 = -45.0;
    /// Steps in which a frame is gathered at most. Each plays at least a tick, but a stream of tiny packets should not cost more than one of
    /// sensible ones.
    const STEPS_MAX: usize = 160;

    /// Plays packets of a codec at a rate.
    pub(super) fn new(codec: Codec, rate: Rate) -> Result<Self, CodecError> {
        Ok(Self {
            buffer: JitterBuffer::new(codec.clock_rate()),
            decoder: decoder(codec, rate)?,
            codec,
            rate,
            samples: Vec::new(),
            quiet: true,
            before: JitterStats::default(),
        })
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// How finely its frames are sampled.
    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    /// Goes on with packets of another codec, or at another rate. What waits is of the one before, and is left out.
    pub(super) fn change(&mut self, codec: Codec, rate: Rate) -> Result<(), CodecError> {
        if (self.codec, self.rate) == (codec, rate) {
            return Ok(());
        }
        self.decoder = decoder(codec, rate)?;
        if self.codec.clock_rate() != codec.clock_rate() {
            self.before = self.stats();
            self.buffer = JitterBuffer::new(codec.clock_rate());
        }
        (self.codec, self.rate) = (codec, rate);
        self.clear();
        Ok(())
    }

    pub(super) fn push(&mut self, now: Instant, packet: Arrival) {
        self.buffer.push(now, packet);
    }

    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.samples.clear();
    }

    pub(super) fn stats(&self) -> JitterStats {
        let (before, now) = (self.before, self.buffer.stats());
        JitterStats {
            received: before.received + now.received,
            played: before.played + now.played,
            late: before.late + now.late,
            duplicate: before.duplicate + now.duplicate,
            overflow: before.overflow + now.overflow,
            concealed: before.concealed + now.concealed,
            grown: before.grown + now.grown,
            shrunk: before.shrunk + now.shrunk,
            reanchored: before.reanchored + now.reanchored,
            ..now
        }
    }

    /// The next `ms` milliseconds, 20 at most.
    pub(super) fn frame(&mut self, now: Instant, ms: u64) -> Frame {
        let mut frame = Frame::silence(self.rate, ms);
        for _ in 0..Self::STEPS_MAX {
            if self.samples.len() >= frame.len() {
                break;
            }
            let play = self.buffer.pull(now, self.quiet);
            self.play(play);
        }
        let length = self.samples.len().min(frame.len());
        for (place, sample) in frame.iter_mut().zip(self.samples.drain(..length)) {
            *place = sample;
        }
        self.quiet = level(&frame).0 < Self::QUIET_DBFS;
        frame
    }

    fn play(&mut self, play: Play) {
        match play {
            Play::Packet { payload, ticks } => self.packet(&payload, ticks),
            Play::Lost { next, ticks } => {
                let length = self.samples_of(ticks);
                let next = next.filter(|next| !next.is_empty());
                self.decoder
                    .make_up(next.as_deref(), length, &mut self.samples);
            }
            Play::Silence { ticks } => self.silence(ticks),
        }
    }

    /// Decodes a packet, or makes up what it would have been if it is damaged.
    fn packet(&mut self, payload: &[u8], ticks: u32) {
        if payload.is_empty() {
            return self.silence(ticks);
        }
        if self.decoder.decode(payload, &mut self.samples).is_err() {
            let length = self.samples_of(ticks);
            self.decoder.make_up(None, length, &mut self.samples);
        }
    }

    fn silence(&mut self, ticks: u32) {
        let length = self.samples.len() + self.samples_of(ticks);
        self.samples.resize(length, 0);
    }

    fn samples_of(&self, ticks: u32) -> usize {
        let clock_rate = u64::from(self.codec.clock_rate());
        let samples = u64::from(ticks) * u64::from(self.rate.hertz()) / clock_rate;
        usize::try_from(samples).unwrap_or(Frame::SAMPLES_MAX)
    }
}

/// A packet of comfort noise has a number and a time but no sound.
pub(super) const NO_SOUND: Bytes = Bytes::new();
