use std::collections::VecDeque;

use housecall_bridge::{EarFrame, EarPacket};
use housecall_media::coder::CodecError;
use housecall_media::opus::OPUS_FRAME_TICKS;
use housecall_media::{OpusDecoder, OpusEncoder, Sine, dominant_frequency, level};

/// What a telephone without a person says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Voice {
    /// Frames of silence, every 20 ms: carriers hang up on a leg that sends nothing.
    Silence,
    /// A tone at -12 dBFS.
    Tone {
        /// In hertz.
        hertz: f32,
    },
}

/// Says it, as a browser would: in Opus.
pub(super) struct Mouth {
    tone: Option<Sine>,
    encoder: OpusEncoder,
    sequence: u16,
}

impl Mouth {
    pub(super) fn new(voice: Voice) -> Result<Self, CodecError> {
        let tone = match voice {
            Voice::Silence => None,
            Voice::Tone { hertz } => Some(Sine::new(hertz, -12.0)),
        };
        Ok(Self {
            tone,
            encoder: OpusEncoder::new()?,
            sequence: 0,
        })
    }

    /// The next 20 ms; none of silence, which the media path makes by itself.
    pub(super) fn speak(&mut self) -> Option<EarPacket> {
        let frame = self.tone.as_mut()?.frame();
        self.sequence = self.sequence.wrapping_add(1);
        Some(EarPacket {
            ssrc: 1,
            sequence: self.sequence,
            timestamp: u32::from(self.sequence).wrapping_mul(OPUS_FRAME_TICKS),
            payload: self.encoder.encode(&frame).ok()?,
        })
    }
}

/// Measures the last second of what is heard.
pub(super) struct Ear {
    decoder: OpusDecoder,
    last: VecDeque<i16>,
}

impl Ear {
    /// One second at 8 kHz.
    const MEASURED: usize = 8_000;

    pub(super) fn new() -> Result<Self, CodecError> {
        Ok(Self {
            decoder: OpusDecoder::new()?,
            last: VecDeque::with_capacity(Self::MEASURED),
        })
    }

    /// Forgets what was heard, such as our own ringing tone.
    pub(super) fn begin(&mut self) {
        self.last.clear();
    }

    pub(super) fn hear(&mut self, frame: &EarFrame) {
        let mut samples = Vec::new();
        if self.decoder.decode(&frame.payload, &mut samples).is_err() {
            return;
        }
        self.last.extend(samples);
        let surplus = self.last.len().saturating_sub(Self::MEASURED);
        self.last.drain(..surplus);
    }

    /// In dBFS; none before anything was heard.
    pub(super) fn level_dbfs(&mut self) -> Option<f32> {
        let samples = self.last.make_contiguous();
        (!samples.is_empty()).then(|| level(samples).0)
    }

    /// In hertz; none of silence and noise.
    pub(super) fn frequency_hz(&mut self) -> Option<f32> {
        dominant_frequency(self.last.make_contiguous())
    }
}
