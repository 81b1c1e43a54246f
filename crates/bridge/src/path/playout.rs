use std::time::Instant;

use bytes::Bytes;
use housecall_media::g711::Law;
use housecall_media::jitter::{Arrival, JitterStats, Play};
use housecall_media::{
    Concealment, FRAME_SAMPLES, Frame, JitterBuffer, OpusDecoder, SAMPLE_RATE, SILENCE, level,
};

/// One direction's way from packets to a frame every 20 ms: the jitter buffer, a decoder, and what the decoder made too much.
#[derive(Debug)]
pub(super) struct Playout<D> {
    buffer: JitterBuffer,
    decoder: D,
    clock_rate: u32,
    /// Decoded and not yet played; less than one packet.
    samples: Vec<i16>,
    quiet: bool,
}

/// Turns packets and losses into samples at 8 kHz.
pub(super) trait Decode {
    /// Decodes a packet, or makes up what it would have been if it is damaged.
    fn packet(&mut self, payload: &[u8], length: usize, samples: &mut Vec<i16>);
    /// Makes up `length` samples of a packet that did not come; `next` is the one after it.
    fn lost(&mut self, next: Option<&[u8]>, length: usize, samples: &mut Vec<i16>);
}

impl<D: Decode> Playout<D> {
    /// Below this, in dBFS, leaving out a frame is not heard.
    const QUIET_DBFS: f32 = -45.0;

    pub(super) fn new(clock_rate: u32, decoder: D) -> Self {
        Self {
            buffer: JitterBuffer::new(clock_rate),
            decoder,
            clock_rate,
            samples: Vec::new(),
            quiet: true,
        }
    }

    pub(super) fn push(&mut self, now: Instant, packet: Arrival) {
        self.buffer.push(now, packet);
    }

    pub(super) fn decoder(&mut self) -> &mut D {
        &mut self.decoder
    }

    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.samples.clear();
    }

    pub(super) fn stats(&self) -> JitterStats {
        self.buffer.stats()
    }

    /// The next 20 ms.
    pub(super) fn frame(&mut self, now: Instant) -> Frame {
        // Every step plays at least a tick, but a stream of tiny packets should not cost more than one of sensible ones.
        for _ in 0..FRAME_SAMPLES {
            if self.samples.len() >= FRAME_SAMPLES {
                break;
            }
            let play = self.buffer.pull(now, self.quiet);
            self.decode(play);
        }
        let frame = self.take();
        self.quiet = level(&frame).0 < Self::QUIET_DBFS;
        frame
    }

    fn decode(&mut self, play: Play) {
        match play {
            Play::Packet { payload, ticks } => {
                let length = self.samples_of(ticks);
                self.decoder.packet(&payload, length, &mut self.samples);
            }
            Play::Lost { next, ticks } => {
                let length = self.samples_of(ticks);
                self.decoder
                    .lost(next.as_deref(), length, &mut self.samples);
            }
            Play::Silence { ticks } => self
                .samples
                .resize(self.samples.len() + self.samples_of(ticks), 0),
        }
    }

    fn samples_of(&self, ticks: u32) -> usize {
        let samples = u64::from(ticks) * u64::from(SAMPLE_RATE) / u64::from(self.clock_rate.max(1));
        usize::try_from(samples).unwrap_or(FRAME_SAMPLES)
    }

    fn take(&mut self) -> Frame {
        let mut frame = SILENCE;
        let length = self.samples.len().min(FRAME_SAMPLES);
        for (place, sample) in frame.iter_mut().zip(self.samples.drain(..length)) {
            *place = sample;
        }
        frame
    }
}

/// Decodes G.711 and bridges its losses.
#[derive(Debug)]
pub(super) struct PhoneDecoder {
    pub(super) law: Law,
    concealment: Concealment,
}

impl PhoneDecoder {
    pub(super) fn new() -> Self {
        Self {
            law: Law::A,
            concealment: Concealment::default(),
        }
    }
}

impl Decode for PhoneDecoder {
    /// An empty payload stands for comfort noise (RFC 3389), which is played as silence.
    fn packet(&mut self, payload: &[u8], length: usize, samples: &mut Vec<i16>) {
        let mut sound = Vec::with_capacity(length);
        self.law.decode(payload, &mut sound);
        sound.resize(length, 0);
        for chunk in sound.chunks_mut(FRAME_SAMPLES) {
            if let Ok(frame) = <&mut Frame>::try_from(chunk) {
                self.concealment.heard(frame);
            }
        }
        samples.extend(sound);
    }

    fn lost(&mut self, _next: Option<&[u8]>, length: usize, samples: &mut Vec<i16>) {
        let frames = length.div_ceil(FRAME_SAMPLES);
        let end = samples.len() + length;
        samples.extend((0..frames).flat_map(|_| self.concealment.conceal()));
        samples.truncate(end);
    }
}

impl Decode for OpusDecoder {
    fn packet(&mut self, payload: &[u8], length: usize, samples: &mut Vec<i16>) {
        if OpusDecoder::decode(self, payload, samples).is_err() {
            self.lost(None, length, samples);
        }
    }

    fn lost(&mut self, next: Option<&[u8]>, length: usize, samples: &mut Vec<i16>) {
        let ticks = u32::try_from(length * 6).unwrap_or(960);
        let made = match next {
            Some(next) => self.recover(next, ticks, samples),
            None => self.conceal(ticks, samples),
        };
        if made.is_err() {
            samples.resize(samples.len() + length, 0);
        }
    }
}

/// A packet of comfort noise has a number and a time but no sound.
pub(super) const NO_SOUND: Bytes = Bytes::new();
