//! Whether a subscription is what its charges in the journal say.

use std::collections::BTreeMap;

use super::Subscription;
use super::state::State;
use crate::Date;

impl Subscription {
    /// Returns the number of the first month in which this and the journal disagree; none if they agree.
    ///
    /// `charged` has the first day of each month that the journal has charged. A month that was paid for or passed over is charged, unless the number
    /// was suspended for one before and nobody paid since, which `was_suspended` tells by that one's number.
    pub fn disagrees_in(
        &self,
        charged: &BTreeMap<u32, Date>,
        was_suspended: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let first = charged.keys().next().copied();
        let months = match &self.state {
            State::Requested(_) | State::UnderReview(_) | State::Approved(_) => return first,
            // It no longer knows.
            State::Released(_) => return None,
            State::Active(active) => active.months,
            State::PastDue(past_due) => past_due.months,
            State::Suspended(suspended) => suspended.months,
        };
        let is_wrong = |(number, from): &(&u32, &Date)| {
            **number >= months.next() || months.begins(**number) != Some(**from)
        };
        if let Some((number, _)) = charged.iter().find(is_wrong) {
            return Some(*number);
        }
        // Every gap begins behind a month that was owed while the number was suspended, and then paid.
        let ends = charged.keys().copied().chain([months.next()]);
        let mut expected = 0;
        for number in ends {
            let is_gap = number > expected;
            let owed = expected.checked_sub(1);
            if is_gap && !owed.is_some_and(&was_suspended) {
                return Some(expected);
            }
            expected = number.saturating_add(1);
        }
        None
    }
}
