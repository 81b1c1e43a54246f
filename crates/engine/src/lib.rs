//! Gives the machines sockets and a clock.
//!
//! An [`Engine`] rings phones ([`Engine::dial`]) and holds visits ([`Engine::visit`]). It asks the program around it for three
//! things, the [`ports`]: a ledger, a memory for records, and the time that money is counted by.
//!
//! ```text
//!   dial ──► policy, limits ──► Till::open ──► Ledger (reserve) ──BlockGrant──► shard: CallSlot(Metered<Bridge>)
//!     └─ Dialing ─ answered ─► Talking ─ ended ─► CallRecord ──► Records
//!
//!   visit ─► waiting room (free) ─ practitioner joins ─► Till::open ─BlockGrant─► shard: RoomSlot(Metered<Room>)
//!     ├─ Visit: arrive, admit, join, leave, disconnect ─► VisitRecord ──► Records
//!     └─ Visit::ring ──► policy, limits ──► shard: SeatSlot ⇄ RoomSlot, the visit's meter counts it ─► CallRecord
//!
//!   shard: one thread, one media port, one SIP port; a call or a room lives wholly on one of them
//!   Till:  one task a session; hears facts, writes the journal, ends when the ledger has all of it
//! ```
//!
//! What is possible is a type: a call cannot start without a `BlockGrant`, which only a recorded reservation yields (M7), and only
//! a [`Talking`] call gives out [`Controls`] to hold it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use housecall::memory::{MemoryLedger, MemoryRecords};
//! use housecall::ports::{Ports, SystemClock};
//! use housecall::{AccountId, Country, Credits, Engine, EngineOptions, PatientSeat, Phase, Place, Tariff, VisitPlan};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let practice = AccountId::new("practice:1");
//! let ports = Ports {
//!     ledger: Arc::new(MemoryLedger::with_credits(practice.clone(), Credits(10))?),
//!     records: Arc::new(MemoryRecords::default()),
//!     clock: Arc::new(SystemClock),
//! };
//! let engine = Engine::start(EngineOptions::new(Country::Au), ports).await?;
//! let visit = engine
//!     .visit(VisitPlan {
//!         tariff: Tariff::STANDARD,
//!         account: practice,
//!         appointment: "appointment:1".into(),
//!         practitioner: "user:1".into(),
//!         patients: [Some("patient:1".into()), None, None],
//!     })
//!     .await?;
//!
//! let mut view = visit.view();
//! visit.arrive(PatientSeat::One).await?;
//! let waiting = |person: &housecall::PersonView| matches!(person.place, Place::Waiting { .. });
//! let seen = view.wait_for(|view| view.room.people.iter().any(waiting)).await?;
//! assert_eq!(seen.room.phase, Phase::Waiting); // nothing costs until the practitioner joins (V7)
//! # Ok(())
//! # }
//! ```
//!
//! | rule | where |
//! |---|---|
//! | P6 who may be rung, how often | [`EngineOptions::destinations`], [`DialLimits`] |
//! | which trunk a call takes | [`EngineOptions::trunks`], [`Engine::trunks`] |
//! | P7 ring limit, nothing for the unanswered | [`EngineOptions::ring_limit`], [`Dialed::Unanswered`] |
//! | V2 three patients and no fourth | [`VisitPlan::patients`] |
//! | V7 V8 V9 V10 join, leave, rejoin, admit | [`Visit`] |
//! | V13 M9 on by phone, what that costs | [`Visit::ring`], [`Visit::phone_estimate`], [`PhoneView`] |
//! | M7 M8 M11 reserve, never cut, heartbeat | [`Cost`], [`StartRefused`], [`ports::Ledger`] |
//! | drain | [`Engine::drain`], [`Engine::end_all`] |

mod book;
mod call;
mod dial;
pub mod dns;
mod encryption;
mod engine;
mod grids;
mod limits;
pub mod memory;
mod metered;
mod options;
mod own_thread;
pub mod ports;
pub mod record;
mod ring;
mod sessions;
mod shard;
pub mod softphone;
#[cfg(test)]
mod tests;
mod trunks;
mod visit;

pub use call::{
    CallPhase, CallView, Controls, DialRequest, Dialed, Dialing, HangUp, HoldTime, KeysHeard,
    Talking,
};
pub use dial::DialRefused;
pub use encryption::Encryption;
pub use engine::Engine;
pub use limits::{DialLimits, TooManyCalls};
pub use metered::{Cost, StartRefused};
pub use options::{EngineOptions, SHARDS_MAX};
pub use record::{CallRecord, Class, VisitRecord};
pub use ring::{PhoneEnded, PhoneView, RingRefused, RingRequest};
pub use trunks::{Reach, TrunkMode, TrunkSetup, TrunkState, TrunkView};
pub use visit::{RoomRefused, Visit, VisitPlan, VisitView, words};

pub use housecall_media::sound::{Sound, SoundError, to_wav};
pub use housecall_meter::{AccountId, Booked, Credits, Estimate, PhoneEstimate, SessionId, Tariff};
pub use housecall_phone::{
    Country, DestinationPolicy, DestinationRefused, Number, NumberError, Outcome, Route, Trunk,
};
pub use housecall_sfu::{Ending, PatientSeat, PeerState, PersonView, Phase, Place, RoomView, Seat};

/// What a [`Trunk`] is described with, and how its connections are set up.
pub mod sip {
    pub use crate::shard::{
        AddressRange, NameError, Obstacle, OwnCertificate, RangeError, Secured, ServerName,
        SipLimits, SipOptions, TlsOptions, TlsSetup, Unreached,
    };
    pub use housecall_sip::digest::Credentials;
    pub use housecall_sip::target::{Families, Target};
    pub use housecall_sip::user_agent::{Reliable, SessionTimer};
    pub use housecall_sip::{Peer, Transport};
}

/// How a [`Trunk`] wants to be spoken to.
pub mod trunk {
    pub use housecall_media::sdp::Codec;
    pub use housecall_phone::{
        Asserted, BadTrunk, DtmfMode, Identity, LargeRequests, NumberFormat, Override, Overrides,
        Preset, Privacy, Redirects, SrtpPolicy,
    };
}
