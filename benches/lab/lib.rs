//! Other people's media servers beside ours, under one load, in a network that only they can see.
//!
//! A measurement runs its program again inside namespaces of its own ([`inside`]): what it starts there can reach nobody, and is gone
//! when it ends. There a [`server::Server`] joins pairs of legs, a [`browser`] that speaks ICE, DTLS-SRTP and Opus or PCMU through a stack
//! that is not ours, and a [`phone`] that speaks RTP and PCMU. The legs are the same for every server, and note each packet they send and
//! hear with its time ([`leg::LegLog`]).
//!
//! ```text
//!   browser leg ── DTLS-SRTP ──► server under test ── RTP ──► phone leg
//!               ◄───────────────  Housecall       ◄──────────
//!                                 rtpengine, Janus
//! ```
//!
//! What depends on Housecall's own interfaces is in [`housecall`] and nowhere else.

pub mod bare;
pub mod bencode;
pub mod browser;
pub mod codec;
pub mod conductor;
pub mod housecall;
pub mod inside;
pub mod janus;
pub mod leg;
pub mod listen;
pub mod load;
pub mod network;
pub mod phone;
pub mod program;
pub mod rtp;
pub mod rtpengine;
pub mod server;
pub mod sound;
pub mod trunk;

/// What a measurement fails with: words for the person who runs it.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Media time of one packet, in milliseconds.
pub const FRAME_MS: u64 = 20;
