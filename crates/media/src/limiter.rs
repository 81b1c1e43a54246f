use crate::Rate;

/// Keeps sound that was made louder, or summed, within what 16 bits hold: it turns down what would be too loud, and back up slowly.
///
/// Nothing below the threshold is touched. It has no delay.
#[derive(Clone, Copy, Debug)]
pub struct Limiter {
    /// What everything is multiplied by now, 0 to 1.
    gain: f32,
    /// What the gain is multiplied by with each sample, as long as it may rise.
    rise: f32,
}

impl Default for Limiter {
    /// Of sound at 8 kHz.
    fn default() -> Self {
        Self::new(Rate::Narrow)
    }
}

impl Limiter {
    /// The loudest sample that comes out: 1 dB below full scale, so that a codec's own overshoot fits too.
    pub const PEAK: f32 = 29_204.0;
    /// How much louder it may become in a second: so slowly that a sine's own swing is not flattened, so fast that speech after a shout is heard.
    const RISE_DB_PER_SECOND: f32 = 60.0;
    /// It turns down no further than this, so that it finds its way back from anything.
    const GAIN_MIN: f32 = 1e-4;
    const DB_PER_NEPER: f32 = 8.686;

    /// Makes a limiter of sound at a rate, with everything as loud as it is.
    pub fn new(rate: Rate) -> Self {
        let nepers_per_second = Self::RISE_DB_PER_SECOND / Self::DB_PER_NEPER;
        Self {
            gain: 1.0,
            rise: 1.0 + nepers_per_second / rate.hertz() as f32,
        }
    }

    /// Limits one sample.
    pub fn sample(&mut self, sample: f32) -> i16 {
        // NaN is nobody's sound.
        let loud = sample.abs().max(0.0);
        self.gain = (self.gain * self.rise).min(1.0);
        if loud * self.gain > Self::PEAK {
            self.gain = (Self::PEAK / loud).max(Self::GAIN_MIN);
        }
        (sample * self.gain).clamp(-Self::PEAK, Self::PEAK) as i16
    }

    /// Limits samples that are to be louder by a gain in decibels.
    pub fn amplify(&mut self, samples: &mut [i16], gain_db: f32) {
        let factor = 10_f32.powf(gain_db / 20.0);
        for sample in samples {
            *sample = self.sample(f32::from(*sample) * factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dbfs, Sine, dominant_frequency, level, level_at};

    fn amplified(dbfs: f32, gain_db: f32) -> Vec<i16> {
        let (mut limiter, mut sine) = (Limiter::default(), Sine::new(440.0, dbfs));
        let mut sound: Vec<i16> = (0..50).flat_map(|_| sine.frame()).collect();
        limiter.amplify(&mut sound, gain_db);
        sound
    }

    #[test]
    fn a_sine_at_full_scale_with_gain_stays_bounded_and_a_sine() {
        for gain_db in [0.0, 3.0, 12.0, 40.0] {
            let sound = amplified(0.0, gain_db);
            let peak = sound.iter().map(|sample| sample.unsigned_abs()).max();
            assert!(peak <= Some(Limiter::PEAK as u16), "{peak:?}");
            let settled = &sound[4_000..];
            // No sample wraps: neighbours of a 440 Hz sine are never farther apart than this.
            let jump = settled
                .windows(2)
                .map(|two| (i32::from(two[1]) - i32::from(two[0])).abs())
                .max();
            assert!(jump < Some(11_000), "{jump:?} at {gain_db} dB");
            assert!((dominant_frequency(settled).unwrap() - 440.0).abs() < 1.0);
            let Dbfs(third) = level_at(settled, 1_320.0);
            assert!(
                third < level(settled).0 - 25.0,
                "third harmonic {third} at {gain_db} dB"
            );
        }
    }

    #[test]
    fn what_is_not_too_loud_is_not_touched() {
        let mut sine = Sine::new(440.0, -6.0);
        let untouched: Vec<i16> = (0..50).flat_map(|_| sine.frame()).collect();
        assert_eq!(amplified(-6.0, 0.0), untouched);
        assert!((level(&amplified(-30.0, 6.0)).0 + 24.0).abs() < 0.2);
    }

    #[test]
    fn it_comes_back_after_a_shout_within_the_same_time_at_every_rate() {
        for rate in [Rate::Narrow, Rate::Wide] {
            let mut limiter = Limiter::new(rate);
            limiter.sample(1e6);
            let mut after_ms = |ms: usize| {
                (0..rate.samples(ms as u64)).for_each(|_| {
                    limiter.sample(0.0);
                });
                limiter.sample(1_000.0)
            };
            // 31 dB down, and 60 dB a second up.
            assert!((26..34).contains(&after_ms(1)), "{rate:?}");
            assert!((75..90).contains(&after_ms(150)), "{rate:?}");
            assert!(after_ms(400) > 950, "{rate:?}");
        }
    }

    #[test]
    fn no_number_wraps() {
        let mut limiter = Limiter::default();
        for sample in [
            f32::MAX,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            f32::MIN,
            -0.0,
        ] {
            let out = limiter.sample(sample);
            assert!(f32::from(out).abs() <= Limiter::PEAK, "{sample}: {out}");
        }
        assert!(limiter.gain.is_finite());
    }
}
