use std::collections::VecDeque;

use housecall_media::g711::Law;
use housecall_media::{FRAME_SAMPLES, Frame, Key, KeyTone, Rate, SILENCE, Sine};

use crate::behaviour::Says;

/// Fourteen seconds of speech, µ-law at 8 kHz: text of our own, spoken by eSpeak NG.
static VOICE: &[u8] = include_bytes!("voice.ulaw");

/// What a subscriber says, 20 ms at a time.
#[derive(Debug)]
pub(crate) enum Mouth {
    Echo(Echo),
    Voice { next: usize },
    Tone(Sine),
    DigitsBack(DigitsBack),
}

impl Mouth {
    pub(crate) fn new(says: Says) -> Mouth {
        match says {
            Says::Echo => Mouth::Echo(Echo::default()),
            Says::Voice => Mouth::Voice { next: 0 },
            Says::Tone => Mouth::Tone(Sine::new(TONE_HZ, TONE_DBFS)),
            Says::DigitsBack => Mouth::DigitsBack(DigitsBack::default()),
        }
    }

    /// Takes note of what the subscriber hears: an echo repeats it.
    pub(crate) fn hear(&mut self, samples: &[i16]) {
        if let Mouth::Echo(echo) = self {
            echo.hear(samples);
        }
    }

    /// Takes note of a digit that the caller pressed.
    pub(crate) fn key(&mut self, key: Key) {
        if let Mouth::DigitsBack(back) = self {
            back.heard(key);
        }
    }

    pub(crate) fn speak(&mut self) -> Frame {
        match self {
            Mouth::Echo(echo) => echo.speak(),
            Mouth::Voice { next } => speak_voice(next),
            Mouth::Tone(sine) => sine.frame(),
            Mouth::DigitsBack(back) => back.speak(),
        }
    }
}

fn speak_voice(next: &mut usize) -> Frame {
    let said: Vec<u8> = VOICE
        .iter()
        .cycle()
        .skip(*next)
        .take(FRAME_SAMPLES)
        .copied()
        .collect();
    *next = (*next + FRAME_SAMPLES) % VOICE.len();
    let mut samples = Vec::with_capacity(FRAME_SAMPLES);
    Law::Mu.decode(&said, &mut samples);
    Frame::new(Rate::Narrow, samples)
}

/// 1004 Hz rather than 1000, so that the samples do not repeat every millisecond.
const TONE_HZ: f32 = 1004.0;
const TONE_DBFS: f32 = -16.0;

/// Repeats what it hears, a little later: late packets must not tear holes into it.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    heard: VecDeque<i16>,
    flowing: bool,
}

impl Echo {
    /// 60 ms are gathered before the first word.
    const LEAD: usize = 3 * FRAME_SAMPLES;
    /// Never more than 400 ms behind.
    const MOST: usize = 20 * FRAME_SAMPLES;

    fn hear(&mut self, samples: &[i16]) {
        self.heard.extend(samples);
        let excess = self.heard.len().saturating_sub(Self::MOST);
        self.heard.drain(..excess);
        self.flowing |= self.heard.len() >= Self::LEAD;
    }

    fn speak(&mut self) -> Frame {
        if !self.flowing {
            return SILENCE;
        }
        self.flowing = self.heard.len() >= FRAME_SAMPLES;
        let samples = (0..FRAME_SAMPLES).map(|_| self.heard.pop_front().unwrap_or(0));
        Frame::new(Rate::Narrow, samples)
    }
}

/// Plays the digits it heard as tones, once a second has passed since the last of them.
#[derive(Debug, Default)]
pub(crate) struct DigitsBack {
    waiting: VecDeque<Key>,
    playing: VecDeque<Frame>,
    frames_until: u32,
}

impl DigitsBack {
    const PAUSE_FRAMES: u32 = 50;
    const KEYS_MOST: usize = 64;

    fn heard(&mut self, key: Key) {
        if self.waiting.len() < Self::KEYS_MOST {
            self.waiting.push_back(key);
        }
        self.frames_until = Self::PAUSE_FRAMES;
    }

    fn speak(&mut self) -> Frame {
        if let Some(frame) = self.playing.pop_front() {
            return frame;
        }
        self.frames_until = self.frames_until.saturating_sub(1);
        if self.frames_until == 0 {
            self.start();
        }
        SILENCE
    }

    fn start(&mut self) {
        for key in self.waiting.drain(..) {
            let mut tone = KeyTone::new(key, 100);
            self.playing.extend(std::iter::from_fn(|| tone.frame()));
            self.playing.extend([SILENCE; 5]);
        }
    }
}

#[cfg(test)]
mod tests {
    use housecall_media::KeyDetector;

    use super::*;

    #[test]
    fn digits_come_back_as_tones_after_a_second() {
        let mut mouth = Mouth::new(Says::DigitsBack);
        for key in "4711#".chars().filter_map(Key::new) {
            mouth.key(key);
        }
        let mut detector = KeyDetector::default();
        let mut back = String::new();
        for frame in 0..150 {
            let keys = detector.listen(&mouth.speak());
            assert!(frame >= 49 || keys.is_empty(), "too early, frame {frame}");
            back.extend(keys.into_iter().map(Key::name));
        }
        assert_eq!(back, "4711#");
    }

    #[test]
    fn an_echo_is_what_was_heard_sixty_milliseconds_ago() {
        let mut mouth = Mouth::new(Says::Echo);
        for value in 1..=3 {
            assert_eq!(mouth.speak(), SILENCE);
            mouth.hear(&[value; FRAME_SAMPLES]);
        }
        for value in 1..=3 {
            assert_eq!(*mouth.speak(), [value; FRAME_SAMPLES]);
        }
        assert_eq!(mouth.speak(), SILENCE);
    }

    #[test]
    fn an_echo_never_lags_more_than_four_hundred_milliseconds() {
        let mut mouth = Mouth::new(Says::Echo);
        for value in 0..100 {
            mouth.hear(&[value; FRAME_SAMPLES]);
        }
        assert_eq!(*mouth.speak(), [80; FRAME_SAMPLES]);
    }

    #[test]
    fn the_voice_is_audible_and_begins_again() {
        let mut mouth = Mouth::new(Says::Voice);
        let loud = |frame: Frame| frame.iter().any(|sample| sample.unsigned_abs() > 1000);
        let frames = VOICE.len() / FRAME_SAMPLES;
        let spoken = (0..frames).filter(|_| loud(mouth.speak())).count();
        assert!(spoken > frames / 3, "{spoken} of {frames}");
        assert!((0..frames).any(|_| loud(mouth.speak())));
    }
}
