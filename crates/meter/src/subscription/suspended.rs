//! The number does not work until the month that is owed is paid.

use super::active::Active;
use super::months::Months;
use super::state::State;
use crate::Date;
use crate::text::Words;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Suspended {
    pub(super) months: Months,
}

impl Suspended {
    /// Months that passed in the meantime are not charged; the one that it is in will be.
    pub(super) fn paid(self, today: Date) -> State {
        State::Active(Active {
            months: self.months.paid().without_those_over(today),
        })
    }

    pub(super) fn parse(words: &mut Words<'_>) -> Option<Self> {
        Some(Self {
            months: Months::parse(words)?,
        })
    }
}
