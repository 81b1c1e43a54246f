//! The value of a header.
#![no_main]

#[path = "../checks/sip_header_typed.rs"]
mod sip_header_typed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| sip_header_typed::check(data));
