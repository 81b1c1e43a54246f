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
    /// Frames whose moment has passed unheard, longer ago than can be caught up with. They come first.
    pub missed: u32,
    /// Frames to make now.
    pub frames: u32,
}

impl Pace {
    /// A burst of more than this would arrive as a burst, and be heard as delay from then on.
    const CATCH_UP_MS: u64 = 3 * FRAME_MS;

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
        let Some(late) = now.checked_duration_since(self.next) else {
            return Due {
                missed: 0,
                frames: 0,
            };
        };
        let step = self.step();
        let whole = u32::try_from(late.as_micros() / step.as_micros()).unwrap_or(u32::MAX - 1) + 1;
        self.next += step * whole;
        let frames = whole.min((Self::CATCH_UP_MS / self.step_ms) as u32);
        Due {
            missed: whole - frames,
            frames,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_due_every_20_ms_however_late_we_are_woken() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(start);
        assert_eq!(
            pace.due(at(19)),
            Due {
                missed: 0,
                frames: 0
            }
        );
        assert_eq!(
            pace.due(at(27)),
            Due {
                missed: 0,
                frames: 1
            }
        );
        assert_eq!(pace.next(), at(40));
        assert_eq!(
            pace.due(at(61)),
            Due {
                missed: 0,
                frames: 2
            }
        );
        assert_eq!(
            pace.due(at(1_080)),
            Due {
                missed: 48,
                frames: 3
            }
        );
        assert_eq!(pace.next(), at(1_100));
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
}
