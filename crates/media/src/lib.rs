//! Knows what sound on a wire is.

pub mod sdp;
