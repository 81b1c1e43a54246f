//! Conversations of the whole engine over real sockets on loopback: a browser (`str0m`, a stack that is not ours), the
//! engine, and a telephone network.
//!
//! Time is the machine's. Every wait is for a condition and has an end; nothing sleeps for a fixed time.

mod browser;
mod by_phone;
mod calls;
pub(crate) mod far;
mod faults;
mod hostile;
mod phone_seat;
mod softphone;
mod trunks;
mod visits;
mod world;
