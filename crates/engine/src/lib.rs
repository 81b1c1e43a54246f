//! Gives the machines sockets and a clock.
