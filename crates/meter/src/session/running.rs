//! The grid of blocks while a session runs.

use crate::{Booked, Credits, Millis, Patient, Tariff};

/// Blocks are counted from `began`, for each person admitted.
#[derive(Debug)]
pub(super) struct Running {
    began: Millis,
    admitted: [bool; 3],
    /// How many blocks are reserved, each for everybody booked or admitted; at least one.
    pub(super) blocks_reserved: u64,
}

impl Running {
    /// A visit: counted from Join, nobody admitted yet (M4).
    pub(super) fn from_join() -> Self {
        Self {
            began: Millis::ZERO,
            admitted: [false; 3],
            blocks_reserved: 1,
        }
    }

    /// A call: counted from the answer, for the person who answered (M2).
    pub(super) fn from_answer(at: Millis) -> Self {
        Self {
            began: at,
            admitted: [true, false, false],
            blocks_reserved: 1,
        }
    }

    /// Admits a patient; false when admitted before.
    pub(super) fn admit(&mut self, patient: Patient) -> bool {
        let [one, two, three] = &mut self.admitted;
        let admitted = match patient {
            Patient::One => one,
            Patient::Two => two,
            Patient::Three => three,
        };
        !std::mem::replace(admitted, true)
    }

    /// Counts the blocks begun by `at` as reserved and returns how many are new.
    pub(super) fn begin_blocks(&mut self, tariff: Tariff, at: Millis) -> u64 {
        let begun = tariff.blocks_begun(at.since(self.began));
        let more = begun.saturating_sub(self.blocks_reserved);
        self.blocks_reserved = self.blocks_reserved.saturating_add(more);
        more
    }

    /// Returns the first moment that no reserved block covers.
    pub(super) fn next_block_at(&self, tariff: Tariff) -> Millis {
        self.began.plus(Millis(
            tariff.block().0.saturating_mul(self.blocks_reserved),
        ))
    }

    /// Returns how many people were admitted at least once.
    pub(super) fn people_admitted(&self) -> u64 {
        self.admitted
            .iter()
            .map(|admitted| u64::from(*admitted))
            .sum()
    }

    /// Returns for how many people blocks are reserved: who was booked may still come, and who came unbooked pays too.
    pub(super) fn people(&self, booked: Booked) -> u64 {
        self.people_admitted().max(u64::from(booked.count()))
    }

    /// Returns what is set aside.
    pub(super) fn reserved(&self, tariff: Tariff, booked: Booked) -> Credits {
        tariff
            .credits_per_block()
            .times(self.people(booked))
            .times(self.blocks_reserved)
    }

    /// Returns what is owed if the session ends `at`.
    pub(super) fn cost(&self, tariff: Tariff, at: Millis) -> Credits {
        tariff.price(at.since(self.began), self.people_admitted())
    }

    /// Returns what is owed for one patient if the session ends `at`.
    pub(super) fn cost_of(&self, tariff: Tariff, patient: Patient, at: Millis) -> Credits {
        let [one, two, three] = self.admitted;
        let admitted = match patient {
            Patient::One => one,
            Patient::Two => two,
            Patient::Three => three,
        };
        tariff.price(at.since(self.began), u64::from(admitted))
    }
}
