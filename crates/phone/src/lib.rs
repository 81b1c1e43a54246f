//! Makes one phone call.
//!
//! A [`Call`] takes SIP messages and the user's verbs, and says which messages to send and what happened. It has no socket
//! and no clock. SIP and SDP meet here: `sip` carries bodies that it does not read, `media` reads bodies and knows no header.
//!
//! ```text
//!      ┌─ next route: 503, silence, out of reach; nobody has heard it ring
//!      ▼           │
//!   Dialing ───18x─┴──────► Ringing ─────2xx──────► Talking ──┐ hold, resume: re-INVITE
//!      │  └──────────────────┼───────2xx───────────►│  ▲──────┘ theirs: answered at once
//!      │                     │                      │
//!      │ refused, hang_up, ring limit, silence      │ BYE of either side, media lost
//!      ▼                     ▼                      ▼
//!    Ended ◄────────────────────────────────────────┘
//! ```
//!
//! | source | rule | file |
//! |---|---|---|
//! | RFC 3261 §9, §15 | hang up at any moment | `call.rs`, `sip/user_agent` |
//! | RFC 3261 §8.1.1.4, §21.5.4 | another route: who, when, under another Call-ID | `call/failover.rs`, `call/attempt.rs` |
//! | RFC 3264 §8.4 | hold and resume, of either side and of both; no sound is missed meanwhile | `call/talking.rs` |
//! | RFC 4028 §7.4, §10 | the session is refreshed by a re-INVITE that changes nothing; a lost BYE is found out | `call/talking.rs` |
//! | RFC 3261 §14.2 | their re-INVITE, with or without an offer | `call/talking.rs` |
//! | RFC 3960 §3.2 | early sound beside ringing | `call/ringing.rs` |
//! | RFC 3323 §4.1, RFC 3325 §9.3 | a caller id that is withheld | `identity.rs` |
//! | RFC 5806, 7044, 8224 | Diversion, History-Info, Identity passed through | `headers.rs` |
//! | RFC 3325 §9.1, §9.2 | caller id in P-Asserted-Identity or P-Preferred-Identity | `identity.rs` |
//! | RFC 3326, Q.850 | why a call was not connected | `outcome.rs`, `overrides.rs`, `cause.rs` |
//! | RFC 3261 §8.1.3.4 | a redirect: to another number, never to another host | `call/redirect.rs` |
//! | RFC 6086, `application/dtmf-relay` | keys by INFO | `call/talking.rs` |
//! | RFC 3711 §9.1, 4568 §7 | SRTP off, preferred or required; a key for each attempt | `call/failover.rs`, `secret.rs` |
//! | P6 | which numbers may be called | `number.rs`, `destination.rs` |
//! | P7 | ring limit | `call.rs` |
//!
//! ```
//! use std::time::Instant;
//! use housecall_phone::{Call, Country, DestinationPolicy, Dial, Event, Number, Outcome, Output, Route, Trunk};
//! use housecall_sip::Peer;
//!
//! let policy = DestinationPolicy::domestic(Country::Au);
//! let to = policy.read("0491 570 006")?;
//! let peer = Peer::udp("127.0.0.1:5070".parse()?);
//! let now = Instant::now();
//! let route = Route::new(Trunk::new("Carrier", "sip.carrier.test"), peer);
//! let caller_id = Number::parse("02 5550 0142", Country::Au)?;
//! let (contact, media) = ("127.0.0.1:5060".parse()?, "127.0.0.1:40000".parse()?);
//! let mut call = Call::dial(now, Dial::new(vec![route], caller_id, to, contact, media, 1))?;
//! assert!(matches!(call.poll_output(), Some(Output::CallId(_))));
//! assert!(matches!(call.poll_output(), Some(Output::SendSip { to, .. }) if to == peer));
//! call.hang_up(now);
//! let Some(Output::Event(Event::Ended(ended))) = call.poll_output() else { panic!() };
//! assert_eq!(ended.outcome, Outcome::Cancelled);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod call;
mod cause;
mod country;
mod destination;
mod headers;
mod identity;
mod number;
mod outcome;
mod overrides;
mod preset;
mod secret;
mod trunk;

#[cfg(test)]
mod tests;

pub use call::{
    BadTrunk, Call, Dial, Ended, Event, Input, Output, RouteFailure, Side, WrongMoment,
};
pub use cause::RawCause;
pub use country::Country;
pub use destination::{DestinationPolicy, DestinationRefused};
pub use headers::BadHeader;
pub use identity::{Asserted, Identity, NumberFormat, Privacy};
pub use number::{Number, NumberError};
pub use outcome::Outcome;
pub use overrides::{Override, Overrides};
pub use preset::Preset;
pub use secret::Secret;
pub use trunk::{DtmfMode, Redirects, Route, SrtpPolicy, Trunk};

/// How requests go to a trunk that are too large for a datagram.
pub use housecall_sip::user_agent::LargeRequests;

/// What crosses the edge of a [`Call`]: whoever carries its messages needs no more of SIP than this.
pub use housecall_sip::{Message, Peer};
