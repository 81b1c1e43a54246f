//! The number works, and all months are paid up to now, or are being asked for.

use super::months::Months;
use super::past_due::PastDue;
use super::state::State;
use crate::text::Words;
use crate::{Date, News, SubscriptionId};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Active {
    pub(super) months: Months,
}

impl Active {
    pub(super) fn since(activated: Date) -> Self {
        Self {
            months: Months::since(activated),
        }
    }

    pub(super) fn paid(self) -> State {
        State::Active(Self {
            months: self.months.paid(),
        })
    }

    pub(super) fn unpaid(self, today: Date, id: &SubscriptionId) -> (State, Option<News>) {
        let news = News::PastDue {
            subscription: id.clone(),
            month: self.months.next(),
        };
        let past_due = PastDue {
            months: self.months,
            since: today,
        };
        (State::PastDue(past_due), Some(news))
    }

    pub(super) fn parse(words: &mut Words<'_>) -> Option<Self> {
        Some(Self {
            months: Months::parse(words)?,
        })
    }
}
