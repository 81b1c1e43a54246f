//! Secure RTP and RTCP of the phone leg (RFC 3711), keyed by session descriptions (RFC 4568).
//!
//! ```text
//!  sdp: a=crypto ─► SrtpPair { ours, theirs } ─► Srtp
//!  RTP, RTCP ─► Sender   ─ ours ─► datagram
//!  datagram  ─► Receiver ─ theirs, replay window, one per SSRC ─► RTP, RTCP  or an SrtpError, to be counted
//! ```
//!
//! The cipher is `rtc-srtp`'s. What it leaves to its user is here: it keeps a state for every SSRC that anybody names, authentic or not, and
//! lets an unauthentic packet set where its replay window begins; so only authentic sources reach the `Receiver`'s own context, and the
//! windows are its own.

mod head;
mod key;
mod receiver;
mod sender;
mod session;
mod source;
mod suite;
mod window;

pub use key::{Mki, SrtpKey, SrtpPair, TheirKey};
pub use session::{Srtp, SrtpError};
pub use suite::SrtpSuite;

#[cfg(test)]
mod tests;
