//! Is the other end of a browser's peer connection.
mod error;
mod io;
mod offer;
mod options;
mod peer;
mod proved;
mod seen;
mod stack;
mod stun;

pub use error::{DatagramRefused, OfferRefused, SendRefused};
pub use io::{Closed, Down, Input, Kind, OutPacket, Output, Up};
pub use options::{Options, Shape, SrtpProfile, Timeouts};
pub use peer::Peer;
pub use stun::stun_ufrag;

#[cfg(test)]
mod tests;
