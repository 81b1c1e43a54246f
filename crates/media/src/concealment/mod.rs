//! What is heard instead of sound that did not come.

mod repetition;

#[cfg(test)]
mod tests;

use crate::Rate;
use crate::comfort_noise::{Background, ComfortNoise, NoiseShape};
use crate::pitch::{Pitch, likeness};
use repetition::Repetition;

/// Bridges what was lost of a waveform by repeating its last pitch periods, which fade into the background (after ITU-T G.711 appendix I), or
/// melt into the first of what comes after the loss, where that is there in time.
///
/// Needs no more than the sound itself, at either rate. The caller keeps what was heard and hands it in as `before`:
/// at least [`Concealment::before`] samples if there were so many. Real sound and made-up sound melt into each other, both ways.
#[derive(Clone, Debug)]
pub struct Concealment {
    rate: Rate,
    background: Background,
    noise: ComfortNoise,
    /// Whether the noise's shape came from the far end, which knows its background better than we do.
    told: bool,
    made_up: Option<MadeUp>,
}

/// Sound that is being made up.
#[derive(Clone, Debug)]
struct MadeUp {
    repetition: Repetition,
    /// Samples made up so far.
    age: usize,
    /// What is left of the repetition, 0 to 1; the rest is background.
    gain: f32,
    /// Whether what comes after it may not be delayed until both are in phase.
    on_time: bool,
}

/// How fast the repetition fades.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fade {
    /// As a loss does: it may be over any moment.
    Slow,
    /// Nobody speaks: the last word only must not break off with a click.
    Quick,
}

impl Concealment {
    /// For so long a loss is hardly heard.
    const HOLD_US: u32 = 10_000;
    /// From there it fades to nothing, as appendix I does.
    const FADE_US: u32 = 50_000;
    const QUICK_FADE_US: u32 = 10_000;
    /// The first melting is this long, and so much longer for each 10 ms of loss, up to a most.
    const OVERLAP_US: u32 = 5_000;
    const OVERLAP_US_MAX: u32 = 10_000;
    /// Less alike than this, no phase is to be kept.
    const IN_PHASE: f32 = 0.5;

    /// Nothing was heard so far, of a sound at a rate.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            background: Background::new(rate),
            noise: ComfortNoise::new(rate, 0x5eed),
            told: false,
            made_up: None,
        }
    }

    /// The samples of the past that it looks at, at a rate: 60 ms.
    pub fn before(rate: Rate) -> usize {
        rate.samples(60)
    }

    /// Takes sound that arrived. After made-up sound its beginning is blended with what that would have gone on to.
    ///
    /// Unless it is [on time](Self::on_time), it grows at its front by up to a pitch period, in which what was made up goes on until both
    /// are in phase.
    pub fn heard(&mut self, sound: &mut Vec<i16>) {
        self.background.heard(sound);
        self.told = false;
        if let Some(made_up) = self.made_up.take() {
            self.blend(made_up, sound);
        }
    }

    /// Makes up sound that was lost, as a continuation of `before`.
    pub fn conceal(&mut self, before: &[i16], sound: &mut [i16]) {
        self.make_up(before, sound, Fade::Slow);
    }

    /// Makes up sound that was lost between `before` and `after`, which is there already and will be heard next.
    ///
    /// What was before goes on, what comes after is led back, and one melts into the other. Of `after` 20 ms are looked at; less than half of
    /// that does not tell what it sounds like, and only gets to be heard [on time](Self::on_time).
    pub fn interpolate(&mut self, before: &[i16], sound: &mut [i16], after: &[i16]) {
        self.conceal(before, sound);
        let after = after.get(..self.rate.samples(20)).unwrap_or(after);
        if after.len() < self.rate.samples(10) {
            return self.on_time();
        }
        let Some(made_up) = self.made_up.take() else {
            return;
        };
        let mut back = Repetition::backwards(self.rate, after, &made_up.repetition);
        let mut back: Vec<i16> = sound.iter().map(|_| to_sample(back.sample())).collect();
        back.reverse();
        melt(sound, &back);
    }

    /// What is heard next is there already, at a time that is known: to keep that sounds better than to keep the phase.
    pub fn on_time(&mut self) {
        if let Some(made_up) = &mut self.made_up {
            made_up.on_time = true;
        }
    }

    /// Fills a pause of the far end with its background, after `before`.
    pub fn rest(&mut self, before: &[i16], sound: &mut [i16]) {
        self.make_up(before, sound, Fade::Quick);
    }

    /// The far end says what its background sounds like.
    pub fn background(&mut self, shape: NoiseShape) {
        self.told = true;
        self.noise.shape(shape);
    }

    /// What is heard next does not continue `before`; it is to be blended with what would have.
    pub fn interrupt(&mut self, before: &[i16]) {
        self.begin(before);
    }

    fn make_up(&mut self, before: &[i16], sound: &mut [i16], fade: Fade) {
        self.begin(before);
        let Some(mut made_up) = self.made_up.take() else {
            return;
        };
        for place in sound.iter_mut() {
            *place = to_sample(self.sample(&mut made_up, fade));
        }
        self.made_up = Some(made_up);
    }

    fn begin(&mut self, before: &[i16]) {
        if let Some(made_up) = &mut self.made_up {
            made_up.on_time = false;
            return;
        }
        if !self.told {
            self.noise.shape(self.background.shape());
        }
        self.made_up = Some(MadeUp {
            repetition: Repetition::new(self.rate, before),
            age: 0,
            gain: 1.0,
            on_time: false,
        });
    }

    fn sample(&mut self, made_up: &mut MadeUp, fade: Fade) -> f32 {
        made_up.age += 1;
        made_up.gain = (made_up.gain - self.fading(made_up.age, fade)).max(0.0);
        let background = self.noise.sample();
        if made_up.gain <= 0.0 {
            return background;
        }
        let repeated = made_up.repetition.sample();
        let share = (1.0 - made_up.gain * made_up.gain).sqrt();
        repeated * made_up.gain + background * share
    }

    /// What the gain loses with a sample.
    fn fading(&self, age: usize, fade: Fade) -> f32 {
        let (hold, length) = match fade {
            Fade::Slow => (Self::HOLD_US, Self::FADE_US),
            Fade::Quick => (0, Self::QUICK_FADE_US),
        };
        if age <= self.rate.samples_in_us(hold) {
            return 0.0;
        }
        1.0 / self.rate.samples_in_us(length).max(1) as f32
    }

    fn blend(&mut self, mut made_up: MadeUp, sound: &mut Vec<i16>) {
        let longest = self.rate.samples_in_us(Self::OVERLAP_US_MAX);
        let length = self.rate.samples_in_us(Self::OVERLAP_US) + made_up.age * 2 / 5;
        let length = length.min(longest).min(sound.len());
        let slack = made_up.slack();
        let made: Vec<i16> = (0..length + slack)
            .map(|_| to_sample(self.sample(&mut made_up, Fade::Slow)))
            .collect();
        let real = sound.get(..length).unwrap_or_default();
        let delay = in_phase(&made, real);
        let made = made.iter().take(delay + length);
        for ((real, made), n) in sound.iter_mut().zip(made.clone().skip(delay)).zip(1..) {
            let part = n as f32 / (length + 1) as f32;
            *real = to_sample(f32::from(*real) * part + f32::from(*made) * (1.0 - part));
        }
        sound.splice(..0, made.take(delay).copied());
    }
}

impl MadeUp {
    /// By how much what comes after it may be delayed.
    fn slack(&self) -> usize {
        if self.on_time || self.gain <= 0.0 {
            0
        } else {
            self.repetition.period()
        }
    }
}

/// From one sound into another of the same length, at the same loudness all the way.
fn melt(from: &mut [i16], into: &[i16]) {
    let alike = likeness(from, into).max(0.0);
    let whole = (from.len() + 1) as f32;
    for ((from, into), at) in from.iter_mut().zip(into).zip(1..) {
        let part = at as f32 / whole;
        let rest = 1.0 - part;
        let loudness = (part * part + rest * rest + 2.0 * alike * part * rest).sqrt();
        let sum = f32::from(*from) * rest + f32::from(*into) * part;
        *from = to_sample(sum / loudness);
    }
}

/// By how much `real` must be later to be in phase with what was made up.
fn in_phase(made: &[i16], real: &[i16]) -> usize {
    let latest = made.len().saturating_sub(real.len());
    let alike = |delay: usize| {
        likeness(
            made.get(delay..delay + real.len()).unwrap_or_default(),
            real,
        )
    };
    Pitch::search(0..=latest, alike)
        .filter(|pitch| pitch.likeness > Concealment::IN_PHASE)
        .map_or(0, |pitch| pitch.lag)
}

fn to_sample(value: f32) -> i16 {
    // A cast of a float saturates.
    value.round() as i16
}
