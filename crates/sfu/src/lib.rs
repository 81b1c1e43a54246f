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
//! Media takes this way, and only between seats that have a connection; only who was let in can have one (V10):
//!
//! ```text
//!  datagram ─► Peer (decrypt) ─► room: from seat, to seats ─► Forward, one a viewer and slot ─► Peer (encrypt) ─► datagram
//!                  ▲                                              (sequence, timestamp,
//!                  └────── Keyframes (merged, 1 per 500 ms) ◄──── picture id run on)
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

mod connection;
mod forward;
mod io;
mod keyframes;
mod room;
mod seat;
mod view;
mod vp8;

pub use io::{
    Ending, Fact, Gone, Input, JoinRefused, Joined, Output, PeerId, PeerState, WrongMoment,
};
pub use room::{Room, RoomOptions};
pub use seat::{PatientSeat, Seat};
pub use view::{PersonView, Phase, Place, RoomView};

#[cfg(test)]
mod tests;
