use crate::connection::Connection;
use crate::phone::PhoneLeg;
use crate::{Fact, PeerId, Seat};

/// What ties somebody to the room: their page's connection, or their phone. A seat has one or none.
#[derive(Debug)]
pub(super) enum Line {
    Browser(Box<Connection>),
    Phone(Box<PhoneLeg>),
}

impl Line {
    pub(super) fn id(&self) -> PeerId {
        match self {
            Self::Browser(connection) => connection.id,
            Self::Phone(phone) => phone.id,
        }
    }

    /// Whether sound can flow. A phone takes its seat as it answers.
    pub(super) fn is_up(&self) -> bool {
        match self {
            Self::Browser(connection) => connection.connected,
            Self::Phone(_) => true,
        }
    }

    /// What a meter hears when it goes from this seat; nothing if it was never up.
    pub(super) fn departure(&self, seat: Seat) -> Option<Fact> {
        match (self, seat) {
            (Self::Phone(_), Seat::Patient(patient)) => Some(Fact::PhoneLeft(patient)),
            _ => self.is_up().then_some(Fact::Left(seat)),
        }
    }

    pub(super) fn browser(&self) -> Option<&Connection> {
        match self {
            Self::Browser(connection) => Some(connection),
            Self::Phone(_) => None,
        }
    }

    pub(super) fn browser_mut(&mut self) -> Option<&mut Connection> {
        match self {
            Self::Browser(connection) => Some(connection),
            Self::Phone(_) => None,
        }
    }

    pub(super) fn phone(&self) -> Option<&PhoneLeg> {
        match self {
            Self::Phone(phone) => Some(phone),
            Self::Browser(_) => None,
        }
    }

    pub(super) fn phone_mut(&mut self) -> Option<&mut PhoneLeg> {
        match self {
            Self::Phone(phone) => Some(phone),
            Self::Browser(_) => None,
        }
    }
}
