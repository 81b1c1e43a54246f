//! Whatever comes and whatever is asked for: no panic, bounded memory, and sound of the length that was asked for.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What the fuzz target asks of a stream of packets holds here too.
#[path = "../../../../../fuzz/checks/jitter.rs"]
mod jitter;

const ROUNDS: u64 = 60;

#[test]
fn streams_of_anything_never_surprise() {
    for seed in 0..ROUNDS {
        let mut random = StdRng::seed_from_u64(seed);
        let length = random.random_range(0..600);
        let bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
        let checked = std::panic::catch_unwind(|| jitter::check(&bytes));
        assert!(checked.is_ok(), "seed {seed}");
    }
}
