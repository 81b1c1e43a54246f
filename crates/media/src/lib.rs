//! Knows what sound on a wire is.

mod concealment;
mod frame;
pub mod g711;
mod key;
mod key_detector;
mod level;
pub mod opus;
pub mod rtp;
pub mod sdp;
pub mod telephone_event;
pub mod tone;

pub use concealment::Concealment;
pub use frame::{FRAME_MS, FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE};
pub use key::Key;
pub use key_detector::KeyDetector;
pub use level::{Dbfs, dominant_frequency, level, level_at};
pub use tone::{Cadence, HoldMusic, KeyTone, Sine, Tones};
