use crate::AudioLevel;

/// Whether somebody speaks, by how loud each 20 ms of theirs are: at once when they begin, and through the pauses between words.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Activity {
    /// Frames of silence that still count as speech.
    left: u8,
}

impl Activity {
    /// Frames of silence after which somebody has stopped speaking: 400 ms, longer than the stop in a word or between two of them.
    pub const HANG_OVER_FRAMES: u8 = 20;

    /// Nobody speaks.
    pub const fn new() -> Self {
        Self { left: 0 }
    }

    /// Takes the level of the next 20 ms.
    pub fn heard(&mut self, level: AudioLevel) {
        self.left = if level.voice {
            Self::HANG_OVER_FRAMES
        } else {
            self.left.saturating_sub(1)
        };
    }

    /// Whether somebody speaks.
    pub fn speaks(&self) -> bool {
        self.left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sine;

    #[test]
    fn a_pause_between_words_is_speech_and_a_longer_one_is_not() {
        let (word, pause) = (
            AudioLevel::of(&Sine::new(440.0, -30.0).frame()),
            AudioLevel::SILENCE,
        );
        let mut activity = Activity::new();
        activity.heard(pause);
        assert!(!activity.speaks());
        for _word in 0..3 {
            activity.heard(word);
            for _frame in 1..Activity::HANG_OVER_FRAMES {
                activity.heard(pause);
                assert!(activity.speaks());
            }
        }
        activity.heard(pause);
        assert!(!activity.speaks());
    }

    #[test]
    fn the_noise_of_a_quiet_room_is_no_speech() {
        let mut activity = Activity::new();
        activity.heard(AudioLevel::of(&Sine::new(100.0, -60.0).frame()));
        assert!(!activity.speaks());
    }
}
