//! What a session costs, line by line.

use std::fmt;

use crate::{Credits, Millis, Patient};

/// The price of a session and the rule behind each part of it (M10).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Bill {
    lines: Vec<Line>,
}

/// Blocks, one after another, that one patient pays alike.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Line {
    /// Whose blocks they are. In a phone call that is [`Patient::One`].
    pub patient: Patient,
    /// Where the first of them begins.
    pub from: Millis,
    /// Where the last of them ends. The session may end before.
    pub to: Millis,
    /// How many there are, at least one.
    pub blocks: u64,
    /// What each costs.
    pub each: Credits,
    /// Why.
    pub rule: Rule,
}

/// Why a block costs what it does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rule {
    /// The patient was admitted: every block from Join to Disconnect (M4).
    Admitted,
    /// The patient and the practitioner were connected together in the block (M5).
    Attended,
    /// More minutes by phone began in the block than it costs otherwise (M9).
    PhoneMinutes,
    /// A started minute of a phone call (M2).
    Call,
}

impl Bill {
    pub(crate) fn new(lines: Vec<Line>) -> Self {
        Self { lines }
    }

    /// Returns its lines, by patient and then by time.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the sum.
    pub fn total(&self) -> Credits {
        self.lines.iter().map(Line::credits).sum()
    }

    /// Returns the part of the sum that one patient makes.
    pub fn total_of(&self, patient: Patient) -> Credits {
        let lines = self.lines.iter().filter(|line| line.patient == patient);
        lines.map(Line::credits).sum()
    }
}

impl Line {
    /// Returns what these blocks cost together.
    pub fn credits(&self) -> Credits {
        self.each.times(self.blocks)
    }
}

/// `0:00 to 60:00, patient 1: 4 blocks, 2 credits each, 8 credits: admitted (M4)`.
impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.rule, self.blocks) {
            (Rule::Call, 1) => "minute",
            (Rule::Call, _) => "minutes",
            (_, 1) => "block",
            (_, _) => "blocks",
        };
        write!(out, "{} to {}, ", self.from, self.to)?;
        if self.rule != Rule::Call {
            write!(out, "patient {}: ", self.patient.seat())?;
        }
        write!(out, "{} {what}, {} each, ", self.blocks, self.each)?;
        write!(out, "{}: {}", self.credits(), self.rule)
    }
}

impl Rule {
    /// Returns the rule in words for whoever pays.
    pub fn words(self) -> &'static str {
        match self {
            Self::Admitted => "admitted, so every block from Join to Disconnect counts",
            Self::Attended => "connected together with the practitioner",
            Self::PhoneMinutes => "minutes by phone, which are more than the block's price",
            Self::Call => "started minutes from the answer, hold included",
        }
    }

    /// Returns the name that the product's rulebook gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admitted => "M4",
            Self::Attended => "M5",
            Self::PhoneMinutes => "M9",
            Self::Call => "M2",
        }
    }
}

/// Its words, and its name in brackets.
impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.words(), self.name())
    }
}
