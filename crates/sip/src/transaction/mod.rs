//! Transactions: one request, its repetitions and its responses (RFC 3261 §17, RFC 6026).
//!
//! Four tables, a file each: `invite_client`, `non_invite_client`, `invite_server`, `non_invite_server`. A table is a function
//! from a state and an input to the next state and an action; it knows no bytes. `Client` and `Server` run the tables
//! with the bytes of a request or response and a `Clock`.
//!
//! | RFC | section | file | test in `tests.rs` |
//! |---|---|---|---|
//! | 3261 | §17.1.1, figure 5; 6026 §7.2, §8.4: Accepted, timer M | `invite_client.rs` | `invite_client` |
//! | 3261 | §17.1.2, figure 6 | `non_invite_client.rs` | `non_invite_client` |
//! | 3261 | §17.2.1, figure 7; 6026 §7.1, §8.7: Accepted, timer L | `invite_server.rs` | `invite_server` |
//! | 3261 | §17.2.2, figure 8 | `non_invite_server.rs` | `non_invite_server` |
//! | 3261 | table 4; 6026 §8.5, §8.8: timers A, B, D to M | `timers.rs` | all four |

mod client;
mod invite_client;
mod invite_server;
mod non_invite_client;
mod non_invite_server;
mod peer;
mod server;
mod timers;

pub(crate) use client::{Action, Client};
pub(crate) use server::Server;

pub use peer::{Peer, Transport};
pub use timers::Timers;

#[cfg(test)]
mod tests;
