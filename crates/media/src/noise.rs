use std::fmt;

use nnnoiseless::DenoiseState;

use crate::resample::Resampler;
use crate::{Frame, Rate};

/// Takes the noise around a voice away: fans, traffic, a waiting room. What is no voice is noise to it, tones and music too.
///
/// RNNoise, a small recurrent network that hears 48 kHz, between two resamplers. What comes out is late by
/// [`DELAY_MS`](NoiseSuppressor::DELAY_MS) at most.
pub struct NoiseSuppressor {
    rate: Rate,
    up: Resampler,
    network: Box<DenoiseState<'static>>,
    down: Resampler,
    /// At 48 kHz and not yet heard by the network: less than one of its frames.
    heard: Vec<f32>,
    /// Clean, at the rate of whoever asks, and not yet given.
    clean: Vec<f32>,
}

impl NoiseSuppressor {
    /// How much later sound comes out, in milliseconds: 10 of the network, and half of each filter, which is longest at 8 kHz.
    pub const DELAY_MS: u64 = 17;

    const NETWORK_HERTZ: u32 = 48_000;

    /// Begins with sound of one rate, knowing nothing of its noise.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            up: Resampler::new(rate.hertz(), Self::NETWORK_HERTZ),
            network: DenoiseState::new(),
            down: Resampler::new(Self::NETWORK_HERTZ, rate.hertz()),
            heard: Vec::new(),
            clean: Vec::new(),
        }
    }

    /// Makes the next part of a voice clean. A frame of another rate begins anew at that rate.
    pub fn clean(&mut self, frame: &mut Frame) {
        if frame.rate() != self.rate {
            *self = Self::new(frame.rate());
        }
        self.up.convert(
            frame.iter().map(|sample| f32::from(*sample)),
            &mut self.heard,
        );
        self.listen();
        // Only whole frames of the network come out: what a shorter one lacks comes before its sound, once.
        let length = frame.len();
        let wanting = length.saturating_sub(self.clean.len());
        self.clean.splice(..0, std::iter::repeat_n(0.0, wanting));
        for (sample, clean) in frame.iter_mut().zip(self.clean.drain(..length)) {
            *sample = clean.round() as i16;
        }
    }

    fn listen(&mut self) {
        let mut network_frame = [0.0; DenoiseState::FRAME_SIZE];
        let mut frames = self.heard.chunks_exact(DenoiseState::FRAME_SIZE);
        for frame in &mut frames {
            self.network.process_frame(&mut network_frame, frame);
            self.down.convert(network_frame, &mut self.clean);
        }
        let rest = frames.remainder().len();
        self.heard.drain(..self.heard.len() - rest);
    }
}

impl fmt::Debug for NoiseSuppressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoiseSuppressor")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::{FRAME_MS, level};

    /// Something like a vowel, three a second with pauses between: harmonics of a gliding pitch under three formants.
    fn voice(rate: Rate, at: usize) -> f32 {
        let time = at as f32 / rate.hertz() as f32;
        let swell = (std::f32::consts::TAU * 1.5 * time).sin().max(0.0);
        let turns = 120.0 * time + 3.0 * (std::f32::consts::TAU * 0.7 * time).sin();
        let harmonics = (1..=25).map(|n| {
            let hertz = 120.0 * n as f32;
            let formant = |middle: f32, width: f32| (-((hertz - middle) / width).powi(2)).exp();
            let loud = formant(600.0, 200.0)
                + 0.6 * formant(1_200.0, 250.0)
                + 0.3 * formant(2_500.0, 300.0);
            loud * (std::f32::consts::TAU * turns * n as f32).sin()
        });
        2_500.0 * swell * harmonics.sum::<f32>()
    }

    /// The level of each direction's last two seconds of four: before and after.
    fn levels(rate: Rate, mut sound: impl FnMut(usize) -> f32) -> (f32, f32) {
        let mut suppressor = NoiseSuppressor::new(rate);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let length = rate.samples(FRAME_MS);
        for tick in 0..200 {
            let samples = (0..length).map(|at| sound(tick * length + at) as i16);
            let mut frame = Frame::new(rate, samples);
            before.extend(frame);
            suppressor.clean(&mut frame);
            after.extend(frame);
        }
        let late = rate.samples(2_000);
        (level(&before[late..]).0, level(&after[late..]).0)
    }

    #[test]
    fn noise_goes_and_a_voice_stays() {
        for rate in [Rate::Narrow, Rate::Wide] {
            let mut random = StdRng::seed_from_u64(7);
            let (noise, left) = levels(rate, |_| random.random_range(-400.0..400.0));
            let (said, heard) = levels(rate, |at| voice(rate, at));
            let (mixed, kept) = levels(rate, |at| {
                voice(rate, at) + random.random_range(-400.0..400.0)
            });
            assert!(
                left < noise - 12.0,
                "{rate:?}: noise {noise} to {left} dBFS"
            );
            assert!(
                (said - heard).abs() < 3.0,
                "{rate:?}: voice {said} to {heard} dBFS"
            );
            assert!(
                (mixed - kept).abs() < 4.0,
                "{rate:?}: both {mixed} to {kept} dBFS"
            );
        }
    }

    #[test]
    fn silence_stays_silence() {
        let (_, left) = levels(Rate::Narrow, |_| 0.0);
        assert!(left < -90.0, "{left} dBFS");
    }

    /// Frames of any length come out as long as they went in.
    #[test]
    fn nothing_is_lost_between_frames_of_odd_lengths() {
        let mut suppressor = NoiseSuppressor::new(Rate::Narrow);
        let mut random = StdRng::seed_from_u64(3);
        for tick in 0..500 {
            let length = 1 + (tick * 37) % 160;
            let mut frame = Frame::new(
                Rate::Narrow,
                (0..length).map(|_| random.random_range(-3_000..3_000)),
            );
            suppressor.clean(&mut frame);
            assert_eq!(frame.len(), length);
            assert!(
                suppressor.clean.len() <= 160 && suppressor.heard.len() < DenoiseState::FRAME_SIZE
            );
        }
        let mut wide = Frame::silence(Rate::Wide, FRAME_MS);
        suppressor.clean(&mut wide);
        assert_eq!(suppressor.rate, Rate::Wide);
    }
}
