//! Why the journal has an entry.

use std::fmt;

use crate::text::{Word, Words};
use crate::{
    AccountId, Booked, Date, Fact, Key, MessageFact, Millis, OldGrid, OrderId, Patient, Person,
    SubscriptionId,
};

/// What made an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// Credits were bought or given, in a journal of before there were [`Cause::Paid`] and [`Cause::Given`], or to try something out.
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
    /// Credits were paid for (M13).
    Paid {
        /// What names the payment where it was made: a receipt, a transfer, a provider's number.
        reference: String,
        /// Who says so: a member of staff, or a payment provider.
        by: String,
        /// The order that it pays; none of a payment that nobody had ordered, or in a journal of before this was written down.
        order: Option<OrderId>,
    },
    /// Credits were given for nothing.
    Given {
        /// In words.
        reason: String,
    },
    /// A debt was forgiven.
    Forgiven {
        /// Who ordered it.
        by: String,
        /// In words.
        reason: String,
    },
    /// An earlier entry was wrong, wholly or in part (M12).
    Corrected {
        /// Its key.
        of: Key,
        /// Who ordered it.
        by: String,
        /// In words.
        reason: String,
    },
    /// Credits went to, or came from, another holder of the practice (M13).
    Transferred {
        /// The other one.
        with: AccountId,
        /// Who ordered it.
        by: String,
    },
    /// Something happened to a text message (R1).
    Message(MessageFact),
    /// A month of a number began (N1).
    Month {
        /// Of which number.
        subscription: SubscriptionId,
        /// 0 for the first.
        number: u32,
        /// Its first day.
        from: Date,
    },
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
            Self::Paid {
                reference,
                by,
                order: None,
            } => write!(out, "paid {} {reference}", Word(by)),
            Self::Paid {
                reference,
                by,
                order: Some(order),
            } => {
                let order = Word(order.as_str());
                write!(out, "paid-order {order} {} {reference}", Word(by))
            }
            Self::Given { reason } => write!(out, "given {reason}"),
            Self::Forgiven { by, reason } => write!(out, "forgiven {} {reason}", Word(by)),
            Self::Corrected { of, by, reason } => {
                write!(out, "corrected {} {} {reason}", Word(of.as_str()), Word(by))
            }
            Self::Transferred { with, by } => {
                write!(out, "transferred {} {by}", Word(with.as_str()))
            }
            Self::Message(fact) => write!(out, "message {fact}"),
            Self::Month {
                subscription,
                number,
                from,
            } => write!(out, "month {number} {from} {subscription}"),
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
            ("given", reason) => Some(Self::Given {
                reason: reason.to_owned(),
            }),
            ("message", fact) => MessageFact::parse(fact).map(Self::Message),
            ("month", month) => Self::parse_month(month),
            ("paid" | "paid-order" | "forgiven" | "corrected" | "transferred", _) => {
                Self::parse_order(text)
            }
            _ => Fact::parse(text).map(Self::Heard),
        }
    }

    /// What somebody ordered.
    fn parse_order(text: &str) -> Option<Self> {
        let mut words = Words::of(text);
        match words.stored()? {
            "paid" => Some(Self::Paid {
                order: None,
                by: words.word()?,
                reference: words.rest()?,
            }),
            "paid-order" => Some(Self::Paid {
                order: Some(OrderId::new(words.word()?)),
                by: words.word()?,
                reference: words.rest()?,
            }),
            "forgiven" => Some(Self::Forgiven {
                by: words.word()?,
                reason: words.rest()?,
            }),
            "corrected" => Some(Self::Corrected {
                of: Key(words.word()?),
                by: words.word()?,
                reason: words.rest()?,
            }),
            "transferred" => Some(Self::Transferred {
                with: AccountId::new(words.word()?),
                by: words.rest()?,
            }),
            _ => None,
        }
    }

    fn parse_month(text: &str) -> Option<Self> {
        let mut words = Words::of(text);
        Some(Self::Month {
            number: words.number()?,
            from: Date::parse(words.stored()?)?,
            subscription: SubscriptionId::new(words.rest()?),
        })
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

impl Cause {
    /// Returns what happened, in words for a person.
    pub fn words(&self) -> String {
        match self {
            Self::Granted { reason } => reason.clone(),
            Self::Opened { .. } => "reserved before it began".to_owned(),
            Self::BlockBegan => "more time began".to_owned(),
            Self::Heard(fact) => fact.words(),
            Self::Paid { reference, by, .. } => format!("paid, {reference}, says {by}"),
            Self::Given { reason } => format!("given: {reason}"),
            Self::Forgiven { by, reason } => format!("a debt was forgiven by {by}: {reason}"),
            Self::Corrected { by, reason, .. } => format!("corrected by {by}: {reason}"),
            Self::Transferred { with, by } => format!("transferred by {by}, the other is {with}"),
            Self::Message(fact) => fact.words(),
            Self::Month {
                subscription, from, ..
            } => format!("number {subscription}, the month from {from}"),
        }
    }

    /// Returns whether such an entry belongs to a session (M10); nothing else may change what a session costs.
    pub fn is_of_session(&self) -> bool {
        matches!(
            self,
            Self::Opened { .. } | Self::BlockBegan | Self::Heard(_)
        )
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
