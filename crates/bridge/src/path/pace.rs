use std::time::{Duration, Instant};

/// When the next frame is due. Deadlines are absolute, so that being woken late now does not make the next frame late.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    next: Instant,
}

/// Frames that are due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Due {
    /// Frames whose moment has passed unheard, longer ago than can be caught up with. They come first.
    pub(super) missed: u32,
    /// Frames to make now.
    pub(super) frames: u32,
}

impl Pace {
    pub(super) const FRAME: Duration = Duration::from_millis(20);
    /// A burst of more than this would arrive as a burst, and be heard as delay from then on.
    const CATCH_UP_MAX: u32 = 3;

    pub(super) fn new(now: Instant) -> Self {
        Self {
            next: now + Self::FRAME,
        }
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Takes the frames that are due at `now`.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        let Some(late) = now.checked_duration_since(self.next) else {
            return Due {
                missed: 0,
                frames: 0,
            };
        };
        let whole =
            u32::try_from(late.as_micros() / Self::FRAME.as_micros()).unwrap_or(u32::MAX - 1) + 1;
        self.next += Self::FRAME * whole;
        let frames = whole.min(Self::CATCH_UP_MAX);
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
}
