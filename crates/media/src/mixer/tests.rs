use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::{Dbfs, FRAME_SAMPLES, SILENCE, Sine, dominant_frequency, level, level_at};

const SEEDS: u64 = 100;
const PLACES: std::ops::Range<usize> = 0..Mixer::PLACES;
type Voices = [Option<Frame>; Mixer::PLACES];

struct Random(StdRng);

impl Random {
    fn one_in(&mut self, n: u64) -> bool {
        self.0.random_range(0..n) == 0
    }

    /// Noise no louder than a sample of `peak`.
    fn noise(&mut self, rate: Rate, peak: i16) -> Frame {
        let samples = (0..Frame::SAMPLES_MAX).map(|_| self.0.random_range(-peak..=peak));
        Frame::new(rate, samples)
    }

    /// Everybody speaks, but for who has nothing to say.
    fn voices(&mut self, rate: Rate, peak: i16) -> Voices {
        PLACES_ALL.map(|_| (!self.one_in(4)).then(|| self.noise(rate, peak)))
    }

    fn rate(&mut self) -> Rate {
        if self.one_in(2) {
            Rate::Narrow
        } else {
            Rate::Wide
        }
    }
}

const PLACES_ALL: [usize; Mixer::PLACES] = [0, 1, 2, 3];

fn for_seeds(check: impl Fn(&mut Random)) {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        check(&mut Random(StdRng::seed_from_u64(seed)));
    }
}

fn tones() -> [Sine; Mixer::PLACES] {
    [300.0, 700.0, 1_300.0, 2_100.0].map(|hertz| Sine::new(hertz, 0.0))
}

#[test]
fn below_the_limit_a_mix_is_the_sum_of_the_others() {
    for_seeds(|random| {
        let rate = random.rate();
        let mut mixer = Mixer::new(rate);
        // Who is there is there from the start, so nobody is faded after the first tick.
        let present = PLACES_ALL.map(|_| !random.one_in(4));
        for tick in 0..20 {
            let voices = present.map(|here| here.then(|| random.noise(rate, 9_000)));
            mixer.tick(voices);
            for place in PLACES.filter(|_| tick > 0) {
                let others = |at: usize| {
                    let others = PLACES.filter(|other| *other != place);
                    let samples = others.map(|other| voices[other].map_or(0, |voice| voice[at]));
                    samples.sum::<i16>()
                };
                let expected = Frame::new(rate, (0..rate.samples(FRAME_MS)).map(others));
                assert_eq!(*mixer.heard_at(place), *expected);
            }
        }
    });
}

#[test]
fn nobody_hears_themselves() {
    for_seeds(|random| {
        let rate = random.rate();
        let listener = random.0.random_range(0..4);
        let (mut with, mut without) = (Mixer::new(rate), Mixer::new(rate));
        for _tick in 0..20 {
            let mut voices = random.voices(rate, i16::MAX);
            with.tick(voices);
            voices[listener] = None;
            without.tick(voices);
            assert_eq!(with.heard_at(listener), without.heard_at(listener));
        }
    });
}

#[test]
fn nothing_clips_or_wraps_however_loud_all_are() {
    for_seeds(|random| {
        let rate = random.rate();
        let mut mixer = Mixer::new(rate);
        for _tick in 0..20 {
            let voices = random.voices(rate, i16::MAX);
            mixer.tick(voices);
            for place in PLACES {
                let others = PLACES.filter(|other| *other != place);
                let others: Vec<Frame> = others.filter_map(|other| voices[other]).collect();
                for (at, heard) in mixer.heard_at(place).into_iter().enumerate() {
                    assert!(f32::from(heard).abs() <= Limiter::PEAK);
                    // Who was faded in may turn the sum of a tick's first samples round; later its sign is the sum's.
                    let sum: i32 = others.iter().map(|voice| i32::from(voice[at])).sum();
                    let faded = at < rate.samples(5);
                    assert!(faded || i32::from(heard) * sum.signum() >= 0);
                }
            }
        }
    });
}

#[test]
fn silence_in_is_silence_out() {
    for_seeds(|random| {
        let rate = random.rate();
        let mut mixer = Mixer::new(rate);
        for _tick in 0..20 {
            let silence = Frame::silence(rate, FRAME_MS);
            mixer.tick(PLACES_ALL.map(|_| (!random.one_in(3)).then_some(silence)));
            for place in PLACES {
                assert_eq!(mixer.heard_at(place), silence);
            }
        }
    });
}

/// The steepest step between two samples of a sine.
fn steepest(rate: Rate, hertz: f32, dbfs: f32) -> i32 {
    let step = std::f32::consts::TAU * hertz / rate.hertz() as f32;
    (step * Dbfs(dbfs).amplitude()).ceil() as i32 + 1
}

fn steps(sound: &[i16]) -> i32 {
    let steps = sound
        .windows(2)
        .map(|two| (i32::from(two[1]) - i32::from(two[0])).abs());
    steps.max().unwrap_or(0)
}

/// Who comes or goes in the middle of a swing is heard without a step that their voice did not have.
#[test]
fn who_comes_and_goes_does_not_click() {
    for_seeds(|random| {
        let rate = random.rate();
        let hertz = random.0.random_range(200.0..700.0);
        let (mut mixer, mut sine) = (Mixer::new(rate), Sine::new(hertz, -6.0));
        let mut heard = Vec::new();
        let comes = random.0.random_range(0..5);
        let goes = random.0.random_range(6..11);
        for tick in 0..15 {
            let mut frame = Frame::silence(rate, FRAME_MS);
            sine.fill(&mut frame);
            let here = (comes..goes).contains(&tick);
            mixer.tick([None, here.then_some(frame), None, None]);
            heard.extend(mixer.heard_at(0));
        }
        // A fade in 5 ms adds a little to each step.
        let fade = Dbfs(-6.0).amplitude() as i32 / rate.samples(5) as i32 + 1;
        let most = steepest(rate, hertz, -6.0) + fade;
        assert!(steps(&heard) <= most, "{} of {most}", steps(&heard));
        let gone = &heard[rate.samples(FRAME_MS * goes + 5)..];
        assert!(gone.iter().all(|sample| *sample == 0));
        let there = &heard[rate.samples(FRAME_MS * (comes + 1))..rate.samples(FRAME_MS * goes)];
        assert!((level(there).0 + 6.0).abs() < 0.5);
    });
}

#[test]
fn four_tones_at_full_scale_at_once_stay_bounded_and_are_all_heard() {
    for rate in [Rate::Narrow, Rate::Wide] {
        let (mut mixer, mut sines) = (Mixer::new(rate), tones());
        let mut heard: [Vec<i16>; Mixer::PLACES] = Default::default();
        for _tick in 0..100 {
            let voices = sines.each_mut().map(|sine| {
                let mut frame = Frame::silence(rate, FRAME_MS);
                sine.fill(&mut frame);
                Some(frame)
            });
            mixer.tick(voices);
            for place in PLACES {
                heard[place].extend(mixer.heard_at(place));
            }
        }
        for place in PLACES {
            let settled = &heard[place][rate.samples(500)..];
            let peak = settled.iter().map(|sample| sample.unsigned_abs()).max();
            assert!(peak <= Some(Limiter::PEAK as u16), "{peak:?}");
            if rate == Rate::Narrow {
                check_tones(place, settled);
            }
        }
    }
}

/// Three tones of a third of full scale each, and of the fourth nothing.
fn check_tones(place: usize, heard: &[i16]) {
    for (other, hertz) in [300.0, 700.0, 1_300.0, 2_100.0].into_iter().enumerate() {
        let Dbfs(dbfs) = level_at(&heard[..4_000], hertz);
        let is_own = place == other;
        assert!(is_own || dbfs > -14.0, "{hertz} Hz at {place}: {dbfs}");
        assert!(!is_own || dbfs < -35.0, "own {hertz} Hz: {dbfs}");
    }
}

#[test]
fn one_voice_alone_is_heard_as_it_is() {
    let (mut mixer, mut sine) = (Mixer::new(Rate::Narrow), Sine::new(440.0, -10.0));
    let mut heard = Vec::new();
    for _tick in 0..30 {
        let voice = sine.frame();
        mixer.tick([Some(SILENCE), None, Some(voice), Some(SILENCE)]);
        heard.extend(mixer.heard_at(0));
    }
    assert!((dominant_frequency(&heard).unwrap() - 440.0).abs() < 1.0);
    assert!((level(&heard[FRAME_SAMPLES..]).0 + 10.0).abs() < 0.1);
}

#[test]
fn another_rate_and_places_that_there_are_not_are_nobody() {
    let mut mixer = Mixer::new(Rate::Wide);
    let narrow = Sine::new(440.0, 0.0).frame();
    mixer.tick([Some(narrow), None, None, None]);
    assert_eq!(mixer.heard_at(1), Frame::silence(Rate::Wide, FRAME_MS));
    assert_eq!(mixer.heard_at(4), Frame::silence(Rate::Wide, FRAME_MS));
}
