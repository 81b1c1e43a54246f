use std::f32::consts::TAU;
use std::ops::Range;

use crate::Rate;

/// A level relative to a sine at full scale, in decibels; 0 is the loudest sine (AES17).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Dbfs(pub f32);

impl Dbfs {
    /// What is said of silence: below the smallest step of 16 bits.
    pub const FLOOR: Self = Self(-100.0);

    /// The peak amplitude of a sine of this level, in sample steps.
    pub fn amplitude(self) -> f32 {
        f32::from(i16::MAX) * 10_f32.powf(self.0.min(0.0) / 20.0)
    }
}

/// How loud a packet is, as its sender says in a header extension, for those who will not decode it (RFC 6464).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AudioLevel {
    /// Whether the sender takes it for speech. Without knowledge it is true.
    pub voice: bool,
    /// Decibels below the overload point, 0 to 127. A sine at full scale is at 3.
    pub below_overload_db: u8,
}

impl AudioLevel {
    /// Nothing at all.
    pub const SILENCE: Self = Self {
        voice: false,
        below_overload_db: 127,
    };
    /// A quieter sound is not taken for speech.
    const VOICE_DBFS_MIN: f32 = -50.0;

    /// Measures some samples. Overload is a square wave at full scale, 3 dB louder than a sine (RFC 6464 §3, RFC 6465 §A.1).
    pub fn of(samples: &[i16]) -> Self {
        let Dbfs(dbfs) = level(samples);
        if dbfs <= Dbfs::FLOOR.0 {
            return Self::SILENCE;
        }
        Self {
            voice: dbfs >= Self::VOICE_DBFS_MIN,
            below_overload_db: (3.01 - dbfs).round().clamp(0.0, 127.0) as u8,
        }
    }

    /// Reads the extension's content (§3).
    pub fn of_byte(byte: u8) -> Self {
        Self {
            voice: byte & 0x80 != 0,
            below_overload_db: byte & 0x7f,
        }
    }

    /// The extension's content.
    pub fn to_byte(self) -> u8 {
        u8::from(self.voice) << 7 | self.below_overload_db.min(127)
    }

    /// The level as we measure others.
    pub fn dbfs(self) -> Dbfs {
        Dbfs((3.01 - f32::from(self.below_overload_db)).max(Dbfs::FLOOR.0))
    }
}

/// The level of some samples.
pub fn level(samples: &[i16]) -> Dbfs {
    if samples.is_empty() {
        return Dbfs::FLOOR;
    }
    let energy: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample) * f64::from(*sample))
        .sum();
    let rms = (energy / samples.len() as f64).sqrt();
    let full = f64::from(i16::MAX) / std::f64::consts::SQRT_2;
    Dbfs((20.0 * (rms / full).max(1e-5).log10()) as f32)
}

/// The level of one frequency in some samples at 8 kHz, by Goertzel's recurrence.
pub fn level_at(samples: &[i16], hertz: f32) -> Dbfs {
    if samples.is_empty() {
        return Dbfs::FLOOR;
    }
    let energy = goertzel(samples.iter().copied().map(f32::from), hertz);
    let amplitude = 2.0 * energy.sqrt() / samples.len() as f32;
    Dbfs(20.0 * (amplitude / f32::from(i16::MAX)).max(1e-5).log10())
}

/// The squared magnitude of one frequency at 8 kHz; not scaled by the length.
pub(crate) fn goertzel(samples: impl IntoIterator<Item = f32>, hertz: f32) -> f32 {
    goertzel_at(Rate::Narrow, samples, hertz)
}

fn goertzel_at(rate: Rate, samples: impl IntoIterator<Item = f32>, hertz: f32) -> f32 {
    let coefficient = 2.0 * (TAU * hertz / rate.hertz() as f32).cos();
    let (mut before, mut last) = (0.0_f32, 0.0_f32);
    for sample in samples {
        (before, last) = (last, sample + coefficient * last - before);
    }
    last * last + before * before - coefficient * last * before
}

/// The strongest frequency between 50 Hz and 3950 Hz in samples at 8 kHz, to about 1 Hz in a second of sound; none in silence.
///
/// Searches in steps of half a bin, then between them.
pub fn dominant_frequency(samples: &[i16]) -> Option<f32> {
    dominant_frequency_at(Rate::Narrow, samples)
}

/// The same at another rate: up to 7950 Hz at 16 kHz.
pub fn dominant_frequency_at(rate: Rate, samples: &[i16]) -> Option<f32> {
    if level(samples).0 < -60.0 {
        return None;
    }
    // Half a second says enough, and the search costs its square.
    let samples = samples.get(..rate.samples(500)).unwrap_or(samples);
    let mut step = (rate.hertz() as f32 / samples.len() as f32 / 2.0).max(0.5);
    let mut best = strongest(rate, samples, 50.0..rate.hertz() as f32 / 2.0 - 50.0, step);
    while step > 0.25 {
        let around = best - step..best + step;
        step /= 4.0;
        best = strongest(rate, samples, around, step);
    }
    Some(best)
}

fn strongest(rate: Rate, samples: &[i16], hertz: Range<f32>, step: f32) -> f32 {
    let count = ((hertz.end - hertz.start) / step).ceil() as u32;
    let candidates = (0..=count).map(|n| hertz.start + n as f32 * step);
    let energy = |hertz| goertzel_at(rate, samples.iter().copied().map(f32::from), hertz);
    let measured = candidates.map(|hertz| (hertz, energy(hertz)));
    measured
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map_or(hertz.start, |(hertz, _)| hertz)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Sine};

    #[test]
    fn a_sine_has_the_level_and_the_frequency_it_was_made_with() {
        for (hertz, dbfs) in [
            (100.0, -3.0),
            (440.0, -20.0),
            (1_004.0, -10.0),
            (3_400.0, -40.0),
        ] {
            let mut sine = Sine::new(hertz, dbfs);
            let samples: Vec<i16> = (0..25).flat_map(|_| sine.frame()).collect();
            let heard = dominant_frequency(&samples).unwrap();
            assert!((heard - hertz).abs() < 1.0, "{heard} Hz for {hertz} Hz");
            assert!(
                (level(&samples).0 - dbfs).abs() < 0.2,
                "{:?}",
                level(&samples)
            );
            assert!(
                (level_at(&samples, hertz).0 - dbfs).abs() < 0.3,
                "{:?}",
                level_at(&samples, hertz)
            );
            assert!(level_at(&samples, hertz + 200.0).0 < dbfs - 25.0);
        }
    }

    #[test]
    fn a_wide_sine_is_found_where_a_narrow_one_cannot_be() {
        let (mut sine, mut samples) = (Sine::new(6_000.0, -20.0), Vec::new());
        for _ in 0..25 {
            let mut frame = Frame::silence(Rate::Wide, 20);
            sine.fill(&mut frame);
            samples.extend(frame);
        }
        let heard = dominant_frequency_at(Rate::Wide, &samples).unwrap();
        assert!((heard - 6_000.0).abs() < 1.0, "{heard} Hz");
    }

    #[test]
    fn silence_has_no_frequency() {
        assert_eq!(dominant_frequency(&[0; 800]), None);
        assert_eq!(dominant_frequency(&[]), None);
        assert_eq!(level(&[0; 160]), Dbfs::FLOOR);
    }

    /// RFC 6464 §3.
    #[test]
    fn levels_are_written_in_a_byte_and_read_back() {
        for (dbfs, below) in [(0.0, 3), (-20.0, 23), (-40.0, 43), (-60.0, 63)] {
            let level = AudioLevel::of(&Sine::new(440.0, dbfs).frame());
            assert_eq!(level.below_overload_db, below, "{dbfs}");
            assert_eq!(level.voice, dbfs > -50.0);
            assert_eq!(AudioLevel::of_byte(level.to_byte()), level);
            assert!((level.dbfs().0 - dbfs).abs() < 0.6);
        }
        assert_eq!(AudioLevel::of(&[0; 160]), AudioLevel::SILENCE);
        assert_eq!(AudioLevel::of(&[i16::MIN; 160]).below_overload_db, 0);
        assert_eq!(AudioLevel::SILENCE.to_byte(), 127);
        for byte in 0..=u8::MAX {
            assert_eq!(AudioLevel::of_byte(byte).to_byte(), byte);
        }
    }
}
