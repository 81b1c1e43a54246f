//! Who pays, what for, and for whom.

use std::fmt;

/// Names that the embedding program gives, compared and kept as they are.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(String);

        impl $name {
            /// Makes one of a name.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// Returns the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// The account holder that pays: a practice, as the embedding program names it, or one of its practitioners
    /// ([`AccountId::practitioner`]).
    AccountId;
    /// One metered session: a visit or a phone call. Never used twice, since journal keys begin with it.
    SessionId;
    /// One text message. Never used twice, since journal keys name it.
    MessageId;
    /// The subscription of one dedicated number (N1). Never used twice.
    SubscriptionId;
    /// One order of credits. Never used twice.
    OrderId;
    /// One outward event, unique for ever: whoever receives it twice knows it again.
    EventKey;
}

impl AccountId {
    /// Names the account of a practitioner in the practice whose account this is.
    pub fn practitioner(&self, name: &str) -> Self {
        Self(format!("{}/{name}", self.practice()))
    }

    /// Returns the name of the practice: all before the first `/`.
    pub fn practice(&self) -> &str {
        self.0
            .split_once('/')
            .map_or(self.as_str(), |(practice, _)| practice)
    }
}

/// One of the at most three patients of a visit (V2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Patient {
    /// The patient of seat 1.
    One,
    /// The patient of seat 2.
    Two,
    /// The patient of seat 3.
    Three,
}

impl Patient {
    /// Every patient, in seat order.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// Returns the patient of a seat number from 1 to 3.
    pub fn from_seat(seat: u8) -> Option<Self> {
        match seat {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            3 => Some(Self::Three),
            _ => None,
        }
    }

    /// Returns this patient's of what is kept for each seat.
    pub(crate) fn of<T>(self, seats: &[T; 3]) -> &T {
        let [one, two, three] = seats;
        match self {
            Self::One => one,
            Self::Two => two,
            Self::Three => three,
        }
    }

    /// As [`Patient::of`], to be changed.
    pub(crate) fn of_mut<T>(self, seats: &mut [T; 3]) -> &mut T {
        let [one, two, three] = seats;
        match self {
            Self::One => one,
            Self::Two => two,
            Self::Three => three,
        }
    }

    /// Returns the seat number, from 1 to 3.
    pub fn seat(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// Whoever is in a visit.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Person {
    /// Who opened it.
    Practitioner,
    /// Who was let in.
    Patient(Patient),
}

impl Person {
    /// Returns the name that a journal stores: `practitioner`, or the number of a patient's seat.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "practitioner" => Some(Self::Practitioner),
            seat => Patient::from_seat(seat.parse().ok()?).map(Self::Patient),
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Practitioner => out.write_str("practitioner"),
            Self::Patient(patient) => write!(out, "{}", patient.seat()),
        }
    }
}

/// How many patients a session was booked for: from 1 to 3 (V2). A phone call is booked for one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Booked(u8);

impl Booked {
    /// One patient, or the person rung.
    pub const ONE: Self = Self(1);

    /// Returns the number of patients booked, or nothing outside 1 to 3.
    pub fn new(patients: u8) -> Option<Self> {
        (1..=3).contains(&patients).then_some(Self(patients))
    }

    /// Returns the number of patients.
    pub fn count(self) -> u8 {
        self.0
    }
}
