//! Seats one practitioner and up to three patients.
//!
//! A [`Room`] is one consultation's waiting room and media room. It does no input or output and reads no clock.
//!
//! ```text
//!            arrive, admit, leave             arrive, admit, send back, leave, remove, join
//!             ┌───────┐                               ┌───────┐
//!             │       ▼     the practitioner joins    │       ▼      disconnect (V8)
//!  new ─────► Waiting ──────────────────────────────► Open ──────────────────────────► Ended
//!                            (V7: the session                     empty for 5 min (V15)
//!                                 begins)
//!
//!  a patient:   absent ──► waiting ──► let in ──► connected ◄──► lost, or left
//!                             ▲                       │
//!                             └───── sent back ◄──────┘
//! ```
//!
//! Media takes this way, and only between seats that have a connection or a phone; only who was let in can have one (V10):
//!
//! ```text
//!  datagram ─► Peer (decrypt) ─► room: from seat, to seats ─► Forward, one a viewer and slot ─► Peer (encrypt) ─► datagram
//!                  ▲                                              (sequence, timestamp,
//!                  └────── Keyframes (merged, 1 per 500 ms) ◄──── picture id run on)
//! ```
//!
//! A patient may hold their seat by phone instead (V13). Whoever has the phone's leg gives the room what it says, and is given what it is to
//! hear ([`PhoneSound`]); how it gets to the telephone network is not the room's concern:
//!
//! ```text
//!  Input::Phone ─ packet ───────────────────► room: to all others, as a page's sound is
//!               └ frame ─► encoded once ───►
//!
//!  one other in the room, and the leg takes packets ─► theirs, as they come ────────────────────┐
//!  more, or frames ─► jitter buffer, decoder, one a voice ─► Mixer (N−1) ─► a frame, encoded ────┴─► Output::Phone
//! ```
//!
//! # Example
//! ```
//! use std::time::Instant;
//! use housecall_sfu::{JoinRefused, PatientSeat, Phase, Place, Room, RoomOptions, Seat};
//!
//! let now = Instant::now();
//! let mut room = Room::new(now, RoomOptions::default());
//! room.arrive(now, PatientSeat::One)?;
//! assert_eq!(room.view().people[1].place, Place::Waiting { since: now });
//!
//! // A patient's page that tries to be early is told so; the practitioner's join opens the room.
//! let local = "127.0.0.1:4000".parse()?;
//! let early = room.join(now, Seat::Patient(PatientSeat::One), local, "v=0");
//! assert!(matches!(early, Err(JoinRefused::NotOpenYet)));
//! room.admit(now, PatientSeat::One)?; // goes in as soon as the practitioner joins
//! assert_eq!(room.view().phase, Phase::Waiting);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where the rules are kept
//! | source | what | where | test |
//! |---|---|---|---|
//! | V2 | three patients' seats, by shape | `room/open.rs` | `each_seat_has_its_place` |
//! | V7, V8, V9, V10, V15 | coming, going, waiting, the end | `room/` | `tests/comings.rs` |
//! | V11 | who speaks | `speaker.rs` | beside it, `who_speaks_on_the_phone_is_the_active_speaker` |
//! | V13 | a patient goes on by phone | `room/sound.rs`, `phone/` | `tests/phones.rs` |
//! | RFC 3550 §5.1 | one stream for each listener, whoever feeds it | `forward.rs`, `phone/ear.rs` | beside it, `a_page_leaves_and_comes_back_while_the_phone_stays` |
//! | RFC 6464 | levels that browsers tell | `room/open.rs` | `tests/phones.rs` |
//! | RFC 7587 §4.1 | the clock of packets that are made here | `phone/mouth.rs`, `phone/ear.rs` | `tests/phones.rs` |

mod connection;
mod forward;
mod io;
mod keyframes;
mod phone;
mod room;
mod seat;
mod speaker;
mod view;
mod vp8;

pub use io::{
    Ending, Fact, Gone, Input, JoinRefused, Joined, Output, PeerId, PeerState, WrongMoment,
};
pub use phone::{Hears, OpusPacket, PhoneSound, PhoneStats};
pub use room::{Room, RoomOptions};
pub use seat::{PatientSeat, Seat};
pub use view::{PersonView, Phase, Place, RoomView};

#[cfg(test)]
mod tests;
