//! How a sound resembles itself a little earlier.

use std::ops::RangeInclusive;

/// The distance at which a sound repeats itself best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pitch {
    /// In samples.
    pub(crate) lag: usize,
    /// How alike the two stretches are, -1 to 1; 1 are the same up to their loudness.
    pub(crate) likeness: f32,
}

impl Pitch {
    /// The best of `lags` by `likeness`. A longer one must be better to be taken: twice a period is as alike as one.
    pub(crate) fn search(
        lags: RangeInclusive<usize>,
        likeness: impl Fn(usize) -> f32,
    ) -> Option<Self> {
        let mut best: Option<Self> = None;
        for lag in lags {
            let likeness = likeness(lag);
            if best.is_none_or(|best| likeness > best.likeness + Self::GAIN_OF_LONGER) {
                best = Some(Self { lag, likeness });
            }
        }
        best
    }

    const GAIN_OF_LONGER: f32 = 1e-4;
}

/// How alike two sounds of one length are: their correlation, -1 to 1; 0 if either is silent.
pub(crate) fn likeness(a: &[i16], b: &[i16]) -> f32 {
    let (mut product, mut energy_a, mut energy_b) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (f32::from(*a), f32::from(*b));
        product += a * b;
        energy_a += a * a;
        energy_b += b * b;
    }
    let energy = (energy_a * energy_b).sqrt();
    if energy < 1.0 { 0.0 } else { product / energy }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sine;

    #[test]
    fn a_tone_repeats_itself_after_its_period() {
        let mut sine = Sine::new(200.0, -6.0);
        let sound: Vec<i16> = (0..400).map(|_| sine.sample() as i16).collect();
        let pitch = Pitch::search(20..=120, |lag| {
            likeness(&sound[200..320], &sound[200 - lag..320 - lag])
        });
        let pitch = pitch.unwrap();
        assert_eq!(pitch.lag, 40);
        assert!(pitch.likeness > 0.999, "{pitch:?}");
    }

    #[test]
    fn silence_is_like_nothing() {
        assert_eq!(likeness(&[0; 80], &[1_000; 80]), 0.0);
        assert_eq!(likeness(&[], &[]), 0.0);
    }
}
