use super::line::Line;
use crate::view::{PersonView, Place};
use crate::{PeerState, Seat};

/// Somebody who may be in the room, by a page, by phone, or not now.
#[derive(Debug, Default)]
pub(super) struct Seated {
    pub(super) state: PeerState,
    pub(super) line: Option<Line>,
    pub(super) away: Away,
}

/// Why a seated person has no line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Away {
    #[default]
    NotYet,
    Lost,
    Left,
}

impl Seated {
    /// Gives the seat a new line and returns the one it replaces.
    pub(super) fn sit(&mut self, line: Line) -> Option<Line> {
        if let Line::Phone(_) = line {
            // Nothing that a page said of its microphone is true of the phone.
            self.state = PeerState {
                muted: false,
                camera_off: true,
            };
        }
        let before = self.line.replace(line);
        if before.as_ref().is_some_and(Line::is_up) {
            self.away = Away::Lost;
        }
        before
    }

    pub(super) fn view(&self, seat: Seat) -> PersonView {
        PersonView {
            seat,
            place: self.place(),
            connected: self.line.as_ref().is_some_and(Line::is_up),
            by_phone: matches!(self.line, Some(Line::Phone(_))),
            state: self.state,
        }
    }

    fn place(&self) -> Place {
        match (&self.line, self.away) {
            (Some(line), Away::Lost) if !line.is_up() => Place::Reconnecting,
            (Some(_), _) | (None, Away::NotYet) => Place::InRoom,
            (None, Away::Lost) => Place::Reconnecting,
            (None, Away::Left) => Place::Left,
        }
    }
}
