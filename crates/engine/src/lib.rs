//! Gives the machines sockets and a clock.

pub mod ports;
pub mod record;
