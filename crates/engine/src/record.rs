//! What is kept of a call and of a visit once it has ended (P5, C1).

use housecall_meter::{AccountId, SessionId};
pub use housecall_phone::RawCause;

use crate::ports::WallMillis;

/// Who takes part, as the embedding program names them: opaque here.
pub type PartyRef = String;

/// One ended phone call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallRecord {
    /// The call; also the session of its credits.
    pub session: SessionId,
    /// Whose credits paid.
    pub account: AccountId,
    /// The appointment it belonged to, if any.
    pub appointment: Option<PartyRef>,
    /// On whose behalf it was made.
    pub practitioner: PartyRef,
    /// Who clicked Call.
    pub caller: PartyRef,
    /// Who was rung.
    pub recipient: PartyRef,
    /// The number called from, E.164.
    pub from_number: String,
    /// The number rung, E.164.
    pub to_number: String,
    /// How it ended, one of the names of `phone::Outcome` in snake case.
    pub outcome: String,
    /// The same in words.
    pub words: String,
    /// Which side ended it.
    pub ended_by: EndedBy,
    /// What the network said about the end, as it said it. Escape it where it is shown.
    pub cause: RawCause,
    /// When Call was clicked.
    pub started: WallMillis,
    /// When it was answered.
    pub answered: Option<WallMillis>,
    /// When it ended.
    pub ended: WallMillis,
    /// From answer to end, hold included (M2).
    pub talk_ms: u64,
    /// The part of it spent on hold.
    pub hold_ms: u64,
    /// The part of it in which they had put us on hold.
    pub held_by_them_ms: u64,
    /// Whether its sound was secured by SRTP as far as the trunk; none if no sound was agreed.
    pub encrypted: Option<bool>,
    /// What it cost.
    pub credits: u64,
    /// Packets, loss and jitter of what was heard, if it was answered.
    pub quality: Option<Quality>,
}

/// Which side ended a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndedBy {
    /// The practice.
    Us,
    /// The person called, or the network.
    Them,
}

impl EndedBy {
    /// Returns the name that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Them => "them",
        }
    }
}

/// What the sound of a leg was like.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quality {
    /// Packets heard from the far end.
    pub packets_received: u64,
    /// Packets that never came.
    pub packets_lost: u64,
    /// Mean deviation of arrival, in milliseconds (RFC 3550 §6.4.1).
    pub jitter_ms: u32,
}

/// One ended visit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VisitRecord {
    /// The visit; also the session of its credits.
    pub session: SessionId,
    /// Whose credits paid.
    pub account: AccountId,
    /// The appointment that was held.
    pub appointment: PartyRef,
    /// Who held it.
    pub practitioner: PartyRef,
    /// When the practitioner clicked Join.
    pub started: WallMillis,
    /// When it ended.
    pub ended: WallMillis,
    /// From Join to Disconnect, on the clock of charges.
    pub elapsed_ms: u64,
    /// Why it ended, in words.
    pub words: String,
    /// What it cost.
    pub credits: u64,
    /// The patients, in seat order.
    pub patients: Vec<VisitPatient>,
}

/// One patient's part in a visit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VisitPatient {
    /// Seat 1, 2 or 3.
    pub seat: u8,
    /// Who sat there.
    pub patient: PartyRef,
    /// True when admitted at least once (M4).
    pub admitted: bool,
    /// Time connected, in milliseconds.
    pub connected_ms: u64,
    /// The credits for this patient.
    pub credits: u64,
}
