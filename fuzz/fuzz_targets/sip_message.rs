//! A datagram, or a stream cut anywhere.
#![no_main]

#[path = "../checks/sip_message.rs"]
mod sip_message;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| sip_message::check(data));
