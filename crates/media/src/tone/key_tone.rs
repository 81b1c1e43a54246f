use super::Sine;
use crate::{Frame, Key, Rate, SILENCE};

/// The two tones of a key, for a time (ITU-T Q.23).
#[derive(Clone, Debug)]
pub struct KeyTone {
    low: Sine,
    high: Sine,
    /// Both in samples at 16 kHz.
    length: u32,
    played: u32,
}

impl KeyTone {
    /// How long it takes to swell and to fade, so that it does not click: 2 ms, in samples at 16 kHz.
    const RAMP: u32 = 32;

    /// Makes the tone of a key that lasts `ms` milliseconds, each of its frequencies at −13 dBFS.
    pub fn new(key: Key, ms: u32) -> Self {
        let (low, high) = key.hertz();
        Self {
            low: Sine::new(low, -13.0),
            high: Sine::new(high, -13.0),
            length: ms.min(60_000) * (Rate::Wide.hertz() / 1_000),
            played: 0,
        }
    }

    /// The next 20 ms at 8 kHz, padded with silence at the end; none once it is over.
    pub fn frame(&mut self) -> Option<Frame> {
        let mut frame = SILENCE;
        self.fill(&mut frame).then_some(frame)
    }

    /// Plays on for as long as a frame is, with silence after its end; false, and nothing played, once it is over.
    pub fn fill(&mut self, frame: &mut Frame) -> bool {
        if self.played >= self.length {
            return false;
        }
        let rate = frame.rate();
        frame.fill_with(|| self.sample(rate));
        true
    }

    fn sample(&mut self, rate: Rate) -> i16 {
        let left = self.length.saturating_sub(self.played);
        let ramp = self.played.min(left).min(Self::RAMP) as f32 / Self::RAMP as f32;
        self.played = self.played.saturating_add(rate.step());
        ((self.low.sample_at(rate) + self.high.sample_at(rate)) * ramp) as i16
    }
}
