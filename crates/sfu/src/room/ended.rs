use std::time::Instant;

use crate::Ending;
use crate::view::{Phase, RoomView};

/// After the session: nobody can join any more; what it looked like at the end stays to be seen.
#[derive(Debug)]
pub(super) struct Ended {
    view: RoomView,
}

impl Ended {
    pub(super) fn new(now: Instant, last: &RoomView, ending: Ending) -> Self {
        let since = match last.phase {
            Phase::Open { since } => since,
            Phase::Waiting | Phase::Ended { .. } => now,
        };
        let at = match ending {
            Ending::Disconnected => now,
            // V15: a room that emptied ended when the last person went, not when that was noticed.
            Ending::Empty { since } => since,
        };
        let phase = Phase::Ended { since, at, ending };
        Self {
            view: RoomView {
                phase,
                people: last.people,
                speaker: None,
            },
        }
    }

    pub(super) fn view(&self) -> &RoomView {
        &self.view
    }
}
