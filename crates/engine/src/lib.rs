//! Gives the machines sockets and a clock.

mod call;
mod dial;
mod engine;
mod limits;
pub mod memory;
mod metered;
mod options;
pub mod ports;
pub mod record;
mod sessions;
mod shard;
mod visit;

pub use call::{CallPhase, CallView, Controls, DialRequest, Dialed, Dialing, HangUp, Talking};
pub use dial::DialRefused;
pub use engine::Engine;
pub use limits::{DialLimits, TooManyCalls};
pub use metered::{Cost, StartRefused};
pub use options::{EngineOptions, SHARDS_MAX};
pub use record::{CallRecord, VisitRecord};
pub use visit::{RoomRefused, Visit, VisitPlan, VisitView, words};

pub use housecall_meter::{AccountId, Booked, Credits, Estimate, SessionId, Tariff};
pub use housecall_phone::{
    Country, DestinationPolicy, DestinationRefused, Number, NumberError, Outcome, Trunk,
};
pub use housecall_sfu::{Ending, PatientSeat, PeerState, PersonView, Phase, Place, RoomView, Seat};

/// What a [`Trunk`] is described with.
pub mod sip {
    pub use housecall_sip::digest::Credentials;
    pub use housecall_sip::{Peer, Transport};
}
