use super::Sine;
use crate::{Frame, Rate, SILENCE};

/// What a tone of the network is made of: the frequencies that sound together, and the rhythm.
///
/// From ITU-T E.180 supplement 2, "Various tones used in national networks".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tones {
    /// Frequencies in hertz, sounding together.
    pub hertz: &'static [f32],
    /// Milliseconds of sound and of silence in turn, then again from the beginning.
    pub rhythm_ms: &'static [u32],
}

impl Tones {
    /// The ringing tone that callers hear in a country (ISO 3166 letters); E.180's recommended one where we know no other.
    pub fn ringback(country: &str) -> Self {
        match country {
            "AU" | "GB" | "IE" | "NZ" => Self {
                hertz: &[400.0, 450.0],
                rhythm_ms: &[400, 200, 400, 2_000],
            },
            "US" | "CA" => Self {
                hertz: &[440.0, 480.0],
                rhythm_ms: &[2_000, 4_000],
            },
            "FR" => Self {
                hertz: &[440.0],
                rhythm_ms: &[1_500, 3_500],
            },
            _ => Self {
                hertz: &[425.0],
                rhythm_ms: &[1_000, 4_000],
            },
        }
    }

    /// The busy tone of a country (ISO 3166 letters); E.180's recommended one where we know no other.
    pub fn busy(country: &str) -> Self {
        match country {
            "AU" => Self {
                hertz: &[425.0],
                rhythm_ms: &[375, 375],
            },
            "GB" | "IE" => Self {
                hertz: &[400.0],
                rhythm_ms: &[375, 375],
            },
            "NZ" => Self {
                hertz: &[400.0],
                rhythm_ms: &[500, 500],
            },
            "US" | "CA" => Self {
                hertz: &[480.0, 620.0],
                rhythm_ms: &[500, 500],
            },
            "DE" => Self {
                hertz: &[425.0],
                rhythm_ms: &[480, 480],
            },
            _ => Self {
                hertz: &[425.0],
                rhythm_ms: &[500, 500],
            },
        }
    }
}

/// Plays [`Tones`] for as long as it is asked.
#[derive(Clone, Debug)]
pub struct Cadence {
    rhythm_ms: &'static [u32],
    voices: Vec<Sine>,
    /// Place in the rhythm, and samples at 16 kHz played there.
    part: usize,
    played: u32,
}

impl Cadence {
    /// The level of all frequencies together, in dBFS: as loud as speech, no louder.
    pub const LEVEL_DBFS: f32 = -20.0;
    /// How long a tone takes to swell and to fade, so that it does not click: 5 ms, in samples at 16 kHz.
    const RAMP_SAMPLES: u32 = Rate::Wide.hertz() / 200;

    /// Begins with the first sound of the rhythm.
    pub fn new(tones: Tones) -> Self {
        let each = Self::LEVEL_DBFS - 10.0 * (tones.hertz.len().max(1) as f32).log10();
        let voices = tones
            .hertz
            .iter()
            .map(|hertz| Sine::new(*hertz, each))
            .collect();
        Self {
            rhythm_ms: tones.rhythm_ms,
            voices,
            part: 0,
            played: 0,
        }
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
        frame.fill_with(|| self.sample(rate));
    }

    fn sample(&mut self, rate: Rate) -> i16 {
        let length = self.part_samples();
        let voices = self.voices.iter_mut();
        let sound: f32 = voices.map(|voice| voice.sample_at(rate)).sum();
        let sample = if self.part.is_multiple_of(2) {
            sound * self.ramp(length)
        } else {
            0.0
        };
        self.played += rate.step();
        if self.played >= length {
            self.played = 0;
            self.part = (self.part + 1) % self.rhythm_ms.len().max(1);
        }
        sample as i16
    }

    fn part_samples(&self) -> u32 {
        self.rhythm_ms
            .get(self.part)
            .map_or(Rate::Wide.hertz(), |ms| ms * (Rate::Wide.hertz() / 1_000))
    }

    fn ramp(&self, length: u32) -> f32 {
        let from_an_end = self.played.min(length.saturating_sub(self.played));
        from_an_end.min(Self::RAMP_SAMPLES) as f32 / Self::RAMP_SAMPLES as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{level, level_at};

    fn milliseconds(cadence: &mut Cadence, ms: usize) -> Vec<i16> {
        (0..ms / 20).flat_map(|_| cadence.frame()).collect()
    }

    #[test]
    fn australia_rings_twice_then_waits() {
        let mut ringback = Cadence::new(Tones::ringback("AU"));
        for (ms, sounds) in [
            (400, true),
            (200, false),
            (400, true),
            (2_000, false),
            (400, true),
        ] {
            let part = milliseconds(&mut ringback, ms);
            assert_eq!(
                level(&part).0 > -22.0,
                sounds,
                "{ms} ms at {:?}",
                level(&part)
            );
            if sounds {
                assert!(level_at(&part, 400.0).0 > -26.0 && level_at(&part, 450.0).0 > -26.0);
            }
        }
    }

    #[test]
    fn switzerland_rings_once_in_five_seconds_at_425_hertz() {
        let mut ringback = Cadence::new(Tones::ringback("CH"));
        assert!(level_at(&milliseconds(&mut ringback, 1_000), 425.0).0 > -21.0);
        assert!(level(&milliseconds(&mut ringback, 4_000)).0 < -90.0);
        assert!(level_at(&milliseconds(&mut ringback, 1_000), 425.0).0 > -21.0);
    }
}
