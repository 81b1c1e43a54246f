//! What happens in sessions while the database is away, kept on this machine's disk until it is back.
//!
//! ```text
//!   engine ── record(block, evidence, end) ──► database ── answers ──► Recorded
//!     │                                          └─ away, or silent for 2 s, or others wait before it
//!     │                                               ▼
//!     ├── heartbeat(session) ─────────────────────► Log: one line on the disk, fsynced ──► Recorded, as far as is known here
//!     │                                               │      an end is answered once the database has it
//!     │                                               ▼
//!     │                                            Backlog ── in its order, in the name of its epoch ──► database
//!     │                                               └─ empty: the log is cut to nothing
//!     └── record(a session's first reservation, anything outside of sessions) ──► database alone: nothing begins without it (M7)
//!
//!   start ── Spooled::open ──► what a process left that died meanwhile, the same way, and then: join, recover (M11)
//! ```
//!
//! Whatever moment a process dies at, an entry is written once: its key is known when it is sent again. Entries are written in the name of the epoch in
//! which they happened, so that nothing of a node that was declared gone gets in behind the end that others gave its sessions. What the journal
//! refuses for good is kept beside the log, for a person.

mod backlog;
mod directory;
mod disk;
mod drain;
mod error;
mod ledger;
mod log;
mod record;
#[cfg(test)]
mod tests;

pub use error::SpoolError;
pub use ledger::Spooled;

#[cfg(test)]
pub(crate) use self::{
    backlog::Backlog,
    disk::OwnFile,
    record::{Record, What},
    tests::Platter,
};
