//! The limits of ITU-T Q.24 (annex A gives those of several administrations; the tightest of them are held), and talk-off.

use super::*;
use crate::g711::Law;
use crate::{FRAME_SAMPLES, HoldMusic, KeyTone};

const ALL: &str = "0123456789*#ABCD";

/// A key whose tones are off in frequency, level and twist, between silences.
#[derive(Clone, Copy)]
struct Press {
    key: Key,
    /// Part by which both frequencies are off.
    off: f32,
    low_dbm: f32,
    high_dbm: f32,
    ms: f32,
    /// Samples of silence before it, so that it falls anywhere in a block.
    before: usize,
}

impl Press {
    fn of(name: char) -> Self {
        Self {
            key: Key::new(name).unwrap(),
            off: 0.0,
            low_dbm: -10.0,
            high_dbm: -10.0,
            ms: 50.0,
            before: 400,
        }
    }

    /// The level of a tone in dBm0 as an amplitude; full scale is 3.14 dBm0.
    #[expect(clippy::approx_constant, reason = "the decibels of G.711's full scale")]
    fn amplitude(dbm: f32) -> f32 {
        f32::from(i16::MAX) * 10_f32.powf((dbm - 3.14) / 20.0)
    }

    fn samples(self) -> Vec<i16> {
        let (low, high) = self.key.hertz();
        let length = (self.ms * 8.0).round() as usize;
        let at = |n: usize, hertz: f32| {
            (std::f32::consts::TAU * hertz * (1.0 + self.off) * n as f32 / SAMPLE_RATE as f32).sin()
        };
        let sound = (0..length).map(|n| {
            let sum = Self::amplitude(self.low_dbm) * at(n, low)
                + Self::amplitude(self.high_dbm) * at(n, high);
            sum as i16
        });
        let mut samples = vec![0; self.before];
        samples.extend(sound);
        samples.extend([0; 480]);
        samples
    }

    fn heard(self) -> String {
        heard(&self.samples())
    }
}

/// What is heard of some sound after it went through G.711.
fn heard(samples: &[i16]) -> String {
    let mut through = Vec::new();
    Law::A.decode(&Law::A.encode(samples), &mut through);
    KeyDetector::default()
        .listen(&through)
        .into_iter()
        .map(Key::name)
        .collect()
}

/// For every key and each of several places in a block.
fn each(change: impl Fn(Press) -> Press, mut check: impl FnMut(Press, String)) {
    for name in ALL.chars() {
        for before in (400..400 + 2 * STEP).step_by(7) {
            let press = change(Press {
                before,
                ..Press::of(name)
            });
            check(press, press.heard());
        }
    }
}

fn always(what: &str, change: impl Fn(Press) -> Press) {
    each(change, |press, heard| {
        assert_eq!(
            heard,
            press.key.to_string(),
            "{what} {} at {}",
            press.key,
            press.before
        )
    });
}

fn never(what: &str, change: impl Fn(Press) -> Press) {
    each(change, |press, heard| {
        assert_eq!(heard, "", "{what} {} at {}", press.key, press.before)
    });
}

#[test]
fn every_key_is_heard_once_through_g711() {
    let dialled = "0123456789*#ABCD5500";
    let mut detector = KeyDetector::default();
    let mut heard = String::new();
    for name in dialled.chars() {
        let mut tone = KeyTone::new(Key::new(name).unwrap(), 100);
        let mut samples: Vec<i16> = std::iter::from_fn(|| tone.frame()).flatten().collect();
        samples.extend([0; 4 * FRAME_SAMPLES]);
        let mut through = Vec::new();
        Law::Mu.decode(&Law::Mu.encode(&samples), &mut through);
        heard.extend(detector.listen(&through).into_iter().map(Key::name));
    }
    assert_eq!(heard, dialled);
}

/// Q.24: 40 ms are a key, 23 ms are none.
#[test]
fn q24_forty_milliseconds_are_a_key_and_twenty_three_are_not() {
    always("40 ms", |press| Press { ms: 40.0, ..press });
    never("23 ms", |press| Press { ms: 23.0, ..press });
}

/// Q.24: 1.5 % (and 2 Hz) off is operation, 3.5 % is none.
#[test]
fn q24_frequencies_may_be_a_little_off() {
    for off in [0.015, -0.015] {
        always("1.5 % off", |press| Press { off, ..press });
    }
    for off in [0.035, -0.035, 0.06, -0.06] {
        never("3.5 % off", |press| Press { off, ..press });
    }
}

/// Q.24: 0 to −25 dBm0 is operation, −55 dBm0 is none.
#[test]
fn q24_levels_from_loud_to_faint() {
    for dbm in [-3.0, -10.0, -25.0] {
        always("level", |press| Press {
            low_dbm: dbm,
            high_dbm: dbm,
            ..press
        });
    }
    never("-55 dBm0", |press| Press {
        low_dbm: -55.0,
        high_dbm: -55.0,
        ..press
    });
}

/// Q.24: the upper tone 4 dB above the lower to 8 dB below it.
#[test]
fn q24_twist_within_its_limits() {
    always("twist", |press| Press {
        low_dbm: -14.0,
        high_dbm: -10.0,
        ..press
    });
    always("reverse twist", |press| Press {
        low_dbm: -10.0,
        high_dbm: -18.0,
        ..press
    });
    never("too much twist", |press| Press {
        low_dbm: -22.0,
        high_dbm: -10.0,
        ..press
    });
    never("too much reverse twist", |press| Press {
        low_dbm: -8.0,
        high_dbm: -22.0,
        ..press
    });
}

/// Q.24: a pause of 40 ms parts two keys; a break of 10 ms does not make two of one.
#[test]
fn q24_pauses_part_and_breaks_do_not() {
    for shift in (0..2 * STEP).step_by(5) {
        let joined = |pause_ms: usize| {
            let press = Press {
                before: 400 + shift,
                ms: 60.0,
                ..Press::of('5')
            };
            let whole = press.samples();
            let end = press.before + 480;
            let mut samples = whole[..end].to_vec();
            samples.extend(vec![0; pause_ms * 8]);
            samples.extend(&whole[press.before..]);
            heard(&samples)
        };
        assert_eq!(
            (joined(40), joined(10)),
            ("55".to_owned(), "5".to_owned()),
            "{shift}"
        );
    }
}

/// Noise 15 dB below the key changes nothing.
#[test]
fn noise_does_not_hide_a_key() {
    let mut noise = Noise(9);
    for name in ALL.chars().cycle().take(200) {
        let mut samples = Press::of(name).samples();
        for sample in &mut samples {
            *sample += (noise.next() * Press::amplitude(-10.0) * 0.178 * 1.2) as i16;
        }
        assert_eq!(heard(&samples), name.to_string());
    }
}

#[test]
fn music_and_single_tones_are_no_keys() {
    let mut music = HoldMusic::new();
    let mut detector = KeyDetector::default();
    for _ in 0..1_600 {
        assert_eq!(detector.listen(&music.frame()), []);
    }
    for hertz in (300..3_400).step_by(13) {
        let mut sine = crate::Sine::new(hertz as f32, -10.0);
        for _ in 0..10 {
            assert_eq!(detector.listen(&sine.frame()), [], "{hertz} Hz");
        }
    }
}

/// Talk-off: half an hour of noise shaped like speech (a gliding pitch with overtones, through moving formants, in syllables), of voices from
/// 80 to 300 Hz. The tape that receivers are judged by allows a handful of keys in half an hour.
#[test]
fn half_an_hour_of_speech_like_noise_is_hardly_ever_a_key() {
    let mut keys = String::new();
    for seed in 1..=60 {
        let mut voice = Voice::new(seed);
        let sound: Vec<i16> = (0..30 * SAMPLE_RATE).map(|_| voice.sample()).collect();
        keys.push_str(&heard(&sound));
    }
    assert!(keys.len() <= 2, "{keys}");
}

struct Noise(u64);

impl Noise {
    /// Evenly from −1 to 1.
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() + 1.0) / 2.0
    }
}

/// A voice-like sound: a glottal buzz or breath through two resonances that move from syllable to syllable.
struct Voice {
    noise: Noise,
    /// Samples left of the syllable, and its length.
    left: u32,
    length: u32,
    pitch: f32,
    glide: f32,
    phase: f32,
    voiced: bool,
    formants: [Resonance; 2],
}

#[derive(Clone, Copy, Default)]
struct Resonance {
    hertz: f32,
    last: [f32; 2],
}

impl Resonance {
    fn pass(&mut self, input: f32) -> f32 {
        let radius = 0.97;
        let turn = std::f32::consts::TAU * self.hertz / SAMPLE_RATE as f32;
        let out = input * (1.0 - radius) + 2.0 * radius * turn.cos() * self.last[0]
            - radius * radius * self.last[1];
        self.last = [out, self.last[0]];
        out
    }
}

impl Voice {
    fn new(seed: u64) -> Self {
        Self {
            noise: Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            left: 0,
            length: 1,
            pitch: 100.0,
            glide: 0.0,
            phase: 0.0,
            voiced: true,
            formants: [Resonance::default(); 2],
        }
    }

    fn sample(&mut self) -> i16 {
        if self.left == 0 {
            self.syllable();
        }
        self.left -= 1;
        self.pitch += self.glide;
        self.phase = (self.phase + self.pitch / SAMPLE_RATE as f32).fract();
        let source = if self.voiced {
            2.0 * self.phase - 1.0 + 0.05 * self.noise.next()
        } else {
            0.5 * self.noise.next()
        };
        let [first, second] = &mut self.formants;
        let sound = 3.0 * first.pass(source) + 2.0 * second.pass(source);
        let place = self.left as f32 / self.length as f32;
        let swell = (std::f32::consts::PI * place).sin();
        (sound * swell * 9_000.0).clamp(-32_000.0, 32_000.0) as i16
    }

    fn syllable(&mut self) {
        self.length = self
            .noise
            .between(0.05, 0.35)
            .mul_add(SAMPLE_RATE as f32, 0.0) as u32;
        self.left = self.length;
        self.voiced = self.noise.next() < 0.7;
        self.pitch = self.noise.between(80.0, 300.0);
        self.glide = self.noise.next() * 0.01;
        self.formants[0].hertz = self.noise.between(250.0, 1_000.0);
        self.formants[1].hertz = self.noise.between(850.0, 2_700.0);
    }
}
