//! Conversations with programs that other people wrote, over real sockets on loopback.
//!
//! ```text
//!   test ── Caller (housecall::softphone) ◄── SIP, RTP ──► sipp with one of scenarios/*.xml
//!                                         ◄── SIP over TLS ──► front ◄── TCP ──► sipp
//!                                         ◄── SIP, RTP ──► kamailio ◄──► baresip
//! ```
//!
//! Each test asserts what our side says happened, and that the peer found nothing to object to: a scenario checks what it receives,
//! and its process must end with success. Which programs are needed, and what happens without them, is in `program.rs`.
#![cfg(test)]

mod caller;
mod certificates;
mod conversations;
mod front;
mod program;
mod registrar;
mod sipp;
mod wire;
