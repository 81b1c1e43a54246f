//! Which months are paid.

use std::fmt;

use crate::Date;
use crate::text::Words;

/// The months since an activation, of which the first ones are paid, or were not charged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Months {
    activated: Date,
    /// The first that is not.
    next: u32,
}

impl Months {
    pub(super) fn since(activated: Date) -> Self {
        Self { activated, next: 0 }
    }

    /// The number of the next month to pay.
    pub(super) fn next(self) -> u32 {
        self.next
    }

    /// When that month begins. None beyond the calendar.
    pub(super) fn due(self) -> Option<Date> {
        self.begins(self.next)
    }

    /// When a month begins. None beyond the calendar.
    pub(super) fn begins(self, number: u32) -> Option<Date> {
        self.activated.months_later(number)
    }

    /// The month to pay, if it has begun.
    pub(super) fn due_by(self, today: Date) -> Option<(u32, Date)> {
        let due = self.due().filter(|due| *due <= today)?;
        Some((self.next, due))
    }

    pub(super) fn paid(self) -> Self {
        Self {
            next: self.next.saturating_add(1),
            ..self
        }
    }

    /// Leaves out the months that were over before today.
    pub(super) fn without_those_over(self, today: Date) -> Self {
        let mut months = self;
        while months
            .paid()
            .due()
            .is_some_and(|following| following <= today)
        {
            months = months.paid();
        }
        months
    }

    pub(super) fn parse(words: &mut Words<'_>) -> Option<Self> {
        Some(Self {
            activated: Date::parse(words.stored()?)?,
            next: words.number()?,
        })
    }
}

impl fmt::Display for Months {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.activated, self.next)
    }
}
