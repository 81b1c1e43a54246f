//! Transactions: one request, its repetitions and its responses (RFC 3261 §17, RFC 6026).
//!
//! Four tables, a file each: `invite_client`, `non_invite_client`, `invite_server`, `non_invite_server`. A table is a function
//! from a state and an input to the next state and an action; it knows no bytes. `Client` and `Server` run the tables
//! with the bytes of a request or response and a `Clock`.
//!
//! | RFC | section | file |
//! |---|---|---|
//! | 3261 | §17.1.1, 6026 §7.2 | `invite_client.rs` |
//! | 3261 | §17.1.2 | `non_invite_client.rs` |
//! | 3261 | §17.2.1, 6026 §7.1 | `invite_server.rs` |
//! | 3261 | §17.2.2 | `non_invite_server.rs` |
//! | 3261 | table 4 | `timers.rs` |

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
