//! A clock on a wall, which people set: by hours, forwards and back.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Goes its own ways, with a randomness of its own: the rest of the simulation is the same with it and without.
pub(super) struct Wall {
    /// None for a wall clock that nobody sets.
    random: Option<StdRng>,
    ahead_ms: i64,
}

impl Wall {
    pub(super) fn new(seed: u64, is_set: bool) -> Self {
        Self {
            random: is_set.then(|| StdRng::seed_from_u64(seed)),
            ahead_ms: 0,
        }
    }

    /// Somebody may set it now; says whether they did.
    pub(super) fn step(&mut self) -> bool {
        const HOURS_MS: i64 = 30 * 60 * 60 * 1_000;
        let Some(random) = &mut self.random else {
            return false;
        };
        let is_set = random.random_bool(0.02);
        if is_set {
            self.ahead_ms += random.random_range(-HOURS_MS..HOURS_MS);
        }
        is_set
    }

    pub(super) fn at(&self, now_ms: u64) -> i64 {
        i64::try_from(now_ms).unwrap() + self.ahead_ms
    }
}
