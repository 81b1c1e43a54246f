//! Says and hears SIP (RFC 3261), without a socket and without a clock.
//!
//! ```text
//!  datagram ───────────────► Message::parse ─► validate ─► Abilities::check ─► UserAgent ─► events
//!  TCP bytes ─► StreamFramer ─┘  (frames)     (400 416 505) (405 501 420 415 406)   │
//!                                                    └── Fault::response ──┐        │
//!  datagram, TCP bytes ◄──────────────── Message ◄── ResponseBuilder ◄─────┤        │
//!                                                    RequestBuilder  ◄─────┴────────┘
//! ```
//!
//! A [`Message`] is ranges over one shared buffer: a header is read into its type only when asked for, and what is not known
//! (methods, headers, reason phrases, schemes) is kept as it came. Parsing refuses only what cannot be framed; [`validate()`]
//! then names the answer a faulty message is owed, because what cannot be parsed cannot be answered either.
//!
//! ```
//! use housecall_sip::{Message, Name, ResponseBuilder, StatusCode, validate};
//!
//! let datagram = "OPTIONS sip:clinic@192.0.2.10 SIP/2.0\r\n\
//!     v: SIP/2.0/UDP [2001:db8::7]:5060;branch=z9hG4bK77;rport\r\n\
//!     f: \"Carrier\" <sip:ping@sip.carrier.test>;tag=a\r\n\
//!     t: <sip:clinic@192.0.2.10>\r\n\
//!     i: 77@sip.carrier.test\r\n\
//!     CSeq: 5 OPTIONS\r\n\
//!     \r\n";
//! let request = Message::parse(datagram.into())?;
//! validate(&request)?;
//! assert_eq!(request.from()?.display().as_deref(), Some("Carrier"));
//!
//! let answer = ResponseBuilder::new(&request, StatusCode::OK)
//!     .source("[2001:db8::7]:40000".parse()?)
//!     .to_tag("b")
//!     .header(Name::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS")
//!     .build();
//! assert!(answer.bytes().starts_with(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP [2001:db8::7]:5060"));
//! assert_eq!(answer.via()?.response_addr(), Some("[2001:db8::7]:40000".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Standards
//!
//! | RFC · section | what | file | test |
//! |---|---|---|---|
//! | 2046 §5.1, 5621 §3 | the session description in a multipart body | `message/multipart.rs` | `tests/multipart.rs`: the_telephone_network_adds_its_own, parts_inside_parts_two_deep_and_no_deeper |
//! | 2782, 3263 | where a domain is reached | `target.rs` | `target/tests.rs` |
//! | 3261 §7.1, §7.2 | start lines | `message/start_line.rs` | `tests/torture.rs`: `lwsstart`, `trws`, `noreason`, `bigcode` |
//! | 3261 §7.3.1, §7.3.3 | folded lines, compact names | `message/index.rs`, `header/name.rs` | `tests/torture.rs`: `wsinv`, `longreq` |
//! | 3261 §7.5 | line ends before a message | `message/index.rs` | `tests/trouble.rs`: line_ends_before_the_message |
//! | 3261 §8.1.1 | what every message carries | `validate.rs` | `tests/verdicts.rs`: each_fault_and_its_answer |
//! | 3261 §8.2.1–8.2.3 | what a user agent refuses | `validate.rs` | `tests/verdicts.rs`: what_a_telephone_refuses |
//! | 3261 §8.2.6, §12.1.1 | what a response copies | `builder/response.rs` | `tests/builders.rs`: a_response_copies_what_it_must, a_dialog_is_not_made_by_a_refusal_or_by_trying |
//! | 3261 §10 | registration | `registration.rs` | `registration/tests.rs` |
//! | 3261 §11 | whether a peer lives | `ping.rs` | any_answer_is_a_sign_of_life, one_lost_answer_is_not_an_outage_and_three_are, a_503_is_down_at_once_and_left_alone_for_as_long_as_it_says |
//! | 3261 §17, 6026 | transactions | `transaction/` | `transaction/tests.rs` |
//! | 3261 §18.2, 3581 §4 | where responses go | `header/via.rs` | stamping_tells_the_truth; `tests/trouble.rs`: a_nat_between_us |
//! | 3261 §18.3, §20.14 | Content-Length, streams | `message.rs`, `framing.rs` | `tests/framing.rs`: messages_come_out_however_the_stream_is_cut; `tests/incidents.rs`: row_19_no_content_length_is_believed_beyond_what_came |
//! | 3261 §19.1, 3966 | URIs | `uri.rs` | beside it |
//! | 3261 §20.10 | name-addr, Contact | `header/name_addr.rs`, `header/contact.rs` | beside them |
//! | 3261 §20.43 | Warning | `header/warning.rs` | beside it |
//! | 3261 §22, 7616, 8760 | digest, both sides | `digest/` | `tests/digest.rs` |
//! | 3262 §7.1, §7.2 | RSeq, RAck | `header/rseq.rs` | beside it |
//! | 3323 §4.2, 3325 §9 | Privacy, asserted and preferred identities | `header/privacy.rs`, `message/typed.rs` | beside it; `tests/trouble.rs`: asserted_identities_of_two_kinds |
//! | 3326 | Reason, Q.850 causes | `header/reason.rs` | beside it |
//! | 4028 §4, §5 | Session-Expires, Min-SE | `header/session_expires.rs` | beside it |
//! | 3515 §2.1, 3891 §6.1 | Refer-To, Replaces, read only | `header/replaces.rs` | beside it |
//! | 4475 | torture messages | `message/` | `tests/torture.rs`, one test for each message |
//! | 5118 | IPv6 | `host.rs`, `uri.rs`, `header/via.rs` | `tests/ipv6.rs`, one test for each section |
//! | 5626 §4.4.1 | keep-alives in streams | `framing.rs` | `tests/framing.rs`: a_keep_alive_is_no_message |
//! | 5806, 7044 §5 | Diversion, History-Info | `header/history.rs` | beside it |
//! | 8224 §4.1, 8588 §4 | Identity, passed through; attestation read, not checked | `header/identity.rs` | beside it |
//!
//! What has broken other stacks (numbers and lists too large, smuggled headers, lengths that lie) is in `tests/incidents.rs`.
//!
//! [`transaction`], [`user_agent`], [`target`], [`registration`] and [`digest`] have tables of their own.

pub mod builder;
pub mod digest;
pub mod framing;
pub mod header;
pub mod host;
#[cfg(feature = "rsip")]
pub mod interop;
pub mod message;
pub mod method;
pub mod ping;
pub mod registration;
pub mod status;
pub mod target;
mod text;
pub mod uri;
pub mod validate;

// Transactions, dialogs and the user agent.
mod dialog;
pub mod transaction;
pub mod user_agent;

pub use builder::{RequestBuilder, ResponseBuilder};
pub use framing::{FramingError, StreamFramer};
pub use header::{
    CSeq, HeaderError, Name, NameAddr, NameAddrRef, Params, ParamsRef, ValueError, Via, ViaRef,
};
pub use host::{HostPort, HostPortRef};
pub use message::{MAX_MESSAGE_BYTES, Message, ParseError};
pub use method::Method;
pub use status::StatusCode;
pub use transaction::{Peer, Timers, Transport};
pub use uri::{Scheme, Uri, UriError, UriRef};
pub use user_agent::{AgentOptions, UserAgent};
pub use validate::{Abilities, Fault, validate};

// The checks of the fuzz targets name this crate as others do.
#[cfg(test)]
extern crate self as housecall_sip;

#[cfg(test)]
mod tests;
