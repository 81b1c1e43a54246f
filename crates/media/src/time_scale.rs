use std::ops::RangeInclusive;

use crate::Rate;
use crate::pitch::{Pitch, likeness};
use crate::tape::Tape;

/// Plays a sound a little faster or slower without changing its pitch, by leaving out or repeating one pitch period at a time (WSOLA).
///
/// In what can hardly be heard any stretch will do, so that the wish is met exactly.
#[derive(Clone, Debug)]
pub(crate) struct TimeScale {
    rate: Rate,
    /// Samples to be played before sound is changed again.
    rest: usize,
}

/// What a change of a sound would do.
#[derive(Clone, Copy, Debug)]
enum Change {
    Shrink,
    Stretch,
}

impl TimeScale {
    /// The pitch periods that are left out or repeated.
    const PERIOD_US: RangeInclusive<u32> = 2_500..=15_000;
    /// Over which two places of the sound melt into each other.
    const OVERLAP_US: u32 = 5_000;
    /// How much of the past is compared besides.
    const WINDOW_US: u32 = 10_000;
    /// One pitch period in so long at most.
    const EVERY_US: u32 = 100_000;
    /// Below this root mean square, nothing is heard of a change: -45 dBFS.
    const QUIET_RMS: f32 = 130.0;
    /// Less than this is not worth a change even there.
    const QUIET_WISH_US: u32 = 1_000;
    /// The most that is changed there at once.
    const QUIET_CHANGE_US: u32 = 10_000;
    /// How alike the two places must be, by how much is wished for: the more there is to do, the less choosy.
    const LIKENESS: f32 = 0.8;
    const LIKENESS_URGENT: f32 = 0.4;
    const URGENT_US: u32 = 60_000;

    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, rest: 0 }
    }

    /// The samples that must be ready for every change to be possible.
    pub(crate) fn lookahead(&self) -> usize {
        self.samples(Self::OVERLAP_US) + self.samples(*Self::PERIOD_US.end())
    }

    /// Lets `samples` be played.
    pub(crate) fn played(&mut self, samples: usize) {
        self.rest = self.rest.saturating_sub(samples);
    }

    /// Whether now is the time to leave out `wish` samples, or to put in as many if negative.
    pub(crate) fn wants(&self, wish: i64, tape: &Tape) -> bool {
        let is_worth = |micros| wish.unsigned_abs() >= self.samples(micros) as u64;
        let in_sound = self.rest == 0 && is_worth(*Self::PERIOD_US.start());
        in_sound || is_worth(Self::QUIET_WISH_US) && self.is_quiet(tape)
    }

    /// Leaves out up to `wish` samples of what is played next, or puts in at least one period if `wish` is negative.
    ///
    /// Returns how many were left out (negative: put in); 0 if the sound does not allow it here.
    pub(crate) fn change(&mut self, wish: i64, tape: &mut Tape) -> i64 {
        let change = if wish < 0 {
            Change::Stretch
        } else {
            Change::Shrink
        };
        let size = usize::try_from(wish.unsigned_abs()).unwrap_or(usize::MAX);
        let lag = if self.is_quiet(tape) {
            Some(size.min(self.samples(Self::QUIET_CHANGE_US)))
        } else {
            self.rest = self.samples(Self::EVERY_US);
            self.period(change, size, tape)
        };
        let changed = lag
            .and_then(|lag| self.splice(change, lag, tape))
            .unwrap_or(0);
        i64::try_from(changed).unwrap_or(0) * wish.signum()
    }

    fn is_quiet(&self, tape: &Tape) -> bool {
        let next = tape.ready().get(..self.lookahead()).unwrap_or(tape.ready());
        let around = tape
            .played(self.samples(Self::WINDOW_US))
            .iter()
            .chain(next);
        let (energy, count) = around.fold((0.0, 0), |(energy, count), sample| {
            (energy + f32::from(*sample) * f32::from(*sample), count + 1)
        });
        energy <= Self::QUIET_RMS * Self::QUIET_RMS * count as f32
    }

    /// The period of the sound here, if it has one, and it is no longer than what may be left out.
    fn period(&self, change: Change, size: usize, tape: &Tape) -> Option<usize> {
        let longest = self.samples(*Self::PERIOD_US.end());
        let longest = match change {
            Change::Shrink => longest
                .min(size)
                .min(tape.ready().len().saturating_sub(self.overlap())),
            Change::Stretch => {
                longest.min(tape.played(usize::MAX).len().saturating_sub(self.window()))
            }
        };
        let shortest = self.samples(*Self::PERIOD_US.start());
        let pitch = Pitch::search(shortest..=longest, |lag| self.likeness(change, lag, tape))?;
        let urgent = size > self.samples(Self::URGENT_US);
        let enough = if urgent {
            Self::LIKENESS_URGENT
        } else {
            Self::LIKENESS
        };
        (pitch.likeness >= enough).then_some(pitch.lag)
    }

    /// How alike the sound is around here and around the place that it would go on from.
    fn likeness(&self, change: Change, lag: usize, tape: &Tape) -> f32 {
        let (back, on) = (self.window() as isize, self.overlap() as isize);
        let lag = match change {
            Change::Shrink => lag as isize,
            Change::Stretch => -(lag as isize),
        };
        let here = tape.around(-back, on);
        let there = tape.around(lag - back, lag + on);
        match (here, there) {
            (Some(here), Some(there)) => likeness(here, there),
            _ => 0.0,
        }
    }

    /// Goes on from `lag` samples later or earlier; the two melt into each other.
    fn splice(&self, change: Change, lag: usize, tape: &mut Tape) -> Option<usize> {
        let on = self.overlap() as isize;
        let lag = lag as isize;
        match change {
            Change::Shrink => {
                let melted = melt(tape.around(0, on)?, tape.around(lag, lag + on)?);
                tape.leave_out(lag.unsigned_abs(), &melted);
            }
            Change::Stretch => {
                let on = on.min(lag);
                let mut again = melt(tape.around(0, on)?, tape.around(-lag, on - lag)?);
                again.extend(tape.around(on - lag, 0)?);
                tape.put_in(&again);
            }
        }
        Some(lag.unsigned_abs())
    }

    fn window(&self) -> usize {
        self.samples(Self::WINDOW_US)
    }

    fn overlap(&self) -> usize {
        self.samples(Self::OVERLAP_US)
    }

    fn samples(&self, micros: u32) -> usize {
        self.rate.samples_in_us(micros)
    }
}

/// From one sound into another.
fn melt(from: &[i16], to: &[i16]) -> Vec<i16> {
    let whole = i32::try_from(from.len())
        .unwrap_or(i32::MAX)
        .saturating_add(1);
    let mixed = from.iter().zip(to).zip(1..).map(|((from, to), part)| {
        let sum = i32::from(*from) * (whole - part) + i32::from(*to) * part;
        i16::try_from(sum / whole).unwrap_or_default()
    });
    mixed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sine;

    /// A second of sound, of which the first half was played.
    fn tape(rate: Rate, mut sample: impl FnMut() -> i16) -> Tape {
        let half = rate.hertz() as usize / 2;
        let mut tape = Tape::new(half);
        tape.tail().extend((0..half).map(|_| sample()));
        tape.play(&mut vec![0; half]);
        tape.tail().extend((0..half).map(|_| sample()));
        tape
    }

    #[test]
    fn a_voice_is_changed_by_whole_periods_up_to_what_is_wished() {
        for rate in [Rate::Narrow, Rate::Wide] {
            let mut sine = Sine::new(150.0 * 8_000.0 / rate.hertz() as f32, -6.0);
            let mut tape = tape(rate, || sine.sample() as i16);
            let (mut scale, before) = (TimeScale::new(rate), tape.ready().len());
            let period = i64::from(rate.hertz()) / 150;
            let wish = i64::from(rate.hertz()) / 100;
            let out = scale.change(wish, &mut tape);
            assert!((out - period).abs() <= 1, "{out} for {period}");
            assert!(!scale.wants(wish, &tape), "not twice in 100 ms");
            scale.played(rate.hertz() as usize / 10);
            assert!(scale.wants(-wish, &tape));
            let back = scale.change(-wish, &mut tape);
            assert!(
                (back + period).abs() <= 1 || (back + 2 * period).abs() <= 1,
                "{back}"
            );
            assert_eq!(tape.ready().len() as i64, before as i64 - out - back);
            assert_eq!(
                scale.change(period / 2, &mut tape),
                0,
                "less than a period is no period"
            );
        }
    }

    #[test]
    fn in_quiet_the_wish_is_met_exactly() {
        let mut random = 1_u32;
        let mut tape = tape(Rate::Narrow, || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 26) as i16
        });
        let mut scale = TimeScale::new(Rate::Narrow);
        assert_eq!(scale.change(23, &mut tape), 23);
        assert_eq!(scale.change(-37, &mut tape), -37);
        assert_eq!(scale.change(5_000, &mut tape), 80);
        assert!(!scale.wants(5, &tape));
    }

    #[test]
    fn a_rustle_is_left_alone_until_it_is_urgent() {
        let mut random = 1_u32;
        let mut tape = tape(Rate::Narrow, || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) as i16
        });
        let mut scale = TimeScale::new(Rate::Narrow);
        assert_eq!(scale.change(80, &mut tape), 0);
        assert_eq!(scale.change(-80, &mut tape), 0);
        assert_eq!(scale.change(80, &mut Tape::new(480)), 0);
    }
}
