use std::f32::consts::{PI, TAU};

use crate::{Frame, Rate, SILENCE};

/// A calm loop of sixteen seconds: four soft chords, and a slow melody of plucked notes above them.
///
/// It is made note by note as it plays; nothing is recorded or stored. About −20 dBFS.
#[derive(Clone, Debug, Default)]
pub struct HoldMusic {
    /// Samples at 16 kHz since the loop began.
    at: u32,
}

/// A note of the loop. Times in samples at 16 kHz.
#[derive(Clone, Copy, Debug)]
struct Note {
    begins: u32,
    lasts: u32,
    hertz: f32,
    loudness: f32,
    touch: Touch,
}

/// How a note swells and fades.
#[derive(Clone, Copy, Debug)]
enum Touch {
    /// Slowly in and out, as a choir.
    Soft,
    /// At once, then fading, as a string.
    Plucked,
}

const SECOND: u32 = Rate::Wide.hertz();
const BEAT: u32 = SECOND / 2;
const CHORD_BEATS: u32 = 8;
const LOOP: u32 = 4 * CHORD_BEATS * BEAT;

/// Four chords of the key of F, in semitones from A3 (220 Hz): F, D minor seventh, B flat with its sixth, C.
const CHORDS: [[i32; 4]; 4] = [
    [-4, 0, 3, 8],
    [-7, -4, 0, 3],
    [-11, -4, 1, 5],
    [-9, -2, 3, 7],
];
/// The notes plucked over each chord: beat and semitones from A3.
const MELODY: [[(u32, i32); 4]; 4] = [
    [(0, 15), (2, 12), (4, 20), (6, 15)],
    [(0, 17), (2, 12), (4, 15), (7, 8)],
    [(0, 13), (2, 17), (4, 20), (6, 17)],
    [(0, 15), (3, 10), (4, 7), (6, 10)],
];

impl HoldMusic {
    /// Begins at the first chord.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next 20 ms at 8 kHz.
    pub fn frame(&mut self) -> Frame {
        let mut frame = SILENCE;
        self.fill(&mut frame);
        frame
    }

    /// Plays on for as long as a frame is.
    pub fn fill(&mut self, frame: &mut Frame) {
        let mut mix = [0.0_f32; Frame::SAMPLES_MAX];
        let (mix, _) = mix.split_at_mut(frame.len());
        let step = frame.rate().step();
        for note in notes() {
            note.play(self.at, step, mix);
        }
        self.at = (self.at + step * mix.len() as u32) % LOOP;
        for (place, sample) in frame.iter_mut().zip(mix) {
            *place = *sample as i16;
        }
    }
}

fn notes() -> impl Iterator<Item = Note> {
    let chords = CHORDS
        .into_iter()
        .zip(0_u32..)
        .flat_map(|(chord, n)| chord.map(|semitone| soft(n, semitone)));
    let plucked = MELODY
        .into_iter()
        .zip(0_u32..)
        .flat_map(|(part, n)| part.map(|(beat, tone)| pluck(n, beat, tone)));
    chords.chain(plucked)
}

/// A chord's note overlaps the next chord, so that one melts into the other.
fn soft(chord: u32, semitone: i32) -> Note {
    let begins = chord * CHORD_BEATS * BEAT;
    Note {
        begins,
        lasts: (CHORD_BEATS + 1) * BEAT,
        hertz: hertz(semitone),
        loudness: 1_600.0,
        touch: Touch::Soft,
    }
}

fn pluck(chord: u32, beat: u32, semitone: i32) -> Note {
    let begins = (chord * CHORD_BEATS + beat) * BEAT;
    Note {
        begins,
        lasts: 4 * BEAT,
        hertz: hertz(semitone),
        loudness: 3_400.0,
        touch: Touch::Plucked,
    }
}

fn hertz(semitones_from_a3: i32) -> f32 {
    220.0 * (semitones_from_a3 as f32 / 12.0).exp2()
}

impl Note {
    /// Adds what sounds of it from `at` on, every `step`-th sample. A note that outlasts the loop sounds on at its beginning.
    fn play(&self, at: u32, step: u32, mix: &mut [f32]) {
        let since = (at + LOOP - self.begins) % LOOP;
        // Too early by less than a frame: it begins within this one.
        let early = LOOP - since;
        if since >= self.lasts && early >= step * mix.len() as u32 {
            return;
        }
        for (sample, n) in mix.iter_mut().zip((at..).step_by(step as usize)) {
            *sample += self.sample((n + LOOP - self.begins) % LOOP);
        }
    }

    fn sample(&self, since: u32) -> f32 {
        if since >= self.lasts {
            return 0.0;
        }
        let seconds = since as f32 / SECOND as f32;
        let phase = TAU * (self.hertz * seconds).fract();
        let colour = phase.sin() + 0.25 * (2.0 * phase).sin() + 0.08 * (3.0 * phase).sin();
        self.loudness * self.envelope(seconds) * colour
    }

    fn envelope(&self, seconds: f32) -> f32 {
        let whole = self.lasts as f32 / SECOND as f32;
        match self.touch {
            Touch::Soft => (PI * seconds / whole).sin().powi(2),
            // 10 ms in, fading to a fiftieth, and the last 100 ms to nothing.
            Touch::Plucked => {
                (seconds / 0.01).min(1.0)
                    * (-2.0 * seconds).exp()
                    * ((whole - seconds) / 0.1).min(1.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dbfs, FRAME_MS, level};

    /// Samples of the loop at 8 kHz.
    const NARROW_LOOP: usize = LOOP as usize / 2;

    fn loop_twice() -> Vec<i16> {
        let mut music = HoldMusic::new();
        (0..2 * NARROW_LOOP / SILENCE.len())
            .flat_map(|_| music.frame())
            .collect()
    }

    #[test]
    fn it_is_the_same_music_at_either_rate_and_whatever_the_frames() {
        let (mut narrow, mut wide) = (HoldMusic::new(), HoldMusic::new());
        for n in 0..800 {
            let ms = if n % 3 == 0 { FRAME_MS / 2 } else { FRAME_MS };
            let mut here = Frame::silence(Rate::Narrow, ms);
            let mut there = Frame::silence(Rate::Wide, ms);
            narrow.fill(&mut here);
            wide.fill(&mut there);
            let half: Vec<i16> = there.into_iter().step_by(2).collect();
            assert_eq!(*here, *half);
        }
    }

    #[test]
    fn it_is_about_minus_twenty_and_never_silent() {
        let samples = loop_twice();
        let Dbfs(whole) = level(&samples);
        assert!((-23.0..=-17.0).contains(&whole), "{whole} dBFS");
        for second in samples[8_000..].chunks(8_000) {
            assert!(level(second).0 > -32.0, "{:?}", level(second));
        }
        assert!(samples.iter().all(|sample| sample.unsigned_abs() < 20_000));
    }

    /// A click is a jump that the notes themselves cannot make, above all where the loop joins.
    #[test]
    fn it_does_not_click() {
        let samples = loop_twice();
        let jump = samples
            .windows(2)
            .map(|two| (i32::from(two[1]) - i32::from(two[0])).abs())
            .max();
        assert!(jump < Some(4_500), "{jump:?}");
        let join = NARROW_LOOP;
        let at_join = (i32::from(samples[join]) - i32::from(samples[join - 1])).abs();
        assert!(at_join < 1_500, "{at_join}");
    }

    #[test]
    fn it_repeats_itself() {
        let samples = loop_twice();
        let (first, second) = samples.split_at(NARROW_LOOP);
        // The first time round, the end of the last chord is heard at the beginning too.
        assert_eq!(first, second);
    }
}
