//! Days on a calendar.

use std::fmt;

/// A day of the Gregorian calendar, in whatever time zone whoever made it means: of a practice, its own (N1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// 31 December 9999.
    pub const LAST: Self = Self {
        year: 9999,
        month: 12,
        day: 31,
    };

    /// Returns a day of the years 1 to 9999, or nothing if the calendar has no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// Returns the year.
    pub fn year(self) -> u16 {
        self.year
    }

    /// Returns the month, from 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// Returns the day, from 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }

    /// Returns the same day so many months later, or the month's last where it has no such day: 31 January, 28 February, 31 March. Nothing
    /// beyond the year 9999.
    pub fn months_later(self, months: u32) -> Option<Self> {
        let months = u64::from(months) + u64::from(self.year) * 12 + u64::from(self.month) - 1;
        let year = u16::try_from(months / 12).ok()?;
        let month = u8::try_from(months % 12 + 1).ok()?;
        Self::new(year, month, self.day.min(days_in(year, month)))
    }

    /// Returns how many days this is after another; zero when it is not.
    pub fn days_since(self, earlier: Self) -> u32 {
        self.number().saturating_sub(earlier.number())
    }

    /// Returns the day so many days after 1 January 1970. Nothing beyond the year 9999.
    pub fn after_1970(days: u32) -> Option<Self> {
        const BEFORE_1970: u32 = 719_162;
        let number = days.checked_add(BEFORE_1970)?;
        let first =
            |year, month| Self::new(year, month, 1).filter(|first| first.number() <= number);
        // 400 years have 146,097 days. The quotient is the year, or up to two before.
        let about = u16::try_from(u64::from(number) * 400 / 146_097).ok()?;
        let mut years = (about..=about.checked_add(2)?).rev();
        let year = years.find(|year| first(*year, 1).is_some())?;
        let month = (1..=12).rev().find_map(|month| first(year, month))?;
        let day = u8::try_from(number - month.number() + 1).ok()?;
        Self::new(year, month.month, day)
    }

    /// How many days came before it since the beginning of the year 1.
    fn number(self) -> u32 {
        let years = u32::from(self.year) - 1;
        let leap_days = years / 4 - years / 100 + years / 400;
        let months = (1..self.month).map(|month| u32::from(days_in(self.year, month)));
        years * 365 + leap_days + months.sum::<u32>() + u32::from(self.day) - 1
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let date = Self::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        (date.to_string() == text).then_some(date)
    }
}

/// `2026-01-31` (ISO 8601).
impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
