//! The simulated world: the same phone calls as outside, in virtual time, over a network that may be bad.
//!
//! ```text
//!   Caller: microphone, ear ─ Opus ─ MediaPath ──── Net ──── Network: subscribers who answer, refuse, talk, hang up
//!                 Call ─────────────────────────── Net ───────┘
//!                  │ events           loses, doubles, reorders: Weather and a seed
//!                 Till ─ meter::Session ─ Books
//! ```
//!
//! `flows` are conversations in this world, each held once in clear weather and then under many seeds of a storm;
//! `manifests` is the architecture as a test; `tables` holds the crates' docs to what they say; `replay` feeds the cores what the fuzz
//! targets have in store.

#[cfg(test)]
mod flows;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod net;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod world;
