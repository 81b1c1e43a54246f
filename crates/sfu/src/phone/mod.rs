//! A phone in a seat: its voice becomes packets like a browser's, and it hears the others in one stream.
//!
//! ```text
//!  the leg ─ packets, frames ─► Mouth ─► Opus ─► room: to all others, as any seat's sound
//!  the leg ◄─ packets, frames ─ Ear ◄─┬─ the packets of the one other voice there is, as they come
//!                                     └─ Desk: Voice (jitter buffer, decoder) of each other ─► Mixer
//! ```
//!
//! The desk is there only while some phone needs it: a phone that takes packets and has one partner is given theirs.

mod desk;
mod ear;
mod encoder;
mod leg;
mod mouth;
mod sound;
mod stats;
mod voice;

pub(crate) use desk::Desk;
pub(crate) use leg::PhoneLeg;
pub(crate) use mouth::Spoken;
pub(crate) use stats::Counters;

pub use sound::{Hears, OpusPacket, PhoneSound};
pub use stats::PhoneStats;
