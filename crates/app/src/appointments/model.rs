//! An appointment: when, where, with whom.

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::ids::{AppointmentId, PatientId, UserId};
use crate::when;

/// No appointment is longer than 12 hours: the tables refuse it too.
pub const MINUTES_MAX: i64 = 12 * 60;

/// A booked appointment.
#[derive(Clone, Debug)]
pub struct Appointment {
    /// Its identity, and the name of its room.
    pub id: AppointmentId,
    /// Who holds it.
    pub practitioner: UserId,
    /// That practitioner's name.
    pub practitioner_name: String,
    /// Start, unix milliseconds.
    pub starts_ms: i64,
    /// End, unix milliseconds.
    pub ends_ms: i64,
    /// The zone it was booked in.
    pub zone: TimeZone,
    /// That zone's IANA name.
    pub zone_name: String,
    /// Where.
    pub location: Location,
    /// A few words for the calendar.
    pub title: String,
    /// True once cancelled.
    pub cancelled: bool,
    /// Who comes, by seat: there is nowhere to put a fourth (V2).
    pub patients: [Option<Participant>; 3],
}

/// Where an appointment takes place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// On video (V1).
    Telehealth,
    /// On the phone (P1).
    Phone,
    /// In a room of the clinic.
    InPerson(String),
}

/// One patient's place in an appointment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Participant {
    /// Seat 1, 2 or 3.
    pub seat: u8,
    /// Who.
    pub patient: PatientId,
    /// The patient's name.
    pub name: String,
    /// The public name of this place: `/visit/<key>`. No secret.
    pub visit_key: String,
}

/// At most three patients, none twice: the shape of V2.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Booked([Option<PatientId>; 3]);

/// Why patients cannot be booked together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BookingRefused {
    /// V2.
    #[error(
        "An appointment has room for three patients. Remove one, or book a second appointment."
    )]
    FourthPatient,
    /// The same patient twice.
    #[error("The same patient is there twice. Choose each patient once.")]
    Twice,
}

impl Booked {
    /// Seats patients in the order given.
    ///
    /// # Errors
    /// A fourth patient, or the same one twice.
    pub fn seat(patients: impl IntoIterator<Item = PatientId>) -> Result<Self, BookingRefused> {
        let mut booked = Self::default();
        for patient in patients {
            if booked.iter().any(|seated| seated == patient) {
                return Err(BookingRefused::Twice);
            }
            let free = booked
                .0
                .iter_mut()
                .find(|seat| seat.is_none())
                .ok_or(BookingRefused::FourthPatient)?;
            *free = Some(patient);
        }
        Ok(booked)
    }

    /// Returns who is booked.
    pub fn iter(&self) -> impl Iterator<Item = PatientId> + '_ {
        self.0.iter().flatten().copied()
    }
}

/// What a form asks to save.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who holds it.
    pub practitioner: UserId,
    /// Start, unix milliseconds.
    pub starts_ms: i64,
    /// End, unix milliseconds.
    pub ends_ms: i64,
    /// IANA name of the zone the times were meant in.
    pub zone_name: String,
    /// Where.
    pub location: Location,
    /// A few words for the calendar.
    pub title: String,
    /// Who comes.
    pub patients: Booked,
}

impl Location {
    /// Returns the stored name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Telehealth => "telehealth",
            Self::Phone => "phone",
            Self::InPerson(_) => "in_person",
        }
    }

    /// Returns the clinic's room, if it is in one.
    pub fn room(&self) -> Option<&str> {
        match self {
            Self::InPerson(room) => Some(room),
            Self::Telehealth | Self::Phone => None,
        }
    }

    /// Reads what is stored.
    pub fn from_stored(kind: &str, room: Option<String>) -> Self {
        match kind {
            "telehealth" => Self::Telehealth,
            "phone" => Self::Phone,
            _ => Self::InPerson(room.unwrap_or_default()),
        }
    }

    /// Returns the words a person reads.
    pub fn words(&self) -> &str {
        match self {
            Self::Telehealth => "Telehealth",
            Self::Phone => "Phone consultation",
            Self::InPerson(room) => room,
        }
    }

    /// Returns the one word a calendar has space for.
    pub fn short(&self) -> &str {
        match self {
            Self::Telehealth => "Telehealth",
            Self::Phone => "Phone",
            Self::InPerson(room) => room,
        }
    }

    /// Returns the class that colours it.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Telehealth => "video",
            Self::Phone => "phone",
            Self::InPerson(_) => "person",
        }
    }
}

impl Appointment {
    /// Returns who comes, in seat order.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.patients.iter().flatten()
    }

    /// Returns the place of a patient.
    pub fn place_of(&self, patient: PatientId) -> Option<&Participant> {
        self.participants().find(|place| place.patient == patient)
    }

    /// Returns how many patients are booked.
    pub fn booked(&self) -> u64 {
        self.patients.iter().flatten().map(|_| 1).sum()
    }

    /// Returns the booked length in minutes, a started one counted.
    pub fn minutes(&self) -> u64 {
        u64::try_from((self.ends_ms - self.starts_ms).max(0))
            .unwrap_or(0)
            .div_ceil(60_000)
    }

    /// Returns the start in the zone it was booked in.
    pub fn starts(&self) -> Zoned {
        when::zoned(self.starts_ms, &self.zone)
    }

    /// Returns the end in the zone it was booked in.
    pub fn ends(&self) -> Zoned {
        when::zoned(self.ends_ms, &self.zone)
    }

    /// `Sam and Ruth Okafor`, `Lee Park`, or the title when nobody is booked.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self
            .participants()
            .map(|place| place.name.as_str())
            .collect();
        match names.split_last() {
            None if self.title.is_empty() => "Nobody booked".to_owned(),
            None => self.title.clone(),
            Some((only, [])) => (*only).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        }
    }

    /// `Sam Okafor +1`: what a calendar has space for.
    pub fn short_names(&self) -> String {
        let mut names = self.participants().map(|place| place.name.as_str());
        match (names.next(), names.count()) {
            (None, _) => self.names(),
            (Some(first), 0) => first.to_owned(),
            (Some(first), others) => format!("{first} +{others}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v2_there_is_nowhere_to_put_a_fourth_patient() {
        let ids = |ids: &[i64]| Booked::seat(ids.iter().map(|id| PatientId(*id)));
        assert_eq!(
            ids(&[1, 2, 3])
                .unwrap()
                .iter()
                .map(|id| id.0)
                .collect::<Vec<_>>(),
            [1, 2, 3]
        );
        assert_eq!(ids(&[1, 2, 3, 4]), Err(BookingRefused::FourthPatient));
        assert_eq!(ids(&[1, 2, 1]), Err(BookingRefused::Twice));
    }
}
