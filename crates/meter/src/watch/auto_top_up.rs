//! Credits that order themselves.

use std::fmt;

use crate::text::Words;
use crate::{Balance, Credits, Date, Money};

/// When credits are ordered without being asked for, and how many (M13).
///
/// One order for each crossing, and no other while its payment is waited for. If it fails, or if the balance is low even with it, the next order
/// waits for the next crossing: nobody's card is tried again and again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AutoTopUp {
    /// The balance that orders when it is reached, or fallen below.
    pub at: Balance,
    /// What is ordered.
    pub credits: Credits,
    /// What that costs.
    pub price: Money,
    /// How many orders a day at most.
    pub orders_a_day_max: u32,
    /// How many credits a day at most.
    pub credits_a_day_max: Credits,
}

impl AutoTopUp {
    /// A rule of at most two orders a day: one may be wrong, a third is no accident.
    pub fn new(at: Balance, credits: Credits, price: Money) -> Self {
        Self {
            at,
            credits,
            price,
            orders_a_day_max: 2,
            credits_a_day_max: credits.times(2),
        }
    }

    /// `10/100/2500-AUD/2/200`.
    pub(super) fn stored(&self) -> String {
        let Self {
            at,
            credits,
            price,
            orders_a_day_max,
            credits_a_day_max,
        } = self;
        let (credits, sum) = (credits.0, credits_a_day_max.0);
        format!("{at}/{credits}/{price}/{orders_a_day_max}/{sum}")
    }

    /// Reads what [`AutoTopUp::stored`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let rule = Self {
            at: Balance(parts.next()?.parse().ok()?),
            credits: Credits(parts.next()?.parse().ok()?),
            price: Money::parse(parts.next()?)?,
            orders_a_day_max: parts.next()?.parse().ok()?,
            credits_a_day_max: Credits(parts.next()?.parse().ok()?),
        };
        parts.next().is_none().then_some(rule)
    }
}

/// What was ordered today.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Today {
    day: Option<Date>,
    orders: u32,
    credits: Credits,
}

impl Today {
    /// What was ordered on a day. One that is over does not come back: a clock that steps orders nothing twice.
    pub(super) fn on(self, today: Date) -> Self {
        match self.day >= Some(today) {
            true => self,
            false => Self {
                day: Some(today),
                ..Self::default()
            },
        }
    }

    /// The same with one order more; none if that is more than the rule allows.
    pub(super) fn with_order(self, rule: &AutoTopUp) -> Option<Self> {
        let more = Self {
            orders: self.orders.saturating_add(1),
            credits: self.credits + rule.credits,
            ..self
        };
        let is_allowed =
            more.orders <= rule.orders_a_day_max && more.credits <= rule.credits_a_day_max;
        is_allowed.then_some(more)
    }

    pub(super) fn parse(words: &mut Words<'_>) -> Option<Self> {
        Some(Self {
            day: match words.stored()? {
                "-" => None,
                day => Some(Date::parse(day)?),
            },
            orders: words.number()?,
            credits: Credits(words.number()?),
        })
    }
}

/// `2026-11-28 1 100`.
impl fmt::Display for Today {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.day {
            Some(day) => write!(out, "{day} ")?,
            None => out.write_str("- ")?,
        }
        write!(out, "{} {}", self.orders, self.credits.0)
    }
}
