//! What time costs.

use std::fmt;

use crate::{Booked, Credits, Estimate, Millis};

/// A price list: how long a block is, what it costs for each person, and from when blocks are counted.
///
/// A tariff never changes. A new price is a new version, and a session keeps the version that it started with (M6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tariff {
    id: TariffId,
    block: Millis,
    credits_per_block: Credits,
    grid: Grid,
}

/// The name and version of a tariff, pinned in every journal entry of a session (M6).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TariffId {
    /// `standard`, `attended` or `phone`.
    pub name: &'static str,
    /// Counts from 1.
    pub version: u16,
}

/// The moment from which blocks are counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Grid {
    /// The practitioner's Join; each patient counts once admitted (M4).
    FromJoin,
    /// The first moment at which the practitioner and any patient are connected, never before Join; each patient counts in the blocks in
    /// which both are (M5).
    FromConnection,
    /// The answer; the person rung counts from then on (M2).
    FromAnswer,
}

impl Tariff {
    /// Video: 2 credits per 15-minute block for each patient admitted at least once, every block from Join to Disconnect
    /// (M1, M4).
    pub const STANDARD: Self = Self {
        id: TariffId {
            name: "standard",
            version: 1,
        },
        block: Millis::from_minutes(15),
        credits_per_block: Credits(2),
        grid: Grid::FromJoin,
    };

    /// Video: 2 credits per 15-minute block for each patient, the blocks alone in which that patient and the practitioner were connected
    /// together, however briefly (M5).
    pub const ATTENDED: Self = Self {
        id: TariffId {
            name: "attended",
            version: 1,
        },
        grid: Grid::FromConnection,
        ..Self::STANDARD
    };

    /// A phone call: 1 credit per started minute from the answer, hold included (M2).
    pub const PHONE: Self = Self {
        id: TariffId {
            name: "phone",
            version: 1,
        },
        block: Millis::from_minutes(1),
        credits_per_block: Credits(1),
        grid: Grid::FromAnswer,
    };

    /// Returns the tariff that a journal entry names, or nothing when this build does not know it.
    pub fn pinned(name: &str, version: u16) -> Option<Self> {
        [Self::STANDARD, Self::ATTENDED, Self::PHONE]
            .into_iter()
            .find(|known| known.id.name == name && known.id.version == version)
    }

    /// Returns the name and version.
    pub fn id(self) -> TariffId {
        self.id
    }

    /// Returns how long a block is.
    pub fn block(self) -> Millis {
        self.block
    }

    /// Returns what one block costs for one person.
    pub fn credits_per_block(self) -> Credits {
        self.credits_per_block
    }

    /// Returns from when blocks are counted.
    pub fn grid(self) -> Grid {
        self.grid
    }

    /// Returns how many blocks an elapsed time is charged: the started ones, so exactly `n` blocks of time are `n` (M3).
    pub fn blocks(self, elapsed: Millis) -> u64 {
        elapsed.0.div_ceil(self.block.0)
    }

    /// Returns how many blocks are in use at an elapsed time: at exactly `n` blocks of time the next one has begun.
    pub(crate) fn blocks_begun(self, elapsed: Millis) -> u64 {
        (elapsed.0 / self.block.0).saturating_add(1)
    }

    /// Returns the price of an elapsed time for a number of people.
    pub fn price(self, elapsed: Millis, people: u64) -> Credits {
        self.credits_per_block
            .times(people)
            .times(self.blocks(elapsed))
    }

    /// Returns what a session of the booked length would cost (V6).
    pub fn estimate(self, booked: Booked, minutes: u32) -> Estimate {
        Estimate::new(self, booked, Millis::from_minutes(u64::from(minutes)))
    }
}

impl fmt::Display for TariffId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} v{}", self.name, self.version)
    }
}
