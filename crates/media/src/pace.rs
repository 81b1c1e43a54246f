use std::time::{Duration, Instant};

use crate::FRAME_MS;

/// When the next frame is due. Deadlines are absolute, so that being woken late now does not make the next frame late.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    next: Instant,
    step_ms: u64,
}

/// Frames that are due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Due {
    /// The moment of the first frame to make now; the others follow a step apart.
    pub first: Instant,
    /// Frames whose moment has passed unheard, longer ago than can be caught up with. They come first.
    pub missed: u32,
    /// Frames to make now.
    pub frames: u32,
}

impl Due {
    /// When each frame was due, `step` apart: what was late to be made is not late to be heard.
    pub fn moments(self, step: Duration) -> impl Iterator<Item = Instant> {
        (0..self.frames).map(move |n| self.first + step * n)
    }
}

impl Pace {
    /// A burst of more than this would arrive as a burst, and be heard as delay from then on.
    const CATCH_UP_MS: u64 = 3 * FRAME_MS;
    /// How much sooner than its moment a frame should be possible: what packets of an even network come apart.
    const SPARE_US: i64 = 5_000;
    /// What is near enough to that.
    const NEAR_US: i64 = 1_000;
    /// How far the moments move in a frame.
    const FOLLOWS_BY: Duration = Duration::from_millis(1);
    /// How far apart frames are made at least.
    const APART: Duration = Duration::from_millis(2);

    /// A frame every 20 ms.
    pub fn new(now: Instant) -> Self {
        Self {
            next: now + Duration::from_millis(FRAME_MS),
            step_ms: FRAME_MS,
        }
    }

    /// When the next frame is due.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// How long its frames are, in milliseconds.
    pub fn step_ms(&self) -> u64 {
        self.step_ms
    }

    /// The same as a duration.
    pub fn step(&self) -> Duration {
        Duration::from_millis(self.step_ms)
    }

    /// Moves its moments to where the packets that they are made of are just there, by little at a time, so that nobody takes it for jitter:
    /// `spare_us` is how much sooner the last frame could have been made.
    pub fn follow(&mut self, spare_us: i64) {
        let off_us = spare_us - Self::SPARE_US;
        let by = Duration::from_micros(off_us.unsigned_abs()).min(Self::FOLLOWS_BY);
        if off_us > Self::NEAR_US {
            self.next = self.next.checked_sub(by).unwrap_or(self.next);
        } else if off_us < -Self::NEAR_US {
            self.next += by;
        }
    }

    /// The moment of the next frame, if that may be made `now`: not more than it, and not with the one before.
    pub fn near(&self, now: Instant) -> Option<Instant> {
        let left = self.next.saturating_duration_since(now);
        (left + Self::APART <= self.step()).then_some(self.next)
    }

    /// Makes frames of which whole ones fill a packet: of 20 ms, else of 10.
    pub fn fit(&mut self, packet_ms: u64) {
        self.step_ms = if packet_ms.is_multiple_of(FRAME_MS) {
            FRAME_MS
        } else {
            FRAME_MS / 2
        };
    }

    /// Takes the frames that are due at `now`.
    pub fn due(&mut self, now: Instant) -> Due {
        let begin = self.next;
        let passed = self.skip(now);
        let frames = passed.min((Self::CATCH_UP_MS / self.step_ms) as u32);
        let missed = passed - frames;
        Due {
            first: begin + self.step() * missed,
            missed,
            frames,
        }
    }

    /// Lets the moments pass that have come by `now`, and makes nothing. Returns how many they were.
    pub fn skip(&mut self, now: Instant) -> u32 {
        let Some(late) = now.checked_duration_since(self.next) else {
            return 0;
        };
        let step = self.step();
        let passed = u32::try_from(late.as_micros() / step.as_micros()).unwrap_or(u32::MAX - 1) + 1;
        self.next += step * passed;
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Missed and made, and when the first of these was due, in milliseconds.
    fn due(pace: &mut Pace, start: Instant, ms: u64) -> (u32, u32, u128) {
        let due = pace.due(start + Duration::from_millis(ms));
        (due.missed, due.frames, (due.first - start).as_millis())
    }

    #[test]
    fn moments_that_are_let_pass_leave_the_next_where_it_was() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(start);
        assert_eq!((pace.skip(at(19)), pace.next()), (0, at(20)));
        assert_eq!((pace.skip(at(119)), pace.next()), (5, at(120)));
        assert_eq!(due(&mut pace, start, 120), (0, 1, 120));
    }

    #[test]
    fn frames_are_due_every_20_ms_however_late_we_are_woken() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(due(&mut pace, start, 19), (0, 0, 20));
        assert_eq!(due(&mut pace, start, 27), (0, 1, 20));
        assert_eq!(pace.next(), start + Duration::from_millis(40));
        assert_eq!(due(&mut pace, start, 61), (0, 2, 40));
        assert_eq!(due(&mut pace, start, 1_080), (48, 3, 1_040));
        assert_eq!(pace.next(), start + Duration::from_millis(1_100));
    }

    #[test]
    fn packets_of_30_ms_are_made_of_frames_of_10() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(start);
        pace.fit(30);
        let frames: u32 = (1..=10).map(|n| pace.due(at(10 * n)).frames).sum();
        assert_eq!((frames, pace.step_ms(), pace.next()), (9, 10, at(110)));
        pace.fit(60);
        assert_eq!(pace.due(at(110)).frames, 1);
        assert_eq!((pace.step_ms(), pace.next()), (20, at(130)));
    }

    #[test]
    fn moments_move_to_the_packets_by_a_millisecond_a_frame_and_stay() {
        for spare_us in [-15_000, 4_500, 5_500, 19_000] {
            let start = Instant::now();
            let mut pace = Pace::new(start);
            let mut left_us = spare_us;
            for _ in 0..40 {
                let before = pace.next();
                let due = pace.due(before);
                assert_eq!(due.moments(pace.step()).count(), 1);
                pace.follow(left_us);
                let moved_us = (pace.next() - before).as_micros() as i64 - 20_000;
                assert!(moved_us.abs() <= 1_000);
                left_us += moved_us;
            }
            assert!(
                (4_000..=6_000).contains(&left_us),
                "{left_us} of {spare_us}"
            );
        }
    }
}
