//! Sells time in blocks.
