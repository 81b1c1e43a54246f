use std::time::{Duration, Instant};

/// The wish for a key frame of one publisher: whoever wishes, the camera is asked at most every [`INTERVAL`].
#[derive(Debug, Default)]
pub(crate) struct Keyframes {
    wish: Option<Wish>,
    asked: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Wish {
    tries: u8,
}

/// Each request costs a frame several times as large as others, so viewers' requests are merged.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);
/// A camera that is off answers nobody; whoever still waits when it comes on wishes anew.
const TRIES_MAX: u8 = 20;

impl Keyframes {
    /// Somebody cannot go on without a key frame.
    pub(crate) fn wish(&mut self) {
        self.wish.get_or_insert(Wish { tries: 0 });
    }

    /// A key frame has come.
    pub(crate) fn fulfil(&mut self) {
        self.wish = None;
    }

    /// When to ask again; `None` if nobody wishes, or nothing was asked yet.
    pub(crate) fn due_again(&self) -> Option<Instant> {
        self.wish.and(self.asked).map(|asked| asked + INTERVAL)
    }

    /// True if the camera is to be asked now; it counts as asked then.
    pub(crate) fn ask(&mut self, now: Instant) -> bool {
        if self.wish.is_none() || self.due_again().is_some_and(|due| due > now) {
            return false;
        }
        self.asked = Some(now);
        self.wish = self
            .wish
            .map(|wish| Wish {
                tries: wish.tries + 1,
            })
            .filter(|wish| wish.tries < TRIES_MAX);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_merged_and_repeated_until_fulfilled() {
        let start = Instant::now();
        let mut keyframes = Keyframes::default();
        assert!(!keyframes.ask(start));
        keyframes.wish();
        keyframes.wish();
        assert!(keyframes.ask(start));
        keyframes.wish();
        assert!(!keyframes.ask(start + INTERVAL / 2), "too soon");
        assert!(keyframes.ask(start + INTERVAL), "no key frame came");
        keyframes.fulfil();
        assert!(!keyframes.ask(start + INTERVAL * 2));
        assert_eq!(keyframes.due_again(), None);
    }

    #[test]
    fn a_camera_that_is_off_is_left_alone() {
        let start = Instant::now();
        let mut keyframes = Keyframes::default();
        keyframes.wish();
        let asked = (0..100)
            .filter(|step| keyframes.ask(start + INTERVAL * *step))
            .count();
        assert_eq!(asked, usize::from(TRIES_MAX));
    }
}
