//! A fault of ours in one machine ends that one, and no other.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Lets a machine work; none if it fell over. What it left half done goes with it: after a fault a machine is only asked to take its leave,
/// in here as well, and dropped.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Falls over, as far as anybody can tell, for the tests of what goes on then.
#[cfg(test)]
pub(super) fn fall_over() {
    std::panic::resume_unwind(Box::new("told to by a test"))
}
