use std::f32::consts::TAU;

use crate::{Dbfs, FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// A steady tone.
#[derive(Clone, Debug)]
pub struct Sine {
    /// Turns, 0 to 1.
    phase: f32,
    turns_per_sample: f32,
    amplitude: f32,
}

impl Sine {
    /// Makes a tone of a frequency in hertz and a level in dBFS.
    pub fn new(hertz: f32, dbfs: f32) -> Self {
        Self {
            phase: 0.0,
            turns_per_sample: hertz / SAMPLE_RATE as f32,
            amplitude: Dbfs(dbfs).amplitude(),
        }
    }

    /// The next sample, in sample steps.
    pub fn sample(&mut self) -> f32 {
        let sample = (self.phase * TAU).sin() * self.amplitude;
        self.phase = (self.phase + self.turns_per_sample).fract();
        sample
    }

    /// The next 20 ms.
    pub fn frame(&mut self) -> Frame {
        let mut frame = [0; FRAME_SAMPLES];
        frame.fill_with(|| self.sample() as i16);
        frame
    }
}
