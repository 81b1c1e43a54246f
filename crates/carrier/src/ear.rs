use std::collections::VecDeque;

use housecall_media::{Dbfs, FRAME_SAMPLES, dominant_frequency, level};

/// One measured window: 100 ms.
const WINDOW: usize = 5 * FRAME_SAMPLES;
/// Windows kept: the last four seconds.
const KEPT: usize = 40;
/// A note is held for this many windows; syllables are shorter.
const HELD: usize = 4;
/// Music has this many different notes among the windows kept.
const NOTES: usize = 3;
/// Windows that [`Sound::level_dbfs`] and [`Sound::frequency_hz`] speak about: half a second, which spans a beep.
const RECENT: usize = 5;
/// Below this a line is silent. G.711's smallest step is at −66 dBFS.
const SILENCE_DBFS: f32 = -55.0;

/// What a line sounded like lately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sound {
    /// Level of the loudest tenth of the last half second, in dB of a full-scale sine; −100 when all samples are zero.
    pub level_dbfs: f32,
    /// The strongest frequency in that tenth, to about 1 Hz. None in silence.
    pub frequency_hz: Option<f32>,
    /// Whether the last four seconds were sustained notes of several pitches.
    pub music: bool,
}

impl Sound {
    /// Nothing heard.
    pub const SILENCE: Sound = Sound {
        level_dbfs: Dbfs::FLOOR.0,
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

    /// Sound most of the time, in several notes.
    fn is_music(&self) -> bool {
        let pitches: Vec<Option<i32>> = self
            .windows
            .iter()
            .map(|window| window.frequency_hz.map(semitone))
            .collect();
        let sounding = pitches.iter().flatten().count();
        let mut notes: Vec<i32> = pitches.windows(HELD).filter_map(held).collect();
        notes.sort_unstable();
        notes.dedup();
        pitches.len() == KEPT && sounding >= KEPT * 8 / 10 && notes.len() >= NOTES
    }
}

/// The pitch that all of some windows share.
fn held(pitches: &[Option<i32>]) -> Option<i32> {
    let first = pitches.first().copied().flatten();
    first.filter(|_| pitches.iter().all(|pitch| *pitch == first))
}

/// Semitones above 16.35 Hz, the C below the lowest on a piano.
#[allow(clippy::cast_possible_truncation)] // a telephone band has 90 of them
fn semitone(frequency_hz: f32) -> i32 {
    (12.0 * (frequency_hz / 16.352).log2()).round() as i32
}

fn measure(samples: &[i16]) -> Window {
    let Dbfs(level_dbfs) = level(samples);
    let heard = level_dbfs >= SILENCE_DBFS;
    Window {
        level_dbfs,
        frequency_hz: heard.then(|| dominant_frequency(samples)).flatten(),
    }
}

#[cfg(test)]
mod tests {
    use housecall_media::{HoldMusic, SAMPLE_RATE, Sine};

    use super::*;

    #[test]
    fn a_tone_is_measured() {
        let mut ear = Ear::default();
        ear.hear(&sine(1004.0, -16.0, 1.0));
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
        ear.hear(&sine(400.0, -6.0, 0.1));
        ear.hear(&[0; 3200]);
        assert!((ear.sound().frequency_hz.unwrap() - 400.0).abs() <= 2.0);
        ear.hear(&[0; 800]);
        assert!(ear.sound().is_silence());
    }

    #[test]
    fn a_melody_is_music_and_a_beep_is_not() {
        let mut melody = Ear::default();
        for note in [261.6, 329.6, 392.0, 523.3, 392.0, 329.6, 261.6, 329.6] {
            melody.hear(&sine(note, -14.0, 0.5));
        }
        assert!(melody.sound().music);
        let mut beeps = Ear::default();
        for _ in 0..10 {
            beeps.hear(&sine(400.0, -14.0, 0.4));
            beeps.hear(&[0; 800]);
        }
        assert!(!beeps.sound().music);
    }

    #[test]
    fn hold_music_is_music_most_of_the_time() {
        let (mut ear, mut music) = (Ear::default(), HoldMusic::new());
        let mut recognised = 0;
        for frame in 0..1800 {
            ear.hear(&music.frame());
            recognised += usize::from(frame >= 200 && ear.sound().music);
        }
        assert!(recognised > 1400, "{recognised} of 1600 frames");
    }

    fn sine(hz: f32, dbfs: f32, seconds: f32) -> Vec<i16> {
        let mut sine = Sine::new(hz, dbfs);
        let samples = (seconds * SAMPLE_RATE as f32) as usize;
        (0..samples).map(|_| sine.sample() as i16).collect()
    }
}
