use super::Sine;
use crate::{FRAME_SAMPLES, Frame, Key, SAMPLE_RATE};

/// The two tones of a key, for a time (ITU-T Q.23).
#[derive(Clone, Debug)]
pub struct KeyTone {
    low: Sine,
    high: Sine,
    length: u32,
    played: u32,
}

impl KeyTone {
    /// Makes the tone of a key that lasts `ms` milliseconds, each of its frequencies at −13 dBFS.
    pub fn new(key: Key, ms: u32) -> Self {
        let (low, high) = key.hertz();
        let length = ms.min(60_000) * SAMPLE_RATE / 1_000;
        Self {
            low: Sine::new(low, -13.0),
            high: Sine::new(high, -13.0),
            length,
            played: 0,
        }
    }

    /// The next 20 ms, padded with silence at the end; none once it is over.
    pub fn frame(&mut self) -> Option<Frame> {
        if self.played >= self.length {
            return None;
        }
        let mut frame = [0; FRAME_SAMPLES];
        frame.fill_with(|| self.sample());
        Some(frame)
    }

    fn sample(&mut self) -> i16 {
        let left = self.length.saturating_sub(self.played);
        // 2 ms at either end, so that it does not click.
        let ramp = self.played.min(left).min(16) as f32 / 16.0;
        self.played += 1;
        ((self.low.sample() + self.high.sample()) * ramp) as i16
    }
}
