//! Why a session costs what it does.

use std::fmt;

use crate::{Account, Bill, Cause, Credits, Fact, Key, Millis, TariffId, Transaction};

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
    /// What changed the charge after it was settled, in order (M12).
    pub corrections: Vec<Corrected>,
}

/// A correction of a session's charge, or of one of its corrections (M12).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Corrected {
    /// What it corrects.
    pub of: Key,
    /// What it adds to the charge; below zero when it gives back.
    pub delta: i64,
    /// Who ordered it.
    pub by: String,
    /// In words.
    pub reason: String,
}

impl Explanation {
    /// Returns what the session costs, corrections included.
    pub fn total(&self) -> Credits {
        let deltas = self.corrections.iter().map(|correction| correction.delta);
        let total = deltas.fold(self.bill.total().posted(), i64::saturating_add);
        Credits(total.max(0).unsigned_abs())
    }
}

impl Corrected {
    /// What a correction says of itself; none of another entry.
    pub(crate) fn told(entry: &Transaction) -> Option<Self> {
        let Cause::Corrected { of, by, reason } = &entry.cause else {
            return None;
        };
        Some(Self {
            of: of.clone(),
            delta: entry.posted(Account::Earned),
            by: by.clone(),
            reason: reason.clone(),
        })
    }
}

/// `given back, says Ada: a wrong number (M12)`.
impl fmt::Display for Corrected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.delta < 0 {
            true => "given back",
            false => "charged again",
        };
        write!(out, "{what}, says {}: {} (M12)", self.by, self.reason)
    }
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
        for correction in &self.corrections {
            writeln!(out, "{:>12}  {correction}", correction.delta)?;
        }
        write!(out, "{:>12}  in all", self.total().0)
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
