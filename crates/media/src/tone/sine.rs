use std::f32::consts::TAU;

use crate::{Dbfs, Frame, Rate, SILENCE};

/// A steady tone, at whatever rate it is asked for.
#[derive(Clone, Debug)]
pub struct Sine {
    /// Turns, 0 to 1.
    phase: f32,
    hertz: f32,
    amplitude: f32,
}

impl Sine {
    /// Makes a tone of a frequency in hertz and a level in dBFS.
    pub fn new(hertz: f32, dbfs: f32) -> Self {
        Self {
            phase: 0.0,
            hertz,
            amplitude: Dbfs(dbfs).amplitude(),
        }
    }

    /// The next sample at 8 kHz, in sample steps.
    pub fn sample(&mut self) -> f32 {
        self.sample_at(Rate::Narrow)
    }

    /// The next sample at a rate, in sample steps.
    pub(super) fn sample_at(&mut self, rate: Rate) -> f32 {
        let sample = (self.phase * TAU).sin() * self.amplitude;
        self.phase = (self.phase + self.hertz / rate.hertz() as f32).fract();
        sample
    }

    /// The next 20 ms at 8 kHz.
    pub fn frame(&mut self) -> Frame {
        let mut frame = SILENCE;
        self.fill(&mut frame);
        frame
    }

    /// Plays on for as long as a frame is.
    pub fn fill(&mut self, frame: &mut Frame) {
        let rate = frame.rate();
        frame.fill_with(|| self.sample_at(rate) as i16);
    }
}
