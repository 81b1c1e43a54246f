//! Seats one practitioner and up to three patients.
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
