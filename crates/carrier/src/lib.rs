//! Pretends to be a telephone network: a SIP carrier on loopback for the demonstration, for examples and for tests.
//!
//! Its ten subscribers ([`SUBSCRIBERS`]) answer, refuse, never answer, speak, echo or read digits back, each by its number. It
//! asks for digest authentication as a real carrier does, registers who asks for it, honours hold, and measures what its subscribers hear.
//! Further ones ([`AWKWARD`]) hold, vanish, renegotiate or redirect; [`Habits`] say how it challenges and whether it secures sound. And what
//! no carrier sends, but everybody who listens gets: [`stranger`].
//!
//! ```text
//!          SIP, RTP                                  Network (no sockets, no clock)
//!   caller ◄──────► sockets ─ Input ──► UserAgent ─ Event ─► Call ──► Line ─► Ear    level, frequency, digits, music
//!                      ▲                 (sip)                │         ▲
//!                      └────────────────────────── Output ◄───┴─────────┴──── Mouth  echo, voice, tone, digits
//!
//!   one call:  INVITE ─► 407 ─► INVITE ─┬─► 486, 603, 404                            Refuses
//!                                       ├─► 180 ─────────────► CANCEL                RingsForEver
//!                                       ├─► 180 ── after ──► 200 ─► talking ─► BYE   RingsFor
//!                                       └─► 183 + sound ───► 200 ─► talking ─► BYE   SpeaksFirst
//! ```
//!
//! [`Network`] is the whole of it in virtual time; [`Carrier`] gives it sockets and a clock:
//!
//! ```
//! use housecall_carrier::{Carrier, CarrierOptions, Stage};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let carrier = Carrier::start(CarrierOptions::default()).await?;
//! // Give these to a trunk, and dial +61 491 570 157 for a tone.
//! let trunk = (carrier.addr(), carrier.domain(), carrier.credentials());
//! assert_eq!(trunk.1, "sip.carrier.test");
//!
//! // What the subscriber heard, once somebody has called it:
//! if let Some(call) = carrier.report().last_to("0491 570 157") {
//!     println!("{:?} Hz, digits {}", call.sound.frequency_hz, call.digits);
//!     assert_eq!(call.stage, Stage::Talking);
//! }
//! carrier.shutdown().await;
//! # std::io::Result::Ok(()) }).unwrap();
//! ```
//!
//! | source | what of it | file | test |
//! |---|---|---|---|
//! | RFC 3261 §10.3 | registrations | `registrar.rs` | `who_knows_the_password_is_registered` |
//! | RFC 3261 §14.1, §14.2 | describing the session anew, also when it crosses the caller's | `network.rs` | `descriptions_that_cross_both_come_through` |
//! | RFC 3261 §21.3.3, §21.5.4 | 302 with Contact, 503 with Retry-After | `network.rs` | `who_has_moved_and_who_is_full_say_what_to_do` |
//! | RFC 3261 §22.2, §22.3; RFC 8760 §2.4 | 401 or 407, SHA-256 before MD5 or MD5 alone | `habits.rs` | `callers_are_asked_in_either_way_and_with_md5_alone` |
//! | RFC 3262 §3 | reliable provisional responses | `habits.rs` | `early_sound_is_confirmed_where_both_can` |
//! | RFC 3264 §8.4 | holding the caller | `call.rs` | `a_subscriber_holds_the_caller_and_takes_it_back` |
//! | RFC 3550 §6.4.1 | sender reports | `line.rs` | `reports_tell_what_was_sent` |
//! | RFC 4028 | session timers | `habits.rs` | `short_sessions_are_refreshed` |
//! | RFC 4568, RFC 3711 | secured sound | `call.rs`, `line.rs` | `sound_is_secured_as_offered` |
//! | RFC 6086 | keys by INFO | `call.rs` | `keys_are_heard_that_come_as_info` |

mod behaviour;
mod call;
mod carrier;
mod ear;
mod faults;
mod habits;
mod line;
mod mouth;
mod network;
mod registrar;
mod report;
mod sockets;
mod strangers;
#[cfg(test)]
mod tests;

pub use behaviour::{AWKWARD, Behaviour, Deed, Pickup, SUBSCRIBERS, Says};
pub use carrier::{Carrier, CarrierOptions};
pub use ear::Sound;
pub use faults::Faults;
pub use habits::{Challenge, Habits, Security};
pub use network::{Input, Network, NetworkOptions, Output};
pub use report::{HeardCall, Report, Stage};
pub use strangers::stranger;
