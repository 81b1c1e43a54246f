//! What it costs that a patient of a visit goes on by phone, said before their phone rings.

use crate::timeline::Timeline;
use crate::{Credits, Fact, Millis, Patient, Person, Tariff, pricing};

/// What one patient of a visit costs from a moment until another, by page and by phone (M9).
///
/// It is what the visit's own price would grow by. A call that outlasts it costs more, one that is shorter less.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PhoneEstimate {
    /// By page, as before.
    pub by_page: Credits,
    /// By phone from now on; never less, since a block is charged its price if that is more than the minutes in it.
    pub by_phone: Credits,
    /// Whole minutes that begin in that time; each is a credit as far as they are more than the block's price.
    pub minutes: u64,
}

impl PhoneEstimate {
    /// The price change: how many credits more.
    pub fn more(&self) -> Credits {
        self.by_phone - self.by_page
    }
}

impl Tariff {
    /// Returns what a patient who has been there from the start of a visit costs more, by page and by phone, from `from` to `to` in the
    /// visit's own time.
    ///
    /// The end is never before the beginning: then it is a call of one minute.
    pub fn phone_estimate(self, from: Millis, to: Millis) -> PhoneEstimate {
        let to = to.max(from.plus(Millis(1)));
        let mut timeline = Timeline::new();
        timeline.hear(Millis::ZERO, Fact::Joined(Person::Patient(Patient::One)));
        // What has begun is to be paid whatever happens.
        let begun = total(self, &timeline, from.plus(Millis(1)));
        let by_page = total(self, &timeline, to);
        timeline.hear(from, Fact::Left(Person::Patient(Patient::One)));
        timeline.hear(from, Fact::PhoneAnswered(Patient::One));
        let by_phone = total(self, &timeline, to);
        PhoneEstimate {
            by_page: by_page - begun,
            by_phone: by_phone - begun,
            minutes: Tariff::PHONE.blocks(to.since(from)),
        }
    }
}

fn total(tariff: Tariff, timeline: &Timeline, at: Millis) -> Credits {
    pricing::priced(tariff, timeline, None, at).bill.total()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(tariff: Tariff, from_s: u64, to_s: u64) -> (u64, u64, u64) {
        let estimate = tariff.phone_estimate(Millis(from_s * 1_000), Millis(to_s * 1_000));
        assert_eq!(estimate.more().0, estimate.by_phone.0 - estimate.by_page.0);
        (estimate.by_page.0, estimate.by_phone.0, estimate.minutes)
    }

    #[test]
    fn m9_a_block_costs_its_price_or_its_minutes() {
        for tariff in [Tariff::STANDARD, Tariff::ATTENDED] {
            // At 8:30 of 30 minutes: 7 minutes begin in this block, of which 2 are paid by its price, and 15 in the next.
            assert_eq!(estimate(tariff, 510, 1_800), (2, 5 + 15, 22));
            // Two minutes of a block that is paid are nothing more.
            assert_eq!(estimate(tariff, 60, 180), (0, 0, 2));
            // Past the booked end a minute is begun all the same.
            assert_eq!(estimate(tariff, 600, 300), (0, 0, 1));
        }
    }
}
