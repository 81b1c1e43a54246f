use super::*;
use crate::{Rate, Sine, dominant_frequency, level};

/// A listener who keeps what was heard.
struct Ear {
    rate: Rate,
    frame: usize,
    concealment: Concealment,
    heard: Vec<i16>,
}

impl Ear {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            frame: rate.samples(20),
            concealment: Concealment::new(rate),
            heard: Vec::new(),
        }
    }

    fn before(&self) -> Vec<i16> {
        let from = self
            .heard
            .len()
            .saturating_sub(Concealment::before(self.rate));
        self.heard[from..].to_vec()
    }

    fn hear(&mut self, mut frame: Vec<i16>) {
        self.concealment.heard(&mut frame);
        self.heard.extend(frame);
    }

    fn lose(&mut self) -> &[i16] {
        let mut frame = vec![0; self.frame];
        self.concealment.conceal(&self.before(), &mut frame);
        self.heard.extend(frame);
        &self.heard[self.heard.len() - self.frame..]
    }

    /// Loses some frames of which the one after is there, and hears that.
    fn lose_before(&mut self, frames: usize, after: Vec<i16>) -> &[i16] {
        let mut gap = vec![0; frames * self.frame];
        let before = self.before();
        self.concealment.interpolate(&before, &mut gap, &after);
        let from = self.heard.len();
        self.heard.extend(gap);
        self.hear(after);
        &self.heard[from..from + frames * self.frame]
    }

    fn rest(&mut self) -> &[i16] {
        let mut frame = vec![0; self.frame];
        self.concealment.rest(&self.before(), &mut frame);
        self.heard.extend(frame);
        &self.heard[self.heard.len() - self.frame..]
    }
}

/// A tone at any rate.
fn tone(hertz: f32, rate: Rate, dbfs: f32) -> impl FnMut(usize) -> Vec<i16> {
    let mut sine = Sine::new(hertz * 8_000.0 / rate.hertz() as f32, dbfs);
    move |samples| (0..samples).map(|_| sine.sample() as i16).collect()
}

fn steepest(sound: &[i16]) -> f32 {
    let steps = sound
        .windows(2)
        .map(|two| (f32::from(two[1]) - f32::from(two[0])).abs());
    steps.fold(0.0, f32::max)
}

/// How steep a tone of this amplitude may become: by itself, by melting with one of opposite phase over 5 ms, and by the first step,
/// which is taken back over a quarter of the shortest period.
fn bound(hertz: f32, rate: Rate, amplitude: f32) -> f32 {
    let own = 2.0 * (std::f32::consts::PI * hertz / rate.hertz() as f32).sin();
    let melting = 2.0 / rate.samples(5) as f32;
    let step = 2.0 / rate.samples_in_us(625) as f32;
    amplitude * (own + melting + step)
}

#[test]
fn lost_frames_of_a_tone_sound_on_without_a_click() {
    for rate in [Rate::Narrow, Rate::Wide] {
        for hertz in [100.0, 200.0, 313.0, 700.0] {
            let (mut ear, mut tone) = (Ear::new(rate), tone(hertz, rate, -6.0));
            for n in 0..50 {
                let frame = tone(ear.frame);
                match n % 10 {
                    9 => drop(ear.lose().to_vec()),
                    _ => ear.hear(frame),
                }
            }
            let (steepest, bound) = (steepest(&ear.heard), bound(hertz, rate, 16_422.0));
            assert!(
                steepest < bound,
                "{hertz} Hz at {rate:?}: {steepest}, not {bound}"
            );
            if rate == Rate::Narrow {
                let heard = dominant_frequency(&ear.heard).unwrap();
                assert!((heard - hertz).abs() < 2.0, "{heard} Hz for {hertz}");
            }
            let levels: Vec<f32> = ear
                .heard
                .chunks(ear.frame)
                .map(|frame| level(frame).0)
                .collect();
            assert!(
                levels.iter().all(|level| *level > -9.0),
                "{hertz} at {rate:?}: {levels:?}"
            );
        }
    }
}

#[test]
fn a_long_loss_fades_into_the_background() {
    for rate in [Rate::Narrow, Rate::Wide] {
        let (mut ear, mut tone) = (Ear::new(rate), tone(300.0, rate, -12.0));
        (0..5).for_each(|_| ear.hear(tone(ear.frame)));
        let levels: Vec<f32> = (0..6).map(|_| level(ear.lose()).0).collect();
        assert!(
            levels[0] > -15.0 && levels[0] > levels[1] && levels[1] > levels[2],
            "{levels:?}"
        );
        // Nothing but a tone was heard: the background is that of a quiet room.
        assert!(levels[4] < -55.0 && levels[5] > -75.0, "{levels:?}");
    }
}

#[test]
fn a_pause_after_a_word_is_background_at_once_and_without_a_click() {
    let (mut ear, mut tone) = (Ear::new(Rate::Narrow), tone(300.0, Rate::Narrow, -6.0));
    (0..5).for_each(|_| ear.hear(tone(ear.frame)));
    ear.rest();
    assert!(level(ear.rest()).0 < -55.0);
    ear.hear(tone(ear.frame));
    let bound = bound(300.0, Rate::Narrow, 16_422.0) + 16_422.0 / 80.0;
    assert!(
        steepest(&ear.heard) < bound,
        "{} {bound}",
        steepest(&ear.heard)
    );
}

/// RFC 3389 §3.1: the far end knows its background.
#[test]
fn a_pause_sounds_as_the_far_end_says() {
    let mut ear = Ear::new(Rate::Narrow);
    ear.hear(vec![0; 1_600]);
    ear.concealment.background(NoiseShape::white(-50.0));
    (0..4).for_each(|_| drop(ear.rest().to_vec()));
    let heard = level(ear.rest()).0;
    assert!((heard + 47.0).abs() < 2.0, "{heard} dBFS");
}

#[test]
fn with_nothing_before_there_is_something_to_hear_all_the_same() {
    let mut concealment = Concealment::new(Rate::Wide);
    let mut sound = [1_000; 7];
    concealment.conceal(&[], &mut sound);
    assert!(sound.iter().all(|sample| sample.abs() < 100), "{sound:?}");
    concealment.conceal(&[], &mut []);
    concealment.heard(&mut Vec::new());
    concealment.rest(&[5; 3], &mut sound);
    assert!(sound.iter().all(|sample| sample.abs() < 100), "{sound:?}");
}

#[test]
fn a_gap_in_a_tone_is_bridged_from_both_ends_without_a_click_or_a_hole() {
    for (rate, frames) in [(Rate::Narrow, 1), (Rate::Narrow, 3), (Rate::Wide, 2)] {
        for hertz in [100.0, 200.0, 313.0, 700.0] {
            let (mut ear, mut tone) = (Ear::new(rate), tone(hertz, rate, -6.0));
            for _ in 0..10 {
                (0..5).for_each(|_| ear.hear(tone(ear.frame)));
                tone(frames * ear.frame);
                let after = tone(ear.frame);
                let gap = ear.lose_before(frames, after);
                let level = level(gap).0;
                assert!(level > -9.0, "{hertz} Hz at {rate:?}, {frames}: {level}");
            }
            let (steepest, bound) = (steepest(&ear.heard), bound(hertz, rate, 16_422.0));
            assert!(
                steepest < bound,
                "{hertz} Hz at {rate:?}, {frames}: {steepest}, not {bound}"
            );
        }
    }
}

#[test]
fn a_gap_leads_from_one_loudness_to_the_other() {
    let rate = Rate::Narrow;
    for (from, to) in [(-6.0, -30.0), (-30.0, -6.0)] {
        let (mut ear, mut first, mut second) = (
            Ear::new(rate),
            tone(200.0, rate, from),
            tone(200.0, rate, to),
        );
        (0..5).for_each(|_| ear.hear(first(ear.frame)));
        second(7 * ear.frame);
        let gap = ear.lose_before(2, second(160)).to_vec();
        let levels: Vec<f32> = gap.chunks(80).map(|part| level(part).0).collect();
        let turned = levels.iter().copied().rev().collect();
        let rising = if from < to { levels } else { turned };
        assert!(rising.is_sorted(), "{from} to {to} dBFS: {rising:?}");
    }
}

#[test]
fn what_is_bridged_from_both_ends_is_nearer_to_what_was_lost() {
    for rate in [Rate::Narrow, Rate::Wide] {
        let voice = gliding_voice(rate);
        let (mut one_end, mut both_ends) = (0.0, 0.0);
        for at in (rate.samples(200)..rate.samples(2_800)).step_by(rate.samples(37)) {
            let (lost, after) = voice[at..].split_at(rate.samples(40));
            let before = &voice[at - Concealment::before(rate)..at];
            let mut made = vec![0; lost.len()];
            let mut concealment = Concealment::new(rate);
            concealment.heard(&mut voice[..at].to_vec());
            concealment.clone().conceal(before, &mut made);
            one_end += difference(&made, lost);
            concealment.interpolate(before, &mut made, after);
            both_ends += difference(&made, lost);
        }
        assert!(
            both_ends < 0.7 * one_end,
            "{rate:?}: {both_ends}, from one end {one_end}"
        );
    }
}

/// Three seconds of a voice of ten harmonics whose pitch and loudness go up and down.
fn gliding_voice(rate: Rate) -> Vec<i16> {
    use std::f32::consts::TAU;
    let mut phase = 0.0;
    let sample = |at: usize| {
        let seconds = at as f32 / rate.hertz() as f32;
        let hertz = 130.0 + 30.0 * (TAU * 1.3 * seconds).sin();
        phase += TAU * hertz / rate.hertz() as f32;
        let loudness = 6_000.0 + 3_500.0 * (TAU * 2.1 * seconds).sin();
        let harmonic = |n: u8| (phase * f32::from(n)).sin() / f32::from(n);
        (loudness * (1..=10).map(harmonic).sum::<f32>()) as i16
    };
    (0..rate.samples(3_000)).map(sample).collect()
}

fn difference(made: &[i16], lost: &[i16]) -> f32 {
    let errors = made
        .iter()
        .zip(lost)
        .map(|(a, b)| f32::from(*a) - f32::from(*b));
    errors.map(|error| error * error).sum()
}

#[test]
fn what_comes_after_may_be_too_short_to_lead_anywhere() {
    let (mut ear, mut tone) = (Ear::new(Rate::Narrow), tone(200.0, Rate::Narrow, -6.0));
    (0..5).for_each(|_| ear.hear(tone(ear.frame)));
    let mut alone = vec![0; 160];
    ear.concealment.clone().conceal(&ear.before(), &mut alone);
    for after in [0, 1, 79] {
        let mut gap = vec![0; 160];
        let mut concealment = ear.concealment.clone();
        concealment.interpolate(&ear.before(), &mut gap, &tone(after));
        assert_eq!(gap, alone, "{after} samples");
    }
    ear.concealment.interpolate(&[], &mut [], &[0; 4_000]);
    let mut gap = vec![0; 160];
    ear.concealment.interpolate(&[], &mut gap, &[0; 80]);
    assert!(gap.iter().all(|sample| sample.abs() < 200), "{gap:?}");
}
