//! The value of a challenge or of an answer.
#![no_main]

#[path = "../checks/digest_challenge.rs"]
mod digest_challenge;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| digest_challenge::check(data));
