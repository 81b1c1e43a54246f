//! Pretends to be a telephone network.
