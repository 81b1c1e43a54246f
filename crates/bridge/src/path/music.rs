use housecall_media::sound::{Playback, Sound};
use housecall_media::{Frame, HoldMusic};

/// What the callee hears while held, over and over.
#[derive(Debug)]
pub(super) enum Music {
    Ours(HoldMusic),
    OfFile(Playback),
}

impl Music {
    pub(super) fn new(file: Option<&Sound>) -> Self {
        file.map_or_else(
            || Self::Ours(HoldMusic::new()),
            |sound| Self::OfFile(sound.repeat()),
        )
    }

    /// Plays on for as long as a frame is.
    pub(super) fn fill(&mut self, frame: &mut Frame) {
        match self {
            Self::Ours(music) => music.fill(frame),
            // What repeats has no end.
            Self::OfFile(playback) => {
                playback.fill(frame);
            }
        }
    }
}
