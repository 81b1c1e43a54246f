use std::ops::RangeInclusive;

use crate::Rate;
use crate::pitch::{Pitch, likeness};

/// The last pitch periods of a sound, again and again.
///
/// One period at first, then two and three, so that a longer loss does not sound like a whistle. Where one round of them meets the next,
/// the last quarter of a period is blended into what was heard before the beginning of the next.
#[derive(Clone, Debug)]
pub(super) struct Repetition {
    /// The last that was really heard: as much as is ever repeated.
    heard: Vec<f32>,
    period: usize,
    /// How many of them are repeated at most.
    periods: usize,
    /// Where in `heard` this round began, where the next will, and what is played next.
    round: usize,
    next_round: usize,
    at: usize,
    /// Samples made so far.
    age: usize,
    /// Samples after which a period more is repeated.
    patience: usize,
    /// What the first sample must be moved by to continue the last real one.
    step: f32,
}

impl Repetition {
    /// Pitch of voices: 400 Hz down to 66 Hz.
    const PERIOD_US: RangeInclusive<u32> = 2_500..=15_000;
    /// The stretch in which the pitch is looked for.
    const WINDOW_US: u32 = 20_000;
    const PERIODS_MAX: usize = 3;
    const PATIENCE_US: u32 = 10_000;
    /// Less alike than this, a short sound has no pitch.
    const IN_PITCH: f32 = 0.5;

    /// Goes on from `before`.
    pub(super) fn new(rate: Rate, before: &[i16]) -> Self {
        Self::of_period(rate, before, period(rate, before))
    }

    /// Leads up to `after`, a short sound, backwards: the first sample is its neighbour. One without a pitch gets that of what was `before`.
    pub(super) fn backwards(rate: Rate, after: &[i16], before: &Self) -> Self {
        let reversed: Vec<i16> = after.iter().rev().copied().collect();
        let period = short_period(rate, &reversed).unwrap_or(before.period);
        Self::of_period(rate, &reversed, period.min(after.len() * 4 / 5))
    }

    fn of_period(rate: Rate, before: &[i16], period: usize) -> Self {
        // Of what was not heard, only what one period lacks is made up, by silence.
        let periods = before.len().saturating_sub(period / 4) / period.max(1);
        let periods = periods.clamp(1, Self::PERIODS_MAX);
        let kept = period * periods + period / 4;
        let mut heard: Vec<f32> = before
            .iter()
            .rev()
            .take(kept)
            .map(|s| f32::from(*s))
            .collect();
        heard.resize(kept, 0.0);
        heard.reverse();
        let mut repetition = Self {
            step: step(&heard, period),
            round: heard.len() - period,
            next_round: heard.len() - period,
            at: heard.len() - period,
            heard,
            period,
            periods,
            age: 0,
            patience: rate.samples_in_us(Self::PATIENCE_US).max(1),
        };
        repetition.plan();
        repetition
    }

    /// What is repeated, in samples.
    pub(super) fn period(&self) -> usize {
        self.period
    }

    /// The next sample.
    pub(super) fn sample(&mut self) -> f32 {
        if self.at >= self.heard.len() {
            self.round = self.next_round;
            self.at = self.round;
            self.plan();
        }
        let sample = self.blended() + self.step * self.step_left();
        self.at += 1;
        self.age += 1;
        sample
    }

    /// Decides where the round after this one begins.
    fn plan(&mut self) {
        let age = self.age + self.heard.len() - self.round;
        let periods = (1 + age / self.patience).min(self.periods);
        self.next_round = self.heard.len() - periods * self.period;
    }

    /// The sample that is due, and towards the end of a round some of what comes before the next.
    fn blended(&self) -> f32 {
        let heard = |at: usize| self.heard.get(at).copied().unwrap_or_default();
        let (quarter, left) = (self.period / 4, self.heard.len() - self.at);
        if left > quarter {
            return heard(self.at);
        }
        let part = (quarter + 1 - left) as f32 / (quarter + 1) as f32;
        heard(self.at) * (1.0 - part) + heard(self.next_round - left) * part
    }

    /// What is left of the first step: none after a quarter of a period.
    fn step_left(&self) -> f32 {
        let quarter = (self.period / 4).max(1);
        1.0 - self.age.min(quarter) as f32 / quarter as f32
    }
}

/// The period of the end of a sound, in samples; the longest there is in silence or rustle.
fn period(rate: Rate, before: &[i16]) -> usize {
    let samples = |micros: &u32| rate.samples_in_us(*micros);
    let (shortest, longest) = (
        samples(Repetition::PERIOD_US.start()),
        samples(Repetition::PERIOD_US.end()),
    );
    let window = samples(&Repetition::WINDOW_US);
    pitch(before, window, shortest..=longest).map_or(longest, |pitch| pitch.lag)
}

/// The same of a sound so short that half of it must do for the comparison; none if it is hardly like itself.
fn short_period(rate: Rate, before: &[i16]) -> Option<usize> {
    let half = before.len() / 2;
    let shortest = rate.samples_in_us(*Repetition::PERIOD_US.start());
    pitch(before, before.len() - half, shortest..=half)
        .filter(|pitch| pitch.likeness > Repetition::IN_PITCH)
        .map(|pitch| pitch.lag)
}

/// At which of `lags` the last `window` samples are most like those before them.
fn pitch(before: &[i16], window: usize, lags: RangeInclusive<usize>) -> Option<Pitch> {
    let earlier = |lag: usize| {
        let end = before.len().saturating_sub(lag);
        before
            .get(end.saturating_sub(window)..end)
            .unwrap_or_default()
    };
    Pitch::search(lags, |lag| likeness(earlier(0), earlier(lag)))
}

/// By how much the sample after the end would miss its predecessor, a period earlier, if the period were simply repeated.
fn step(heard: &[f32], period: usize) -> f32 {
    let last = heard.last().copied().unwrap_or_default();
    let before = heard.iter().rev().nth(period).copied();
    before.map_or(0.0, |before| last - before)
}
