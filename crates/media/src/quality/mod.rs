//! How a call sounds: the E-model (ITU-T G.107) once a second for each direction, smoothed into words.
//!
//! ```text
//!  counters of a leg ─► LossWindow ─► Loss ─┐
//!  reports of the far end ──────────► Loss ─┼─► rate ─► Rating ─► Direction ─► Verdict  (now: Good, Fair, Poor)
//!  round trip, jitter buffers ─────► delay ─┘                         └──────► Summary, timeline  (at the end)
//! ```
//!
//! A direction may have several legs, each with a codec and a loss of its own; their impairments add up (G.107 §7.1). What is not
//! expected to sound (a hold, a mute) is not judged, and silence that a sender chose (DTX) is not loss: nobody numbered a packet for it.

mod direction;
mod e_model;
mod loss;
mod rating;
mod timeline;

pub use direction::{Direction, Second, Summary};
pub use e_model::{Equipment, Rating, rate};
pub use loss::{LegTotals, Loss, LossWindow};
pub use rating::{Class, Smoothing, Verdict};
pub use timeline::Timeline;
