use crate::{FRAME_MS, Frame, Rate};

/// What one participant adds to the mix.
#[derive(Clone, Debug)]
pub(super) struct Place {
    present: bool,
    /// Of this tick, faded where somebody came or went.
    sound: Frame,
}

impl Place {
    /// Long enough to be no click, short enough to be no part of a word.
    const FADE_MS: u64 = 5;

    pub(super) const fn new() -> Self {
        Self {
            present: false,
            sound: Frame::silence(Rate::Narrow, 0),
        }
    }

    pub(super) fn take(&mut self, voice: Option<Frame>) {
        let present = voice.is_some();
        self.sound = match (voice, self.present) {
            (Some(voice), true) => voice,
            (Some(voice), false) => faded_in(voice),
            (None, true) => faded_out(&self.sound),
            (None, false) => Frame::silence(self.sound.rate(), 0),
        };
        self.present = present;
    }

    pub(super) fn sound(&self) -> &[i16] {
        &self.sound
    }
}

fn faded_in(mut voice: Frame) -> Frame {
    let fade = voice.rate().samples(Place::FADE_MS);
    for (at, sample) in voice.iter_mut().take(fade).enumerate() {
        *sample = part(*sample, at, fade);
    }
    voice
}

/// What was heard last, backwards, so that it begins where the sound ended.
fn faded_out(last: &Frame) -> Frame {
    let fade = last.rate().samples(Place::FADE_MS);
    let mut rest = Frame::silence(last.rate(), FRAME_MS);
    let backwards = last.iter().rev().take(fade).enumerate();
    for (out, (at, sample)) in rest.iter_mut().zip(backwards) {
        *out = part(*sample, fade - at, fade);
    }
    rest
}

/// `part` of `whole` of a sample; never louder than it.
fn part(sample: i16, part: usize, whole: usize) -> i16 {
    (i64::from(sample) * part as i64 / whole.max(1) as i64) as i16
}
