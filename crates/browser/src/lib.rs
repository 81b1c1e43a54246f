//! Is the other end of a browser's peer connection.
//!
//! A [`Peer`] answers one offer and is that connection's ICE agent, DTLS server and SRTP endpoint, by way of `rtc`,
//! of which nothing shows. It does no input or output and reads no clock: datagrams and instants go in, datagrams and
//! events come out.
//!
//! ```text
//!                    offer
//!                      │  OfferRefused: not the m-lines of the Shape, too long, no transport
//!                      ▼
//!               ┌─ Connecting ─┐  authenticated STUN ──► AddressProved
//!               │              │
//!      ICE and  │              │  30 s, or the handshake is refused ──► Closed(Failed)
//!      DTLS up  ▼              │
//!           Connected          │  microphone, camera ──► Media        send() ──► three slots
//!               │              │  PLI, FIR ──► KeyframeWanted         request_keyframe() ──► PLI
//!               ▼              ▼
//!               └──► Closed ◄──┘  silence ──► Closed(Disconnected)     close_notify ──► Closed(ByPeer)
//!                                 close() ──► close_notify, Closed(ByUs)
//! ```
//!
//! There are two [`Shape`]s of offer and no renegotiation: whoever comes later to a room appears in a slot that was
//! offered from the beginning. One socket serves all peers: [`stun_ufrag`] tells whose a stranger's first datagram is,
//! and [`Output::AddressProved`] when its address may be taken for that peer's.
//!
//! # Example
//! ```
//! use std::time::Instant;
//! use housecall_browser::{Options, Output, Peer, Shape};
//!
//! # const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
//! # m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
//! # a=ice-ufrag:4fRg\r\na=ice-pwd:UVZxqBRfAjRJr8p6pkN2PvBf\r\na=setup:actpass\r\n\
//! # a=fingerprint:sha-256 31:53:83:D4:48:43:34:2A:31:93:6B:C5:85:DB:17:82:F1:6C:EF:CB:A0:CC:F8:94:46:99:C4:AB:6A:85:2F:C8\r\n\
//! # a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\r\n\
//! # a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n";
//! let now = Instant::now();
//! let options = Options::new("127.0.0.1:4000".parse()?, Shape::Call);
//! let (mut peer, answer) = Peer::answer(now, options, OFFER)?;
//! assert!(answer.contains(peer.ufrag()));
//!
//! // The loop of whoever has the socket and the clock; here the first moment of it.
//! let due = peer.poll_timeout().expect("it checks the browser's candidate");
//! peer.handle_timeout(due);
//! let Some(Output::Send { to, .. }) = peer.poll_output() else { panic!("no check was sent") };
//! assert_eq!(to.to_string(), "127.0.0.1:50000");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where the rules are kept
//! | source | what | where |
//! |---|---|---|
//! | RFC 8829 §5.2.1, RFC 9143 | what an offer must have | `offer.rs` |
//! | RFC 8489 §14.5, RFC 8445 §7.3 | authenticated STUN before anything else | `stun.rs`, `proved.rs` |
//! | RFC 7714 §8.1 | no nonce twice: sequence numbers pass once | `seen.rs` |
//! | RFC 4585 §6.3.1, RFC 5104 §3.5.1 | key frame requests | `stack/keyframes.rs` |
//! | RFC 3550 §6.4 | what the browser reports of what it hears | `stack/reports.rs` |
//! | RFC 4588 §4 | retransmissions are restored before they are asked for again | `stack/repair.rs` |
//! | RFC 7874 §3 | what a call's voice is coded in | `voice.rs` |
//! | RFC 6464, RFC 4733, RFC 4588 | audio level, telephone-event, RTX are negotiated | `stack/codecs.rs` |
//! | RFC 6464, RFC 8285 §5 | audio levels are read and written | `peer.rs`, `stack/mod.rs` |

mod channel;
mod error;
mod io;
mod offer;
mod options;
mod peer;
mod proved;
mod seen;
mod stack;
mod stun;
mod voice;

pub use error::{DatagramRefused, OfferRefused, SendRefused};
pub use io::{Closed, Down, Input, Kind, OutPacket, Output, Up};
pub use options::{Options, Shape, SrtpProfile, Timeouts};
pub use peer::Peer;
pub use stun::stun_ufrag;
pub use voice::VoiceCodec;

#[cfg(test)]
mod tests;
