//! From one sampling rate to another: whole files at once, or a stream as it comes.

/// Zero crossings of the filter on either side: 80 dB of stop band with the window below.
const CROSSINGS: usize = 24;
/// Samples of a file that are converted at a time: few beside the file itself.
const PART: usize = 4_096;
/// Where the filter begins to close, as a part of the lower of both bandwidths.
const PASSBAND: f64 = 0.92;

/// Converts sound from one usual rate to another, by a windowed-sinc filter for each phase of the two rates. Meant for files: all at once.
pub(crate) fn resample(samples: &[i16], from: u32, to: u32) -> Vec<i16> {
    if from == to || from == 0 {
        return samples.to_vec();
    }
    let mut resampler = Resampler::new(from, to);
    let Ratio { up, down } = resampler.ratio;
    // All is there: the first sample need not wait for what comes after it, and after the last there is silence.
    let reach = resampler.samples.len() / 2;
    resampler.samples.truncate(reach);
    let mut converted = Vec::new();
    for part in samples.chunks(PART) {
        resampler.convert(part.iter().map(|sample| f32::from(*sample)), &mut converted);
    }
    resampler.convert(std::iter::repeat_n(0.0, reach), &mut converted);
    // A filter overshoots at steps; the cast saturates.
    let converted = converted.iter().map(|sample| sample.round() as i16);
    converted.take(samples.len() * up / down).collect()
}

/// Converts a stream, sample by sample, by the same filter. What comes out is late by half the filter's length.
#[derive(Clone, Debug)]
pub(crate) struct Resampler {
    ratio: Ratio,
    phases: Vec<Vec<f32>>,
    /// What the next sample is made of, and what came after it.
    samples: Vec<f32>,
    /// Where between the first two of these the next sample stands, in parts of `up`.
    place: usize,
}

impl Resampler {
    /// Converts from one rate to another, both above 0.
    pub(crate) fn new(from: u32, to: u32) -> Self {
        let phases = phases(from, to);
        let taps = phases.first().map_or(1, Vec::len);
        Self {
            ratio: Ratio::of(from, to),
            phases,
            samples: vec![0.0; taps - 1],
            place: 0,
        }
    }

    /// Takes what came and adds what it makes: as much as the rates say, over time.
    pub(crate) fn convert(&mut self, sound: impl IntoIterator<Item = f32>, out: &mut Vec<f32>) {
        self.samples.extend(sound);
        let Ratio { up, down } = self.ratio;
        while let Some(phase) = self.phases.get(self.place % up)
            && let Some(near) = self.samples.get(self.place / up..)
            && near.len() >= phase.len()
        {
            out.push(dot(near, phase));
            self.place += down;
        }
        let spent = (self.place / up).min(self.samples.len());
        self.samples.drain(..spent);
        self.place -= spent * up;
    }
}

/// Two rates in lowest terms: `up` samples for each `down` that come.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    up: usize,
    down: usize,
}

impl Ratio {
    fn of(from: u32, to: u32) -> Self {
        let common = gcd(from, to).max(1);
        Self {
            up: (to / common).max(1) as usize,
            down: (from / common).max(1) as usize,
        }
    }
}

/// The filters of the places between two samples where a new one may stand.
fn phases(from: u32, to: u32) -> Vec<Vec<f32>> {
    let Ratio { up, .. } = Ratio::of(from, to);
    let places = (0..up).map(|place| place as f64 / up as f64);
    places.map(|place| filter(place, from, to)).collect()
}

fn dot(samples: &[f32], taps: &[f32]) -> f32 {
    let products = samples.iter().zip(taps).map(|(sample, tap)| sample * tap);
    products.sum()
}

/// The taps around a point `part` of a sample after the middle tap.
fn filter(part: f64, from: u32, to: u32) -> Vec<f32> {
    let cutoff = PASSBAND * f64::from(to.min(from)) / f64::from(from);
    let reach = (CROSSINGS as f64 / cutoff).ceil() as i32;
    let taps: Vec<f64> = (-reach..=reach)
        .map(|n| {
            let x = f64::from(n) - part;
            cutoff * sinc(cutoff * x) * window(x / f64::from(reach + 1))
        })
        .collect();
    // Constant sound stays as it is, whatever the phase.
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 {
        return 1.0;
    }
    (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
}

/// Blackman's window, from −1 to 1.
fn window(x: f64) -> f64 {
    let turn = std::f64::consts::PI * x.clamp(-1.0, 1.0);
    0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dbfs, Rate, dominant_frequency, dominant_frequency_at, level};

    /// A second of a sine at a rate.
    fn sine(hertz: f64, rate: u32) -> Vec<i16> {
        (0..rate)
            .map(|n| {
                (10_000.0 * (std::f64::consts::TAU * hertz * f64::from(n) / f64::from(rate)).sin())
                    as i16
            })
            .collect()
    }

    #[test]
    fn tones_keep_their_pitch_and_level_from_every_rate() {
        for rate in [
            11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
        ] {
            for hertz in [200.0, 1_004.0, 3_400.0] {
                let converted = resample(&sine(hertz, rate), rate, 8_000);
                assert!(
                    (converted.len() as i64 - 8_000).abs() <= 1,
                    "{}",
                    converted.len()
                );
                let middle = &converted[1_000..7_000];
                let heard = dominant_frequency(middle).unwrap();
                assert!(
                    (f64::from(heard) - hertz).abs() < 1.0,
                    "{heard} of {hertz} at {rate}"
                );
                let Dbfs(change) = Dbfs(level(middle).0 - level(&sine(hertz, rate)).0);
                assert!(change.abs() < 0.2, "{change} dB at {hertz} of {rate}");
            }
        }
    }

    /// What 8 kHz cannot hold would come back as another tone.
    #[test]
    fn what_is_too_high_is_gone() {
        for (hertz, rate) in [
            (4_600.0, 16_000),
            (5_000.0, 48_000),
            (7_000.0, 44_100),
            (15_000.0, 48_000),
        ] {
            let converted = resample(&sine(hertz, rate), rate, 8_000);
            let Dbfs(left) = level(&converted[1_000..7_000]);
            assert!(left < -80.0, "{left} dBFS of {hertz} Hz at {rate}");
        }
    }

    /// Nothing is added where 8 kHz had nothing.
    #[test]
    fn a_higher_rate_has_the_same_tone_and_no_other() {
        let converted = resample(&sine(3_000.0, 8_000), 8_000, 16_000);
        assert_eq!(converted.len(), 16_000);
        let middle = &converted[2_000..14_000];
        let heard = dominant_frequency_at(Rate::Wide, middle).unwrap();
        assert!((heard - 3_000.0).abs() < 1.0, "{heard} Hz");
        let Dbfs(change) = Dbfs(level(middle).0 - level(&sine(3_000.0, 8_000)).0);
        assert!(change.abs() < 0.2, "{change} dB");
    }

    /// However the stream is cut, it comes out as the whole would, later by half the filter.
    #[test]
    fn a_stream_is_converted_as_the_whole_is() {
        for (from, to) in [(8_000, 48_000), (48_000, 16_000), (44_100, 8_000)] {
            let sound = sine(1_004.0, from);
            for seed in 1..20_usize {
                let mut resampler = Resampler::new(from, to);
                let (mut out, mut rest) = (Vec::new(), &sound[..]);
                while !rest.is_empty() {
                    let length = (1 + rest.len() * 7_919 % (97 * seed)).min(rest.len());
                    let (part, after) = rest.split_at(length);
                    resampler.convert(part.iter().map(|sample| f32::from(*sample)), &mut out);
                    rest = after;
                }
                let whole = resample(&sound, from, to);
                assert!(whole.len().abs_diff(out.len()) <= 1, "seed {seed}");
                let late = (filter(0.0, from, to).len() / 2) as u64 * u64::from(to);
                if late.is_multiple_of(u64::from(from)) {
                    let late = (late / u64::from(from)) as usize;
                    for (at, expected) in whole[..whole.len() - late - 1].iter().enumerate() {
                        let found = out[at + late];
                        assert!(
                            (found - f32::from(*expected)).abs() <= 1.0,
                            "seed {seed} at {at}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_and_little_are_no_trouble() {
        assert!(resample(&[], 48_000, 8_000).is_empty());
        assert_eq!(resample(&[5; 7], 48_000, 8_000).len(), 1);
        assert_eq!(resample(&[1, 2, 3], 8_000, 8_000), [1, 2, 3]);
        let loud = resample(&[i16::MIN; 480], 48_000, 8_000);
        assert!(
            loud.iter()
                .skip(30)
                .take(20)
                .all(|sample| *sample == i16::MIN)
        );
    }
}
