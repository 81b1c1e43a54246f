//! The number works, and its month is not paid.

use super::Subscription;
use super::active::Active;
use super::months::Months;
use super::state::State;
use super::suspended::Suspended;
use crate::text::Words;
use crate::{Date, News, SubscriptionId};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct PastDue {
    pub(super) months: Months,
    /// When the month was first refused.
    pub(super) since: Date,
}

impl PastDue {
    pub(super) fn paid(self) -> State {
        State::Active(Active {
            months: self.months.paid(),
        })
    }

    pub(super) fn unpaid(self, today: Date, id: &SubscriptionId) -> (State, Option<News>) {
        if today.days_since(self.since) < Subscription::GRACE_DAYS {
            return (State::PastDue(self), None);
        }
        let news = News::Suspended {
            subscription: id.clone(),
            month: self.months.next(),
        };
        let suspended = Suspended {
            months: self.months,
        };
        (State::Suspended(suspended), Some(news))
    }

    pub(super) fn parse(words: &mut Words<'_>) -> Option<Self> {
        Some(Self {
            months: Months::parse(words)?,
            since: Date::parse(words.stored()?)?,
        })
    }
}
