//! Packets and pulls of a jitter buffer, and what is heard.
#![no_main]

#[path = "../checks/jitter.rs"]
mod jitter;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| jitter::check(data));
