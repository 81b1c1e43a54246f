use std::fmt;
use std::ops::{Deref, DerefMut};

/// Samples in a second on a narrow leg, which is what the names without a rate mean.
pub const SAMPLE_RATE: u32 = Rate::Narrow.hertz();

/// Samples in a narrow [`Frame`] of 20 ms.
pub const FRAME_SAMPLES: usize = Rate::Narrow.samples(FRAME_MS);

/// Milliseconds in the longest [`Frame`], and in most.
pub const FRAME_MS: u64 = 20;

/// 20 ms of nothing at 8 kHz.
pub const SILENCE: Frame = Frame::silence(Rate::Narrow, FRAME_MS);

/// How finely sound is sampled.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Rate {
    /// 8 kHz, the telephone's: sound up to 4 kHz.
    #[default]
    Narrow,
    /// 16 kHz, G.722's: sound up to 8 kHz.
    Wide,
}

impl Rate {
    /// Samples in a second.
    pub const fn hertz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
        }
    }

    /// Samples in some milliseconds, of which there may be a minute.
    pub const fn samples(self, ms: u64) -> usize {
        let ms = if ms > 60_000 { 60_000 } else { ms };
        (ms as u32 * (self.hertz() / 1_000)) as usize
    }

    /// Samples in some microseconds.
    pub(crate) const fn samples_in_us(self, micros: u32) -> usize {
        (self.hertz() as u64 * micros as u64 / 1_000_000) as usize
    }

    /// Samples at [`Rate::Wide`] for each of this rate: what sound is made in steps of, whatever its rate.
    pub(crate) const fn step(self) -> u32 {
        Self::Wide.hertz() / self.hertz()
    }
}

/// At most 20 ms of sound, mono, linear 16 bit, which knows its rate.
///
/// It reads and writes as a slice of its samples. It lives wherever it is put: nothing is allocated.
#[derive(Clone, Copy)]
pub struct Frame {
    rate: Rate,
    length: usize,
    samples: [i16; Frame::SAMPLES_MAX],
}

impl Frame {
    /// Samples in the longest frame: 20 ms at 16 kHz.
    pub const SAMPLES_MAX: usize = Rate::Wide.samples(FRAME_MS);

    /// Nothing, for some milliseconds: 20 at most.
    pub const fn silence(rate: Rate, ms: u64) -> Self {
        let ms = if ms > FRAME_MS { FRAME_MS } else { ms };
        Self {
            rate,
            length: rate.samples(ms),
            samples: [0; Self::SAMPLES_MAX],
        }
    }

    /// As many samples as there are, up to 20 ms of them.
    pub fn new(rate: Rate, sound: impl IntoIterator<Item = i16>) -> Self {
        let mut frame = Self::silence(rate, FRAME_MS);
        let mut length = 0;
        for (place, sample) in frame.iter_mut().zip(sound) {
            *place = sample;
            length += 1;
        }
        frame.length = length;
        frame
    }

    /// How finely it is sampled.
    pub const fn rate(&self) -> Rate {
        self.rate
    }
}

impl Default for Frame {
    fn default() -> Self {
        SILENCE
    }
}

impl Deref for Frame {
    type Target = [i16];

    fn deref(&self) -> &[i16] {
        self.samples.get(..self.length).unwrap_or(&self.samples)
    }
}

impl DerefMut for Frame {
    fn deref_mut(&mut self) -> &mut [i16] {
        let length = self.length.min(Self::SAMPLES_MAX);
        self.samples.split_at_mut(length).0
    }
}

impl IntoIterator for Frame {
    type Item = i16;
    type IntoIter = std::iter::Take<std::array::IntoIter<i16, { Frame::SAMPLES_MAX }>>;

    fn into_iter(self) -> Self::IntoIter {
        self.samples.into_iter().take(self.length)
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.rate == other.rate && **self == **other
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} samples at {} Hz", self.length, self.rate.hertz())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_long_as_its_time_at_its_rate_and_never_longer_than_20_ms() {
        for (rate, ms, samples) in [
            (Rate::Narrow, 10, 80),
            (Rate::Narrow, 20, 160),
            (Rate::Wide, 10, 160),
            (Rate::Wide, 20, 320),
            (Rate::Wide, 500, 320),
        ] {
            assert_eq!(Frame::silence(rate, ms).len(), samples);
        }
        assert_eq!(Frame::new(Rate::Narrow, 0..5_000).len(), 160);
        assert_eq!(*Frame::new(Rate::Wide, [1, 2, 3]), [1, 2, 3]);
        assert_eq!(Rate::Wide.samples(u64::MAX), 960_000);
        assert_eq!(Rate::Wide.samples_in_us(2_500), 40);
    }

    #[test]
    fn frames_of_two_rates_are_never_equal() {
        assert_ne!(
            Frame::new(Rate::Narrow, [0; 160]),
            Frame::new(Rate::Wide, [0; 160])
        );
    }
}
