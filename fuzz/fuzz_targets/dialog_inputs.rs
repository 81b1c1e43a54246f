//! What a user agent is told, and when.
#![no_main]

#[path = "../checks/dialog_inputs.rs"]
mod dialog_inputs;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| dialog_inputs::check(data));
