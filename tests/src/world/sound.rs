use std::collections::VecDeque;

use housecall_bridge::{EarFrame, EarPacket};
use housecall_media::opus::OPUS_FRAME_TICKS;
use housecall_media::{OpusDecoder, OpusEncoder, SAMPLE_RATE, Sine, dominant_frequency, level};

/// What the caller hums, so that it can be told from everything else.
pub(crate) const HUM_HZ: f32 = 440.0;
pub(crate) const HUM_DBFS: f32 = -16.0;

/// The caller hums into it for ever.
pub(super) struct Microphone {
    hum: Sine,
    encoder: OpusEncoder,
    sequence: u16,
    timestamp: u32,
}

/// The last half second that the caller heard.
pub(super) struct Ear {
    decoder: OpusDecoder,
    heard: VecDeque<i16>,
}

impl Microphone {
    pub(super) fn new() -> Microphone {
        Microphone {
            hum: Sine::new(HUM_HZ, HUM_DBFS),
            encoder: OpusEncoder::new().unwrap(),
            sequence: 0,
            timestamp: 0,
        }
    }

    /// The next 20 ms.
    pub(super) fn packet(&mut self) -> EarPacket {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(OPUS_FRAME_TICKS);
        EarPacket {
            ssrc: 7,
            sequence: self.sequence,
            timestamp: self.timestamp,
            payload: self.encoder.encode(&self.hum.frame()).unwrap(),
        }
    }
}

impl Ear {
    const KEPT: usize = SAMPLE_RATE as usize / 2;

    pub(super) fn new() -> Ear {
        Ear {
            decoder: OpusDecoder::new().unwrap(),
            heard: VecDeque::new(),
        }
    }

    pub(super) fn hear(&mut self, frame: &EarFrame) {
        let mut samples = Vec::new();
        self.decoder.decode(&frame.payload, &mut samples).unwrap();
        self.heard.extend(samples);
        let excess = self.heard.len().saturating_sub(Self::KEPT);
        self.heard.drain(..excess);
    }

    pub(super) fn level_dbfs(&self) -> f32 {
        level(&self.samples()).0
    }

    pub(super) fn frequency_hz(&self) -> Option<f32> {
        dominant_frequency(&self.samples())
    }

    fn samples(&self) -> Vec<i16> {
        self.heard.iter().copied().collect()
    }
}
