use std::collections::VecDeque;
use std::f32::consts::TAU;

/// Samples a second on the phone leg.
const RATE_HZ: usize = 8000;
/// One measured window: 100 ms.
const WINDOW: usize = RATE_HZ / 10;
/// Windows kept: the last three seconds.
const KEPT: usize = 30;
/// Windows that [`Sound::level_dbfs`] and [`Sound::frequency_hz`] speak about: half a second, which spans a beep.
const RECENT: usize = 5;
/// Below this a line is silent. G.711's smallest step is at −66 dBFS.
const SILENCE_DBFS: f32 = -55.0;
/// Telephone band searched for the dominant frequency, in Hz.
const BAND_HZ: std::ops::Range<usize> = 100..3600;
/// First pass of the search; windows of 100 ms resolve 10 Hz.
const COARSE_HZ: usize = 5;

/// What a line sounded like lately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sound {
    /// Level of the loudest tenth of the last half second, in dB of a full-scale sine; [`f32::NEG_INFINITY`] when all
    /// samples are zero.
    pub level_dbfs: f32,
    /// The strongest frequency in that tenth, to about 1 Hz. None in silence.
    pub frequency_hz: Option<f32>,
    /// Whether the last three seconds were sustained notes of several pitches.
    pub music: bool,
}

impl Sound {
    /// Nothing heard.
    pub const SILENCE: Sound = Sound {
        level_dbfs: f32::NEG_INFINITY,
        frequency_hz: None,
        music: false,
    };

    /// Whether nothing can be heard.
    pub fn is_silence(&self) -> bool {
        self.level_dbfs < SILENCE_DBFS
    }
}

/// Measures what a line sounds like: level, dominant frequency, whether it is music.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    samples: Vec<i16>,
    windows: VecDeque<Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    level_dbfs: f32,
    frequency_hz: Option<f32>,
}

impl Ear {
    /// Takes in samples at 8 kHz.
    pub(crate) fn hear(&mut self, samples: &[i16]) {
        for sample in samples {
            self.samples.push(*sample);
            if self.samples.len() >= WINDOW {
                self.close_window();
            }
        }
    }

    pub(crate) fn sound(&self) -> Sound {
        let recent = self.windows.iter().rev().take(RECENT);
        let loudest = recent.max_by(|a, b| a.level_dbfs.total_cmp(&b.level_dbfs));
        loudest.map_or(Sound::SILENCE, |window| Sound {
            level_dbfs: window.level_dbfs,
            frequency_hz: window.frequency_hz,
            music: self.is_music(),
        })
    }

    fn close_window(&mut self) {
        let window = measure(&self.samples);
        self.samples.clear();
        self.windows.push_back(window);
        if self.windows.len() > KEPT {
            self.windows.pop_front();
        }
    }

    /// Sound most of the time, in at least three pitches of which each is held for 200 ms or more.
    fn is_music(&self) -> bool {
        let sounding = self
            .windows
            .iter()
            .filter(|window| window.frequency_hz.is_some());
        if self.windows.len() < KEPT || sounding.count() < KEPT * 8 / 10 {
            return false;
        }
        let mut notes: Vec<i32> = self.held_notes().collect();
        notes.sort_unstable();
        notes.dedup();
        notes.len() >= 3
    }

    /// Semitones that two windows in a row agree on.
    fn held_notes(&self) -> impl Iterator<Item = i32> + '_ {
        let notes = || {
            self.windows
                .iter()
                .map(|window| window.frequency_hz.map(semitone))
        };
        notes()
            .zip(notes().skip(1))
            .filter_map(|(one, next)| one.filter(|_| one == next))
    }
}

/// Semitones above 16.35 Hz, the C below the lowest on a piano.
#[allow(clippy::cast_possible_truncation)] // a telephone band has 90 of them
fn semitone(frequency_hz: f32) -> i32 {
    (12.0 * (frequency_hz / 16.352).log2()).round() as i32
}

fn measure(samples: &[i16]) -> Window {
    let level_dbfs = level_dbfs(samples);
    Window {
        level_dbfs,
        frequency_hz: (level_dbfs >= SILENCE_DBFS).then(|| dominant_hz(samples)),
    }
}

/// Root mean square against that of a full-scale sine, so that such a sine reads 0 dBFS.
#[allow(clippy::cast_precision_loss)] // a window has 800 samples
fn level_dbfs(samples: &[i16]) -> f32 {
    let energy: f32 = samples
        .iter()
        .map(|it| (f32::from(*it) / 32768.0).powi(2))
        .sum();
    10.0 * (2.0 * energy / samples.len().max(1) as f32).log10()
}

#[allow(clippy::cast_precision_loss)] // frequencies of a telephone band
fn dominant_hz(samples: &[i16]) -> f32 {
    let faded = hann(samples);
    let strongest = |candidates: &mut dyn Iterator<Item = f32>| {
        candidates
            .map(|hz| (hz, power(&faded, hz)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(0.0, |(hz, _)| hz)
    };
    let coarse = strongest(&mut BAND_HZ.step_by(COARSE_HZ).map(|hz| hz as f32));
    strongest(&mut (-10..=10).map(|half| coarse + half as f32 * 0.5))
}

/// Samples faded in and out, so that the window's edges leak nothing into other frequencies.
#[allow(clippy::cast_precision_loss)] // a window has 800 samples
fn hann(samples: &[i16]) -> Vec<f32> {
    let turn = TAU / samples.len().max(1) as f32;
    let fade = |index: usize| 0.5 - 0.5 * (turn * index as f32).cos();
    let numbered = samples.iter().enumerate();
    numbered
        .map(|(index, sample)| f32::from(*sample) / 32768.0 * fade(index))
        .collect()
}

/// Goertzel's algorithm: energy at one frequency.
#[allow(clippy::cast_precision_loss)] // 8000 Hz
fn power(samples: &[f32], hz: f32) -> f32 {
    let coefficient = 2.0 * (TAU * hz / RATE_HZ as f32).cos();
    let (one, two) = samples.iter().fold((0.0, 0.0), |(one, two), sample| {
        (sample + coefficient * one - two, one)
    });
    one * one + two * two - coefficient * one * two
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_measured() {
        let mut ear = Ear::default();
        ear.hear(&sine(1004.0, 0.158_489, 1.0));
        let sound = ear.sound();
        assert!((sound.level_dbfs + 16.0).abs() < 0.2, "{sound:?}");
        assert!(
            (sound.frequency_hz.unwrap() - 1004.0).abs() <= 1.0,
            "{sound:?}"
        );
        assert!(!sound.music);
    }

    #[test]
    fn nothing_is_silence() {
        let mut ear = Ear::default();
        assert_eq!(ear.sound(), Sound::SILENCE);
        ear.hear(&[0; 16_000]);
        assert!(ear.sound().is_silence());
        assert_eq!(ear.sound().frequency_hz, None);
    }

    #[test]
    fn a_beep_is_heard_for_half_a_second() {
        let mut ear = Ear::default();
        ear.hear(&sine(400.0, 0.5, 0.1));
        ear.hear(&[0; 3200]);
        assert!((ear.sound().frequency_hz.unwrap() - 400.0).abs() <= 2.0);
        ear.hear(&[0; 800]);
        assert!(ear.sound().is_silence());
    }

    #[test]
    fn a_melody_is_music_and_a_beep_is_not() {
        let mut melody = Ear::default();
        for note in [261.6, 329.6, 392.0, 523.3, 392.0, 329.6, 261.6, 329.6] {
            melody.hear(&sine(note, 0.2, 0.4));
        }
        assert!(melody.sound().music);
        let mut beeps = Ear::default();
        for _ in 0..10 {
            beeps.hear(&sine(400.0, 0.2, 0.4));
        }
        assert!(!beeps.sound().music);
    }

    fn sine(hz: f32, amplitude: f32, seconds: f32) -> Vec<i16> {
        let samples = (seconds * RATE_HZ as f32) as usize;
        (0..samples)
            .map(|index| {
                ((TAU * hz * index as f32 / RATE_HZ as f32).sin() * amplitude * 32767.0) as i16
            })
            .collect()
    }
}
