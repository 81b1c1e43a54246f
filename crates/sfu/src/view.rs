use std::time::Instant;

use crate::{Ending, PeerState, Seat};

/// What a room looks like from outside: who is where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoomView {
    /// How far the room is.
    pub phase: Phase,
    /// The practitioner, then the patients.
    pub people: [PersonView; 4],
    /// Who speaks, or spoke last; none before anybody has, and after they have gone (V11).
    pub speaker: Option<Seat>,
}

/// How far a room is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// The practitioner has not joined yet.
    Waiting,
    /// The session runs.
    Open {
        /// When the practitioner joined.
        since: Instant,
    },
    /// The session is over.
    Ended {
        /// When the practitioner had joined.
        since: Instant,
        /// When it ended.
        at: Instant,
        /// Why.
        ending: Ending,
    },
}

/// One seat, seen from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PersonView {
    /// Which seat.
    pub seat: Seat,
    /// Where its person is.
    pub place: Place,
    /// Media can flow to and from them.
    pub connected: bool,
    /// They are on their phone: heard, and not seen (V13).
    pub by_phone: bool,
    /// What their controls say.
    pub state: PeerState,
}

/// Where a person is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Has not come.
    Absent,
    /// In the waiting room, where nobody is seen or heard (V10).
    Waiting {
        /// Since when.
        since: Instant,
    },
    /// Let in: connected, or about to connect for the first time.
    InRoom,
    /// Was connected, dropped off, and may come back.
    Reconnecting,
    /// Left by their own choice; may come back (V8).
    Left,
}

impl PersonView {
    pub(crate) fn away(seat: Seat, place: Place) -> Self {
        Self {
            seat,
            place,
            connected: false,
            by_phone: false,
            state: PeerState::default(),
        }
    }
}
