//! Why a session costs what it does.

use std::fmt;

use crate::{Bill, Fact, Millis, TariffId};

/// Who was connected when, and which rule made which block (M10).
///
/// Displayed, it is some lines of plain text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The tariff that was pinned at the start (M6).
    pub tariff: TariffId,
    /// Everything that happened and that the price may depend on, in order.
    pub timeline: Vec<(Millis, Fact)>,
    /// The price.
    pub bill: Bill,
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "tariff {}", self.tariff)?;
        for (at, fact) in &self.timeline {
            writeln!(out, "{:>12}  {}", at.to_string(), Told(*fact))?;
        }
        for line in self.bill.lines() {
            writeln!(out, "{:>12}  {line}", line.credits().0)?;
        }
        write!(out, "{:>12}  in all", self.bill.total().0)
    }
}

/// A fact in words for a person.
struct Told(Fact);

impl fmt::Display for Told {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::Person::{Patient, Practitioner};
        match self.0 {
            Fact::PatientAdmitted(patient) => {
                write!(out, "patient {} was admitted", patient.seat())
            }
            Fact::Joined(Practitioner) => out.write_str("the practitioner came back"),
            Fact::Joined(Patient(patient)) => {
                write!(out, "patient {} was connected", patient.seat())
            }
            Fact::Left(Practitioner) => out.write_str("the practitioner was gone"),
            Fact::Left(Patient(patient)) => write!(out, "patient {} was gone", patient.seat()),
            Fact::PhoneAnswered(patient) => {
                write!(out, "patient {} answered the phone", patient.seat())
            }
            Fact::PhoneHungUp(patient) => {
                write!(out, "patient {}'s phone call ended", patient.seat())
            }
            Fact::Answered => out.write_str("the call was answered"),
            Fact::Ended => out.write_str("it ended"),
            Fact::NeverAnswered => out.write_str("nobody answered"),
            Fact::Recovered { last_evidence } => {
                write!(
                    out,
                    "it ended at {last_evidence} with the program, by its last sign of life (M11)"
                )
            }
        }
    }
}
