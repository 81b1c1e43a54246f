use super::{Sine, Tones};
use crate::{Frame, Rate, SILENCE};

/// Plays [`Tones`] for as long as it is asked.
#[derive(Clone, Debug)]
pub struct Cadence {
    rhythm_ms: &'static [u32],
    voices: Vec<Sine>,
    /// Swells and fades between nothing and twice the level, where the tone is modulated.
    swell: Option<Sine>,
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
            swell: tones.modulated_hertz.map(|hertz| Sine::new(hertz, 0.0)),
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
        let steady: f32 = voices.map(|voice| voice.sample_at(rate)).sum();
        let sound = steady * self.swell(rate);
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

    /// Full modulation of an amplitude raises its power by half, which is taken back here.
    fn swell(&mut self, rate: Rate) -> f32 {
        let swell = self.swell.as_mut().map(|swell| swell.sample_at(rate));
        swell.map_or(1.0, |sample| {
            (1.0 + sample / f32::from(i16::MAX)) / 1.5_f32.sqrt()
        })
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
    use crate::{Dbfs, level, level_at};

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

    const COUNTRIES: [&str; 11] = [
        "AU", "NZ", "GB", "US", "CA", "IE", "DE", "FR", "SG", "ZA", "CH",
    ];

    /// What is played of each tone of each country: its rhythm, its level, and its frequencies to the hertz.
    #[test]
    fn every_country_s_tones_sound_as_they_are_written() {
        for country in COUNTRIES {
            let kinds = [
                Tones::ringback(country),
                Tones::busy(country),
                Tones::congestion(country),
            ];
            for tones in kinds {
                let mut cadence = Cadence::new(tones);
                // Parts of 25 ms are not whole frames.
                let whole: u32 = tones.rhythm_ms.iter().sum();
                let samples = milliseconds(&mut cadence, whole as usize * 4);
                let mut at = 0;
                for (n, ms) in tones.rhythm_ms.iter().enumerate() {
                    let part = &samples[at..at + *ms as usize * 8];
                    at += part.len();
                    let Dbfs(dbfs) = level(part);
                    if n % 2 == 1 {
                        assert!(dbfs < -90.0, "{country} {tones:?}: {dbfs}");
                        continue;
                    }
                    assert!(
                        (-22.0..-19.0).contains(&dbfs),
                        "{country} {tones:?}: {dbfs}"
                    );
                    for hertz in tones.hertz {
                        let off = [-60.0, 0.0, 60.0].map(|by| level_at(part, hertz + by).0);
                        assert!(
                            off[1] > off[0] && off[1] > off[2],
                            "{country} {tones:?}: {off:?}"
                        );
                    }
                }
            }
        }
    }

    /// Singapore's ringing swells 24 times a second (E.180 supplement 2: 425 × 24).
    #[test]
    fn modulated_tones_have_their_side_bands() {
        let ring = milliseconds(&mut Cadence::new(Tones::ringback("SG")), 400);
        let (carrier, below, above) = (
            level_at(&ring, 425.0).0,
            level_at(&ring, 401.0).0,
            level_at(&ring, 449.0).0,
        );
        assert!((carrier - below - 6.0).abs() < 1.0 && (carrier - above - 6.0).abs() < 1.0);
        assert!(level_at(&ring, 360.0).0 < carrier - 20.0);
    }
}
