//! What the journal holds.

use std::fmt;

use crate::TariffId;
use crate::{AccountId, Booked, Credits, Fact, Millis, OldGrid, Patient, Person, SessionId};

/// One entry of the journal: a movement of credits, the reason for it, and a key that is used once for ever (M12).
///
/// The postings sum to zero. An entry without postings moves nothing: it keeps a fact that the price will depend on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transaction {
    /// Unique for ever: the same key means the same entry, however often it is sent.
    pub key: Key,
    /// What sort of movement this is.
    pub kind: Kind,
    /// The session it belongs to; none for credits given to a practice.
    pub session: Option<SessionId>,
    /// The practice whose accounts it moves.
    pub account: AccountId,
    /// When, in the session's own time; zero outside sessions.
    pub at: Millis,
    /// The tariff that priced it, pinned when the session started (M6); none outside sessions.
    pub tariff: Option<TariffId>,
    /// What made it: with these a session is replayed to the same number (M10).
    pub cause: Cause,
    /// The movements, no account twice, none of them zero.
    pub postings: Vec<Posting>,
    /// True when the journal refuses it unless `Available` covers it (M7); otherwise that may go below zero (M8).
    pub must_be_covered: bool,
}

impl Transaction {
    /// Gives credits to a practice: a purchase, or a gift. The key is the caller's, for instance an order number.
    pub fn grant(
        order: &str,
        account: AccountId,
        credits: Credits,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            key: Key(format!("grant/{order}")),
            kind: Kind::Grant,
            session: None,
            account,
            at: Millis::ZERO,
            tariff: None,
            cause: Cause::Granted {
                reason: reason.into(),
            },
            postings: movement(Account::Issued, Account::Available, credits),
            must_be_covered: false,
        }
    }

    /// Returns what the entry adds to one account; negative when it takes.
    pub fn posted(&self, account: Account) -> i64 {
        self.postings
            .iter()
            .filter(|posting| posting.account == account)
            .map(|posting| posting.delta)
            .sum()
    }

    /// Returns the credits that it takes from `Available`, zero when it takes none.
    pub fn needed(&self) -> Credits {
        Credits(self.posted(Account::Available).min(0).unsigned_abs())
    }

    /// Returns whether the postings sum to zero, as those of every entry must.
    pub fn is_balanced(&self) -> bool {
        self.postings
            .iter()
            .map(|posting| i128::from(posting.delta))
            .sum::<i128>()
            == 0
    }
}

/// Postings that move credits from one account to another; none at all for zero credits.
pub(crate) fn movement(from: Account, to: Account, credits: Credits) -> Vec<Posting> {
    if credits == Credits::ZERO {
        return Vec::new();
    }
    vec![
        Posting {
            account: from,
            delta: -credits.posted(),
        },
        Posting {
            account: to,
            delta: credits.posted(),
        },
    ]
}

/// The name of a journal entry, unique for ever: `{session}/reserve/0`, `{session}/end`, `grant/{order}`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key(pub String);

impl Key {
    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The accounts that each practice has.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Account {
    /// Where granted credits come from: minus everything ever granted.
    Issued,
    /// Free to spend.
    Available,
    /// Set aside for sessions in progress (M7).
    Reserved,
    /// Spent.
    Earned,
}

impl Account {
    /// Every account, in the order of its name in a report.
    pub const ALL: [Self; 4] = [Self::Issued, Self::Available, Self::Reserved, Self::Earned];

    /// Returns the name that a journal stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Earned => "earned",
        }
    }

    /// Returns the account of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|account| account.as_str() == name)
    }
}

/// One line of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// What is added to it; negative when taken.
    pub delta: i64,
}

/// What sort of movement an entry is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Credits come to a practice: Issued → Available.
    Grant,
    /// The first reservation of a session, which must be covered (M7): Available → Reserved.
    Reserve,
    /// More blocks, or an unbooked patient: Available → Reserved, which may take the balance below zero (M8).
    Extend,
    /// Nothing moves: a fact that the price depends on.
    Evidence,
    /// The end of a session that cost something: Reserved → Earned, the rest → Available.
    Settle,
    /// The end of a session that cost nothing (P7): Reserved → Available.
    Release,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Grant,
        Self::Reserve,
        Self::Extend,
        Self::Evidence,
        Self::Settle,
        Self::Release,
    ];

    /// Returns the name that a journal stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Reserve => "reserve",
            Self::Extend => "extend",
            Self::Evidence => "evidence",
            Self::Settle => "settle",
            Self::Release => "release",
        }
    }

    /// Returns the kind of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns whether this ends a session.
    pub fn ends_session(self) -> bool {
        matches!(self, Self::Settle | Self::Release)
    }
}

/// What made an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// Credits were given.
    Granted {
        /// In words.
        reason: String,
    },
    /// A session started.
    Opened {
        /// For how many people.
        booked: Booked,
        /// What it reopens, if the tariff asks (M5).
        reopens: Option<OldGrid>,
    },
    /// A block began.
    BlockBegan,
    /// Something happened in the session.
    Heard(Fact),
}

/// The text that a journal stores; [`Cause::parse`] reads it back.
impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted { reason } => write!(out, "granted {reason}"),
            Self::Opened { booked, reopens } => {
                write!(out, "opened {}", booked.count())?;
                reopens.map_or(Ok(()), |old| write!(out, " reopens {old}"))
            }
            Self::BlockBegan => out.write_str("block began"),
            Self::Heard(fact) => fact.fmt(out),
        }
    }
}

impl Cause {
    /// Returns the cause that a journal stored as text.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("granted", reason) => Some(Self::Granted {
                reason: reason.to_owned(),
            }),
            ("opened", opening) => Self::parse_opening(opening),
            ("block", "began") => Some(Self::BlockBegan),
            _ => Fact::parse(text).map(Self::Heard),
        }
    }

    fn parse_opening(text: &str) -> Option<Self> {
        let (booked, reopens) = match text.split_once(" reopens ") {
            Some((booked, old)) => (booked, Some(OldGrid::parse(old)?)),
            None => (text, None),
        };
        let booked = Booked::new(booked.parse().ok()?)?;
        Some(Self::Opened { booked, reopens })
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PatientAdmitted(patient) => write!(out, "admitted {}", patient.seat()),
            Self::Joined(person) => write!(out, "joined {person}"),
            Self::Left(person) => write!(out, "left {person}"),
            Self::PhoneAnswered(patient) => write!(out, "phone-answered {}", patient.seat()),
            Self::PhoneHungUp(patient) => write!(out, "phone-hung-up {}", patient.seat()),
            Self::Answered => out.write_str("answered"),
            Self::Ended => out.write_str("ended"),
            Self::NeverAnswered => out.write_str("never answered"),
            Self::Recovered { last_evidence } => write!(out, "recovered {}", last_evidence.0),
        }
    }
}

impl Fact {
    fn parse(text: &str) -> Option<Self> {
        let patient = |seat: &str| Patient::from_seat(seat.parse().ok()?);
        match text.split_once(' ').unwrap_or((text, "")) {
            ("admitted", seat) => patient(seat).map(Self::PatientAdmitted),
            ("joined", person) => Person::parse(person).map(Self::Joined),
            ("left", person) => Person::parse(person).map(Self::Left),
            ("phone-answered", seat) => patient(seat).map(Self::PhoneAnswered),
            ("phone-hung-up", seat) => patient(seat).map(Self::PhoneHungUp),
            ("answered", "") => Some(Self::Answered),
            ("ended", "") => Some(Self::Ended),
            ("never", "answered") => Some(Self::NeverAnswered),
            ("recovered", millis) => Some(Self::Recovered {
                last_evidence: Millis(millis.parse().ok()?),
            }),
            _ => None,
        }
    }
}
