use std::time::Instant;

use housecall_media::Pace;

/// Whether the moments of one direction's frames pass unused, since what comes goes straight through.
#[derive(Debug, Default)]
pub(super) struct Rest {
    is_on: bool,
}

impl Rest {
    /// When the next frame is due; none in a rest, as long as nothing has happened (`may_go_on`).
    pub(super) fn next(&self, pace: &Pace, may_go_on: bool) -> Option<Instant> {
        (!(self.is_on && may_go_on)).then(|| pace.next())
    }

    /// Begins, goes on or ends. Returns how many moments have passed in it.
    pub(super) fn set(&mut self, now: Instant, is_on: bool, pace: &mut Pace) -> u32 {
        match std::mem::replace(&mut self.is_on, is_on) {
            true => pace.skip(now),
            false => 0,
        }
    }
}
