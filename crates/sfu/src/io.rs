use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use housecall_browser::OfferRefused;

use crate::{PatientSeat, PhoneSound, Seat};

/// One peer connection or phone of a room, named for as long as the room lives. A seat has at most one at a time.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PeerId(pub(crate) u64);

/// What the world tells a room.
#[derive(Debug)]
pub enum Input {
    /// A datagram arrived for one of the room's peers.
    Datagram {
        /// Whose it is, by its source address or by [`stun_ufrag`](housecall_browser::stun_ufrag).
        peer: PeerId,
        /// Its source address.
        from: SocketAddr,
        /// The whole datagram.
        bytes: BytesMut,
    },
    /// A phone says something.
    Phone {
        /// Which phone.
        peer: PeerId,
        /// What it says.
        sound: PhoneSound,
    },
    /// A phone hung up, or was lost.
    HungUp {
        /// Which phone.
        peer: PeerId,
    },
}

/// What a room asks of the world, or tells it.
#[derive(Debug)]
pub enum Output {
    /// Send this datagram.
    Send {
        /// Where to.
        to: SocketAddr,
        /// The whole datagram.
        bytes: Bytes,
    },
    /// Datagrams from this address belong to this peer from now on.
    AddressProved {
        /// Whose address it is.
        peer: PeerId,
        /// The address.
        addr: SocketAddr,
    },
    /// Let a phone hear this.
    Phone {
        /// Which phone.
        peer: PeerId,
        /// What it hears, in the form that it takes.
        sound: PhoneSound,
    },
    /// This peer is no more; forget its fragment and its addresses. A phone that has not hung up itself is to be hung up.
    PeerGone {
        /// Which peer.
        peer: PeerId,
        /// Whose it was.
        seat: Seat,
        /// Why it went.
        why: Gone,
    },
    /// Something that a meter must know.
    Fact(Fact),
    /// [`Room::view`](crate::Room::view) shows something else than before.
    Changed,
}

/// Why a peer connection, or a phone's part in a room, ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gone {
    /// Another page of the same person took the seat (V9), or their phone (V13).
    Evicted,
    /// The person left, hung up, was sent back to the waiting room or was removed.
    Left,
    /// The connection never came up, fell silent, or the page closed it without a word.
    Lost,
    /// The room ended.
    RoomEnded,
}

/// What a meter is told. Between `PractitionerJoined` and `Ended`, in the order of events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fact {
    /// The practitioner joined for the first time; the session begins (V7).
    PractitionerJoined,
    /// The practitioner let this patient in.
    PatientAdmitted(PatientSeat),
    /// This person's page is connected: media can flow.
    Connected(Seat),
    /// The media of a connected page can flow no longer.
    Left(Seat),
    /// This patient is here by phone (V13). A page of theirs that was connected has left.
    PhoneJoined(PatientSeat),
    /// They are here by phone no more.
    PhoneLeft(PatientSeat),
    /// The session is over.
    Ended(Ending),
}

/// Why a room ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// The practitioner disconnected, for everyone (V8).
    Disconnected,
    /// Nobody was in it for five minutes; it counts as ended at the last departure (V15).
    Empty {
        /// The last departure.
        since: Instant,
    },
}

/// What a person's own controls say, for the others to see; kept while they are away (V9).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PeerState {
    /// The microphone is off.
    pub muted: bool,
    /// The camera is off.
    pub camera_off: bool,
}

/// A seat taken: what its page needs, and what the demultiplexer needs.
#[derive(Debug)]
pub struct Joined {
    /// Names the connection in inputs and outputs.
    pub peer: PeerId,
    /// The fragment by which the browser's STUN requests name it.
    pub ufrag: String,
    /// The SDP answer.
    pub answer: String,
}

/// Why somebody cannot join. The words are for the log; whose move it is, is in the variant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinRefused {
    /// The patient must wait until the practitioner joins.
    #[error("the practitioner has not joined yet")]
    NotOpenYet,
    /// The patient must wait until the practitioner lets them in.
    #[error("the practitioner has not let this patient in")]
    NotAdmitted,
    /// It is too late.
    #[error("the room has ended")]
    Ended,
    /// The page must send another offer.
    #[error(transparent)]
    Offer(#[from] OfferRefused),
}

/// The caller asked at the wrong moment; nothing happened.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} while {state}")]
pub struct WrongMoment {
    /// What was asked.
    pub action: &'static str,
    /// What was the case.
    pub state: &'static str,
}
