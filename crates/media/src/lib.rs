//! Knows what sound on a wire is.

mod frame;
pub mod rtp;
pub mod sdp;

pub use frame::{FRAME_MS, FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE};
