use std::collections::VecDeque;

use crate::key::{COLUMNS, ROWS};
use crate::level::goertzel;
use crate::resample::Resampler;
use crate::{Dbfs, Frame, Key, Rate, SAMPLE_RATE};

/// Hears keys that are played as tones in the voice itself (ITU-T Q.23), within the limits of Q.24 and without taking speech for keys.
///
/// Every 6.4 ms it decides on the last 25.5 ms. Two decisions in a row are a key (so 40 ms always are, 23 ms never), and the key is over after
/// seven without it (so a pause of 40 ms parts two keys, and a break of 10 ms does not).
#[derive(Clone, Debug, Default)]
pub struct KeyDetector {
    /// The last samples, at most [`BLOCK`] of them.
    block: VecDeque<i16>,
    /// Samples since the last decision.
    since: usize,
    /// The last decision, and how often it was made in a row.
    last: Option<Key>,
    in_a_row: u32,
    /// The key that was told and is not over.
    down: Option<Key>,
    /// Decisions in a row without it.
    without: u32,
    /// Makes wide sound narrow; none before any came.
    narrower: Option<Resampler>,
}

/// One of a block's two tones.
#[derive(Clone, Copy, Debug)]
struct Tone {
    /// Which of its four.
    place: usize,
    hertz: f32,
    /// Its amplitude squared, in sample steps.
    power: f32,
}

/// Samples between decisions: 6.4 ms.
const STEP: usize = 51;
/// Samples that a decision is made from: 25.5 ms.
const BLOCK: usize = 4 * STEP;
/// Q.24 §2.2: a frequency up to 1.5 % off counts, one that is 3.5 % off does not; the bound lies between.
const OFF_MAX: f32 = 0.024;
/// Q.24 §2.3: −25 dBm0 for each tone is a key, −55 is not. Full scale is 3.14 dBm0 (G.711).
const LEVEL_MIN: Dbfs = Dbfs(-34.0);
/// Q.24 §2.4, the widest limits in use: the upper tone up to 4 dB above the lower, or up to 8 dB below it; each with 1.5 dB to spare.
const TWIST_DB_MAX: f32 = 5.5;
const REVERSE_TWIST_DB_MAX: f32 = 9.5;
/// The part of the block's power that the two tones must have. Noise 15 dB below a key leaves 0.97; speech rarely reaches this.
const PURITY_MIN: f32 = 0.85;
/// How much of its tone's power the second harmonic of either may have. A voice has overtones, a key's generator has not (Q.23 §6: 20 dB).
const HARMONIC_MAX: f32 = 0.04;
/// The least power of a quarter of a block, relative to the mean: the tones must fill it.
const QUARTER_MIN: f32 = 0.4;
/// Half the width of a frequency's bin, in hertz.
const HALF_BIN: f32 = SAMPLE_RATE as f32 / BLOCK as f32 / 2.0;

impl KeyDetector {
    const IN_A_ROW: u32 = 2;
    const OVER_AFTER: u32 = 7;

    /// Listens to a frame at whatever rate, as [`KeyDetector::listen`] does. Wide sound is heard some 3 ms later, for the filter.
    pub fn listen_to(&mut self, frame: &Frame) -> Vec<Key> {
        match frame.rate() {
            Rate::Narrow => self.listen(frame),
            Rate::Wide => {
                let narrow = self.narrowed(frame);
                self.listen(&narrow)
            }
        }
    }

    fn narrowed(&mut self, frame: &Frame) -> Vec<i16> {
        let new = || Resampler::new(Rate::Wide.hertz(), Rate::Narrow.hertz());
        let narrower = self.narrower.get_or_insert_with(new);
        let mut narrow = Vec::with_capacity(frame.len() / 2 + 1);
        narrower.convert(frame.iter().map(|sample| f32::from(*sample)), &mut narrow);
        narrow
            .into_iter()
            .map(|sample| sample.round() as i16)
            .collect()
    }

    /// Listens to some sound at 8 kHz; returns the keys that became clear in it.
    pub fn listen(&mut self, samples: &[i16]) -> Vec<Key> {
        let mut keys = Vec::new();
        for sample in samples {
            self.block.push_back(*sample);
            if self.block.len() > BLOCK {
                self.block.pop_front();
            }
            self.since += 1;
            if self.since >= STEP && self.block.len() == BLOCK {
                self.since = 0;
                let decision = decide(self.block.make_contiguous());
                keys.extend(self.decided(decision));
            }
        }
        keys
    }

    /// Returns the key that this decision makes clear.
    fn decided(&mut self, decision: Option<Key>) -> Option<Key> {
        self.in_a_row = if decision == self.last {
            self.in_a_row.saturating_add(1)
        } else {
            1
        };
        self.last = decision;
        let clear = decision.filter(|_| self.in_a_row >= Self::IN_A_ROW);
        if decision.is_some() && decision == self.down {
            self.without = 0;
            return None;
        }
        self.without += 1;
        if self.without >= Self::OVER_AFTER {
            self.down = None;
        }
        if clear.is_some() {
            (self.down, self.without) = (clear, 0);
        }
        clear
    }
}

fn decide(block: &[i16]) -> Option<Key> {
    let power = mean_square(block);
    if power < LEVEL_MIN.amplitude().powi(2) || !is_steady(block, power) {
        return None;
    }
    let windowed: Vec<f32> = block
        .iter()
        .zip(window())
        .map(|(sample, w)| f32::from(*sample) * w)
        .collect();
    let low = tone(&windowed, &ROWS)?;
    let high = tone(&windowed, &COLUMNS)?;
    let loud_enough = low.power.min(high.power) >= LEVEL_MIN.amplitude().powi(2);
    let twist_db = 10.0 * (high.power / low.power).log10();
    let balanced = (-REVERSE_TWIST_DB_MAX..=TWIST_DB_MAX).contains(&twist_db);
    let pure = (low.power + high.power) / 2.0 >= PURITY_MIN * power;
    let like_a_key = loud_enough
        && balanced
        && pure
        && !has_overtone(&windowed, low, high)
        && !has_overtone(&windowed, high, low);
    like_a_key.then(|| Key::at(low.place, high.place))?
}

/// Whether the sound fills the block: what is only in a part of it was too short.
fn is_steady(block: &[i16], power: f32) -> bool {
    block
        .chunks(STEP)
        .all(|quarter| mean_square(quarter) >= QUARTER_MIN * power)
}

/// The strongest of four tones, if it is where it should be.
fn tone(windowed: &[f32], hertz: &[f32; 4]) -> Option<Tone> {
    let powers = hertz.map(|hertz| power_at(windowed, hertz));
    let (place, _) = powers
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let nominal = *hertz.get(place)?;
    let found = frequency(windowed, nominal);
    let near = (found / nominal - 1.0).abs() <= OFF_MAX;
    near.then(|| Tone {
        place,
        hertz: found,
        power: power_at(windowed, found),
    })
}

/// Where the frequency really is: the top of the bell that the window makes of a tone, through three points of it.
fn frequency(windowed: &[f32], nominal: f32) -> f32 {
    let level = |hertz: f32| power_at(windowed, hertz).max(1e-9).ln();
    let (below, at, above) = (
        level(nominal - HALF_BIN),
        level(nominal),
        level(nominal + HALF_BIN),
    );
    let curvature = 2.0 * at - below - above;
    if curvature <= 0.0 {
        // No top between the three: it is farther away than they are.
        return nominal + 2.0 * HALF_BIN * (above - below).signum();
    }
    nominal + HALF_BIN * (above - below) / (2.0 * curvature)
}

/// Whether a tone has a second harmonic. Where the other tone lies so near that the two cannot be told apart, it is that.
fn has_overtone(windowed: &[f32], tone: Tone, other: Tone) -> bool {
    let harmonic = 2.0 * tone.hertz;
    let apart = (harmonic - other.hertz).abs() > 4.0 * HALF_BIN;
    apart && power_at(windowed, harmonic) > HARMONIC_MAX * tone.power
}

/// The amplitude squared of a tone in windowed samples. The window's mean is a half.
fn power_at(windowed: &[f32], hertz: f32) -> f32 {
    goertzel(windowed.iter().copied(), hertz) * (4.0 / BLOCK as f32).powi(2)
}

fn mean_square(samples: &[i16]) -> f32 {
    let sum: f32 = samples
        .iter()
        .map(|sample| f32::from(*sample).powi(2))
        .sum();
    sum / samples.len().max(1) as f32
}

/// A raised cosine: what is far from a tone does not leak into it.
fn window() -> impl Iterator<Item = f32> {
    (0..BLOCK).map(|n| 0.5 - 0.5 * (std::f32::consts::TAU * (n as f32 + 0.5) / BLOCK as f32).cos())
}

#[cfg(test)]
mod tests;
