//! Knows what sound on a wire is.
