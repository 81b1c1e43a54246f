use std::time::Duration;

use super::timeline::Drawing;
use super::{Class, Rating, Smoothing, Timeline, Verdict};

/// One direction of a call, judged once a second from the answer to the end.
#[derive(Clone, Debug, Default)]
pub struct Direction {
    smoothing: Smoothing,
    whole: Mean,
    minute: Mean,
    worst_minute: Option<Rating>,
    /// By class, worst first.
    seconds: [u32; 3],
    jitter_sum: Duration,
    drawing: Drawing,
}

/// What one second was like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Second {
    /// As rated, not smoothed.
    pub rating: Rating,
    /// How unevenly packets came (RFC 3550 §6.4.1).
    pub jitter: Duration,
}

/// What a direction was like as a whole, for the record of the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The mean of all seconds.
    pub rating: Rating,
    /// The mean of the worst minute; of the whole, if it was shorter.
    pub worst_minute: Rating,
    /// Seconds in which it was poor, fair and good.
    pub seconds: [u32; 3],
    /// The mean of all seconds.
    pub jitter: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    seconds: u32,
}

impl Direction {
    const MINUTE: u32 = 60;
    /// A minute that the end cuts short says something from here on.
    const MINUTE_SECONDS_MIN: u32 = 10;

    /// Takes a second; none if nothing was expected to sound in it. Returns how it sounds now, unless that.
    pub fn second(&mut self, second: Option<Second>) -> Option<Verdict> {
        self.drawing.second(second.map(|second| second.rating));
        let Second { rating, jitter } = second?;
        let verdict = self.smoothing.second(rating);
        let of_class = Class::ALL.iter().zip(&mut self.seconds);
        for (_, seconds) in of_class.filter(|(class, _)| **class == verdict.class) {
            *seconds += 1;
        }
        self.jitter_sum += jitter;
        self.whole.add(rating);
        self.minute.add(rating);
        if self.minute.seconds == Self::MINUTE {
            self.worst_minute = self.worst_with_minute();
            self.minute = Mean::default();
        }
        Some(verdict)
    }

    /// How it sounded last; none before the first judged second.
    pub fn verdict(&self) -> Option<Verdict> {
        self.smoothing.verdict()
    }

    /// What it was like so far; none if no second was judged.
    pub fn summary(&self) -> Option<Summary> {
        let rating = self.whole.rating()?;
        let worst_minute = if self.minute.seconds >= Self::MINUTE_SECONDS_MIN {
            self.worst_with_minute()
        } else {
            self.worst_minute
        };
        Some(Summary {
            rating,
            worst_minute: worst_minute.unwrap_or(rating),
            seconds: self.seconds,
            jitter: self.jitter_sum / self.whole.seconds,
        })
    }

    /// The ratings so far.
    pub fn timeline(&self) -> &Timeline {
        self.drawing.timeline()
    }

    fn worst_with_minute(&self) -> Option<Rating> {
        let minutes = [self.worst_minute, self.minute.rating()];
        minutes
            .into_iter()
            .flatten()
            .min_by(|a, b| a.value().total_cmp(&b.value()))
    }
}

impl Summary {
    /// The part of the time in a class, 0 to 1.
    pub fn share(&self, class: Class) -> f64 {
        let all: u32 = self.seconds.iter().sum();
        let of_class = Class::ALL.iter().zip(self.seconds);
        let seconds = of_class
            .filter(|(each, _)| **each == class)
            .map(|(_, seconds)| seconds);
        f64::from(seconds.sum::<u32>()) / f64::from(all.max(1))
    }
}

impl Mean {
    fn add(&mut self, rating: Rating) {
        self.sum += rating.value();
        self.seconds += 1;
    }

    fn rating(self) -> Option<Rating> {
        (self.seconds > 0).then(|| Rating::new(self.sum / f64::from(self.seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(ratings: &[(Option<f64>, u32)]) -> Direction {
        let mut direction = Direction::default();
        for (rating, seconds) in ratings {
            for _ in 0..*seconds {
                direction.second(rating.map(|r| Second {
                    rating: Rating::new(r),
                    jitter: Duration::from_millis(4),
                }));
            }
        }
        direction
    }

    #[test]
    fn a_call_that_nobody_judged_has_no_summary() {
        assert_eq!(judged(&[(None, 100)]).summary(), None);
        assert_eq!(judged(&[(None, 100)]).verdict(), None);
    }

    #[test]
    fn the_worst_minute_is_found_and_a_hold_is_no_part_of_it() {
        let direction = judged(&[
            (Some(90.0), 90),
            (None, 600),
            (Some(50.0), 30),
            (Some(90.0), 60),
        ]);
        let summary = direction.summary().unwrap();
        assert_eq!(summary.worst_minute.value(), 70.0);
        assert!((summary.rating.value() - (90.0 * 150.0 + 50.0 * 30.0) / 180.0).abs() < 1e-9);
        assert_eq!(summary.jitter, Duration::from_millis(4));
        assert_eq!(summary.seconds.iter().sum::<u32>(), 180);
        let shares: f64 = Class::ALL.iter().map(|class| summary.share(*class)).sum();
        assert!((shares - 1.0).abs() < 1e-9);
        assert!(summary.share(Class::Poor) >= 30.0 / 180.0);
    }

    #[test]
    fn a_minute_cut_short_counts_from_ten_seconds_on() {
        let worst = |seconds| {
            let direction = judged(&[(Some(90.0), 60), (Some(30.0), seconds)]);
            direction.summary().unwrap().worst_minute.value()
        };
        assert_eq!((worst(9), worst(10)), (90.0, 30.0));
        assert_eq!(
            judged(&[(Some(70.0), 3)])
                .summary()
                .unwrap()
                .worst_minute
                .value(),
            70.0
        );
    }
}
