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
            writeln!(out, "{:>12}  {}", at.to_string(), fact.words())?;
        }
        for line in self.bill.lines() {
            writeln!(out, "{:>12}  {line}", line.credits().0)?;
        }
        write!(out, "{:>12}  in all", self.bill.total().0)
    }
}

impl Fact {
    /// Returns what happened, in words for a person: `patient 1 was admitted`.
    pub fn words(self) -> String {
        use crate::Person::{Patient, Practitioner};
        match self {
            Self::PatientAdmitted(patient) => format!("patient {} was admitted", patient.seat()),
            Self::Joined(Practitioner) => "the practitioner came back".to_owned(),
            Self::Joined(Patient(patient)) => format!("patient {} was connected", patient.seat()),
            Self::Left(Practitioner) => "the practitioner was gone".to_owned(),
            Self::Left(Patient(patient)) => format!("patient {} was gone", patient.seat()),
            Self::PhoneAnswered(patient) => {
                format!("patient {} answered the phone", patient.seat())
            }
            Self::PhoneHungUp(patient) => {
                format!("the call of patient {} was over", patient.seat())
            }
            Self::Answered => "the call was answered".to_owned(),
            Self::Ended => "it ended".to_owned(),
            Self::NeverAnswered => "nobody answered".to_owned(),
            Self::Recovered { last_evidence } => {
                format!(
                    "it ended at {last_evidence}, the last sign of life before the program stopped (M11)"
                )
            }
        }
    }
}
