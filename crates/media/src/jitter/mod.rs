//! The one buffer per direction that turns arrival as it happens into a frame every 20 ms.
//!
//! ```text
//!  Arrival ─► Timeline ─► Ring ─► JitterBuffer ─► Play       (what to play next, however long it is)
//!              │ one endless time, whatever SSRC, numbers and timestamps do
//!              └► Transits ─► Target ─► excess             (what to leave out or put in, for the time-scale)
//!                     └────► Drift
//! ```

mod arrival;
mod buffer;
mod cursor;
mod drift;
mod phase;
mod play;
mod played;
mod ring;
mod stats;
mod target;
mod timeline;
mod transits;

#[cfg(test)]
pub(crate) mod tests;

pub use arrival::{Arrival, Content};
pub use buffer::JitterBuffer;
pub use play::Play;
pub use stats::JitterStats;
