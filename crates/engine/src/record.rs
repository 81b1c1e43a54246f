//! What is kept of a call and of a visit once it has ended (P5, C1).

pub use housecall_media::quality::{Class, Rating, Timeline};
use housecall_meter::{AccountId, SessionId};
pub use housecall_phone::RawCause;

use crate::encryption::Encryption;
use crate::ports::WallMillis;

/// Who takes part, as the embedding program names them: opaque here.
pub type PartyRef = String;

/// One ended phone call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallRecord {
    /// The call; also the session of its credits, unless it is a part of a visit.
    pub session: SessionId,
    /// The visit that it was a part of, and whose session paid for it (M9): then it cost nothing by itself.
    pub visit: Option<SessionId>,
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
    /// How its sound was protected as far as the trunk; none if no sound was agreed.
    pub encryption: Option<Encryption>,
    /// What it cost.
    pub credits: u64,
    /// What the sound was like, if it was answered.
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

/// What the sound of a call was like.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Quality {
    /// Packets heard from the far end.
    pub packets_received: u64,
    /// Packets that never came.
    pub packets_lost: u64,
    /// Mean deviation of arrival, in milliseconds (RFC 3550 §6.4.1).
    pub jitter_ms: u32,
    /// The last round trip between browser and phone, in milliseconds, as far as it was measured; none if it was not.
    pub round_trip_ms: Option<u32>,
    /// What the caller heard. None for calls recorded before this was judged, and for those over within a second.
    pub heard: Option<Judged>,
    /// What the person called heard, as far as it can be known here.
    pub sent: Option<Judged>,
}

/// One direction of a call's sound, judged each second from the answer on, holds and mutes left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Judged {
    /// The mean rating, 0 to 100: R of the E-model (ITU-T G.107).
    pub rating: u8,
    /// The mean rating of the worst minute.
    pub worst_minute: u8,
    /// Seconds in which it was good.
    pub good_s: u32,
    /// Seconds in which it was fair.
    pub fair_s: u32,
    /// Seconds in which it was poor.
    pub poor_s: u32,
    /// Packets lost, of 10 000: on the way to us, and for what is sent also beyond, as the far end reports.
    pub lost_per_10k: u32,
    /// The part of the sound that was made up because nothing came in time, of 10 000.
    pub concealed_per_10k: u32,
    /// The mean over the seconds, in milliseconds (RFC 3550 §6.4.1).
    pub jitter_ms: u32,
    /// The ratings over time.
    pub timeline: Timeline,
}

impl Judged {
    /// The whole in a word: the mean's, but no better than fair if a tenth of it was poor.
    #[must_use]
    pub fn class(&self) -> Class {
        let of_mean = Class::of(Rating::new(self.rating.into()));
        let seconds = self
            .good_s
            .saturating_add(self.fair_s)
            .saturating_add(self.poor_s);
        if self.poor_s.saturating_mul(10) >= seconds.max(1) {
            of_mean.min(Class::Fair)
        } else {
            of_mean
        }
    }

    /// The opinion that people would have of the mean, 1 to 4.5 (MOS-CQE).
    #[must_use]
    pub fn opinion_score(&self) -> f64 {
        Rating::new(self.rating.into()).opinion_score()
    }
}

impl Quality {
    /// The worse of the two directions in a word; none if neither was judged.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        let both = [&self.heard, &self.sent];
        both.into_iter().flatten().map(Judged::class).min()
    }
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
    /// Time connected, by page or by phone, in milliseconds.
    pub connected_ms: u64,
    /// The part of it by phone (V13).
    pub by_phone_ms: u64,
    /// The credits for this patient.
    pub credits: u64,
}
