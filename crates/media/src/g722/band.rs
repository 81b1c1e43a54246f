//! Adaptive differential coding of one band (G.722 §3.2 to §3.6, §4.1 to §4.3).
//!
//! All numbers are the 16 bit ones of the Recommendation, kept in 32 so that a sum of two may be taken before it is saturated.

use super::predictor::{Predictor, product, saturated};

/// The lower band: six bits, of which only the upper four teach the predictor, so that the rest may be stolen for data.
#[derive(Clone, Debug)]
pub(super) struct LowBand {
    predictor: Predictor,
    /// The logarithm of the quantiser's step (NBL).
    log_step: i32,
    /// The quantiser's step (DETL).
    step: i32,
}

/// The upper band: two bits.
#[derive(Clone, Debug)]
pub(super) struct HighBand {
    predictor: Predictor,
    /// NBH.
    log_step: i32,
    /// DETH.
    step: i32,
}

/// Decision levels of the lower band in units of its step (Q6 of table 14).
const LOW_LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1_023,
    1_121, 1_219, 1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
];

/// What six bits stand for, in units of the step (QM6 of table 17). The first four are never sent.
const LOW_VALUES: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192,
    -10_232, -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008,
    -3_576, -3_168, -2_776, -2_400, -2_032, -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008,
    16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576, 7_856, 7_192, 6_576, 6_000,
    5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360, 1_040, 728, 432,
    136, -432, -136,
];

/// What their upper four bits stand for (QM4 of table 15), with what they do to the step (W of table 16).
const LOW_COARSE: [(i32, i32); 16] = [
    (0, -60),
    (-20_456, 3_042),
    (-12_896, 1_198),
    (-8_968, 538),
    (-6_288, 334),
    (-4_240, 172),
    (-2_584, 58),
    (-1_200, -30),
    (20_456, 3_042),
    (12_896, 1_198),
    (8_968, 538),
    (6_288, 334),
    (4_240, 172),
    (2_584, 58),
    (1_200, -30),
    (0, -60),
];

/// What two bits stand for (QM2 of table 19), with what they do to the step (W of table 20).
const HIGH_VALUES: [(i32, i32); 4] = [(-7_408, 798), (-1_616, -214), (7_408, 798), (1_616, -214)];

/// The decision level of the upper band (Q2 of table 18).
const HIGH_LEVEL: i32 = 564;

/// Powers of two in steps of a thirty-second, from 2048 (ILB of table 21).
const POWERS: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656,
    2_714, 2_774, 2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520,
    3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
];

impl Default for LowBand {
    fn default() -> Self {
        Self {
            predictor: Predictor::default(),
            log_step: 0,
            step: 32,
        }
    }
}

impl LowBand {
    /// The loudest step's logarithm.
    const LOG_STEP_MAX: i32 = 18_432;
    /// Halvings from a power in [`POWERS`] to a step at the loudest.
    const SHIFT: i32 = 8;

    /// Codes a sample of the band in six bits.
    pub(super) fn encode(&mut self, sample: i32) -> u8 {
        let difference = saturated(sample - self.predictor.signal());
        let code = self.quantised(difference);
        self.adapt(code);
        code
    }

    /// Decodes six bits.
    pub(super) fn decode(&mut self, code: u8) -> i32 {
        let value = LOW_VALUES.get(usize::from(code)).copied().unwrap_or(0);
        let sample = self.predictor.signal() + product(self.step, value);
        self.adapt(code);
        sample.clamp(-16_384, 16_383)
    }

    /// QUANTL: 29 decision levels on either side of zero. Two codes near zero have only five bits' worth of neighbours.
    fn quantised(&self, difference: i32) -> u8 {
        let magnitude = magnitude(difference);
        let place =
            LOW_LEVELS.partition_point(|level| magnitude >= (level * self.step) >> 12) as u8;
        match (difference < 0, place) {
            (true, 0..2) => 63 - place,
            (true, _) => 33 - place,
            (false, _) => 61 - place,
        }
    }

    fn adapt(&mut self, code: u8) {
        let (value, weight) = LOW_COARSE
            .get(usize::from(code >> 2))
            .copied()
            .unwrap_or_default();
        self.predictor.update(product(self.step, value));
        self.log_step = next_log_step(self.log_step, weight, Self::LOG_STEP_MAX);
        self.step = step_of(self.log_step, Self::SHIFT);
    }
}

impl Default for HighBand {
    fn default() -> Self {
        Self {
            predictor: Predictor::default(),
            log_step: 0,
            step: 8,
        }
    }
}

impl HighBand {
    const LOG_STEP_MAX: i32 = 22_528;
    const SHIFT: i32 = 10;

    /// Codes a sample of the band in two bits.
    pub(super) fn encode(&mut self, sample: i32) -> u8 {
        let difference = saturated(sample - self.predictor.signal());
        let is_small = magnitude(difference) < (HIGH_LEVEL * self.step) >> 12;
        let code = match (difference < 0, is_small) {
            (true, true) => 1,
            (true, false) => 0,
            (false, true) => 3,
            (false, false) => 2,
        };
        self.adapt(code);
        code
    }

    /// Decodes two bits.
    pub(super) fn decode(&mut self, code: u8) -> i32 {
        let signal = self.predictor.signal();
        (signal + self.adapt(code)).clamp(-16_384, 16_383)
    }

    /// Returns the difference that the code stands for.
    fn adapt(&mut self, code: u8) -> i32 {
        let (value, weight) = HIGH_VALUES
            .get(usize::from(code & 3))
            .copied()
            .unwrap_or_default();
        let difference = product(self.step, value);
        self.predictor.update(difference);
        self.log_step = next_log_step(self.log_step, weight, Self::LOG_STEP_MAX);
        self.step = step_of(self.log_step, Self::SHIFT);
        difference
    }
}

/// One's complement, so that −1 is as small as 0.
fn magnitude(difference: i32) -> i32 {
    if difference < 0 {
        !difference
    } else {
        difference
    }
}

/// LOGSCL, LOGSCH: the step leaks towards its smallest, and follows what was just coded.
fn next_log_step(log_step: i32, weight: i32, max: i32) -> i32 {
    (((log_step * 127) >> 7) + weight).clamp(0, max)
}

/// SCALEL, SCALEH: two to the power of the logarithm.
fn step_of(log_step: i32, shift: i32) -> i32 {
    let power = POWERS
        .get((log_step >> 6 & 31) as usize)
        .copied()
        .unwrap_or(2_048);
    match shift - (log_step >> 11) {
        down @ 0.. => power >> down << 2,
        up => power << -up << 2,
    }
}
