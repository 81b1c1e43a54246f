use std::time::Instant;

use bytes::Bytes;
use housecall_media::coder::{CodecError, Decoder};
use housecall_media::jitter::{Arrival, Play};
use housecall_media::opus::OPUS_FRAME_TICKS;
use housecall_media::{FRAME_MS, Frame, JitterBuffer, OpusDecoder, Rate, level};

/// One person's packets on the way to the mixer: a jitter buffer, a decoder, and what was decoded and not heard yet.
#[derive(Debug)]
pub(super) struct Voice {
    buffer: JitterBuffer,
    decoder: OpusDecoder,
    rate: Rate,
    /// Less than one packet.
    samples: Vec<i16>,
    quiet: bool,
}

/// 20 ms of a voice.
#[derive(Clone, Debug)]
pub(super) struct Played {
    pub(super) frame: Frame,
    /// What is in the frame, if it is one packet's worth.
    pub(super) whole: Option<Whole>,
}

/// The one packet that a frame is.
#[derive(Clone, Debug)]
pub(crate) enum Whole {
    /// It came.
    Packet(Bytes),
    /// It did not come.
    Lost,
}

impl Voice {
    /// Ticks of Opus' RTP clock in a second.
    const CLOCK_RATE: u32 = 48_000;
    /// Below this, in dBFS, leaving out a frame is not heard.
    const QUIET_DBFS: f32 = -45.0;
    /// Steps in which a frame is gathered at most: packets of 2.5 ms are the shortest, and each may be lost.
    const STEPS_MAX: u32 = 16;

    pub(super) fn new(rate: Rate) -> Result<Self, CodecError> {
        Ok(Self {
            buffer: JitterBuffer::new(Self::CLOCK_RATE),
            decoder: OpusDecoder::at(rate)?,
            rate,
            samples: Vec::new(),
            quiet: true,
        })
    }

    /// Takes a packet in. What is no Opus is dropped.
    pub(super) fn push(&mut self, now: Instant, packet: &rtp::Packet) {
        let Some(ticks) = OpusDecoder::ticks(&packet.payload) else {
            return;
        };
        let arrival = Arrival {
            ssrc: packet.header.ssrc,
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            ticks,
            payload: packet.payload.clone(),
        };
        self.buffer.push(now, arrival);
    }

    /// Things made up so far.
    pub(super) fn concealed(&self) -> u64 {
        self.buffer.stats().concealed
    }

    /// The next 20 ms.
    pub(super) fn frame(&mut self, now: Instant) -> Played {
        let mut frame = Frame::silence(self.rate, FRAME_MS);
        let mut whole = None;
        for _ in 0..Self::STEPS_MAX {
            if self.samples.len() >= frame.len() {
                break;
            }
            whole = self.step(now);
        }
        let length = self.samples.len().min(frame.len());
        for (place, sample) in frame.iter_mut().zip(self.samples.drain(..length)) {
            *place = sample;
        }
        self.quiet = level(&frame).0 < Self::QUIET_DBFS;
        Played { frame, whole }
    }

    /// Plays what is next; returns what it is if it alone will be the frame.
    fn step(&mut self, now: Instant) -> Option<Whole> {
        let is_whole = |ticks| ticks == OPUS_FRAME_TICKS;
        let is_first = self.samples.is_empty();
        match self.buffer.pull(now, self.quiet) {
            Play::Packet { payload, ticks } => {
                let came = self.packet(&payload, ticks);
                return (came && is_first && is_whole(ticks)).then_some(Whole::Packet(payload));
            }
            Play::Lost { next, ticks } => {
                self.make_up(next.as_deref(), ticks);
                return (is_first && is_whole(ticks)).then_some(Whole::Lost);
            }
            Play::Silence { ticks } => {
                let length = self.samples.len() + self.samples_of(ticks);
                self.samples.resize(length, 0);
            }
        }
        None
    }

    /// Decodes a packet; makes up what it would have been if it is damaged, and returns false.
    fn packet(&mut self, payload: &[u8], ticks: u32) -> bool {
        let is_sound = self.decoder.decode(payload, &mut self.samples).is_ok();
        if !is_sound {
            self.make_up(None, ticks);
        }
        is_sound
    }

    fn make_up(&mut self, next: Option<&[u8]>, ticks: u32) {
        let length = self.samples_of(ticks);
        self.decoder.make_up(next, length, &mut self.samples);
    }

    fn samples_of(&self, ticks: u32) -> usize {
        let samples = u64::from(ticks) * u64::from(self.rate.hertz()) / u64::from(Self::CLOCK_RATE);
        usize::try_from(samples).unwrap_or(Frame::SAMPLES_MAX)
    }
}
