//! Identities: a row's number, and which table it is from.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A practice: the tenant whose credits pay.
    PracticeId
);
id!(
    /// A member of staff.
    UserId
);
id!(
    /// A patient.
    PatientId
);
id!(
    /// A professional contact.
    ContactId
);
id!(
    /// An appointment; also the name of its room.
    AppointmentId
);
id!(
    /// A phone number of a patient or a contact.
    PhoneNumberId
);

/// Somebody who can be rung (P1). Written `patient:12` or `contact:3` wherever it travels.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Person {
    /// A patient.
    Patient(PatientId),
    /// A professional contact.
    Contact(ContactId),
}

impl Person {
    /// Reads `patient:12` or `contact:3`.
    ///
    /// ```
    /// use housecall_app::ids::{PatientId, Person};
    /// assert_eq!(Person::parse("patient:12"), Some(Person::Patient(PatientId(12))));
    /// assert_eq!(Person::parse("patient:-1"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        let id: i64 = id.parse::<u32>().ok()?.into();
        match kind {
            "patient" => Some(Self::Patient(PatientId(id))),
            "contact" => Some(Self::Contact(ContactId(id))),
            _ => None,
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patient(id) => write!(f, "patient:{id}"),
            Self::Contact(id) => write!(f, "contact:{id}"),
        }
    }
}
