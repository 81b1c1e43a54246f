//! Several processes of one program on one database: who of them may act, and who holds what.
//!
//! ```text
//!   Store::join ──► an epoch, the fencing token: never given twice
//!     │
//!     ├── every 2 s ── beat ──► node.beats + 1; the answer has all nodes that are there
//!     │                  └─ none answered for 7 s ──► Standing::OutOfTouch: nothing new begins, what runs goes on
//!     │                  └─ answered again, nobody took over ──► Standing::Holds
//!     │
//!     ├── another's beats stood still for 10 s, on this node's clock ──► bury it: gone, its claims are free
//!     │                                                   └─► its sessions are closed at their last evidence (M11)
//!     ├── claim(name) ──► Ours, or Theirs with the address of who has it
//!     │
//!     └── every entry of the journal carries the epoch ──► StoreError::Fenced once the node was declared gone: Standing::Over
//! ```
//!
//! Time is each node's own monotonic clock. A node believes in itself for 7 s from before it *sent* the last heartbeat that was answered; another
//! one waits for 10 s from after it *read* that heartbeat: so clocks may step, and differ by a third in their pace, and still no two nodes act
//! for one room at one moment. That a node is gone is written by one who has the journal's turn: entries of its epoch are there before, or
//! never.
//!
//! In one SQLite file there is one node: who joins fences all before it, at once. A process that crashed can so begin again without a wait, and
//! one that was started twice by mistake stops charging.

mod claims;
mod epoch;
mod membership;
mod node;
mod roster;
mod sightings;
#[cfg(test)]
mod simulation;
mod tenure;

pub use claims::Claim;
pub use epoch::Epoch;
pub use membership::Standing;
pub use node::{Node, NodePlan};
pub use roster::{NodeState, NodeView};

#[cfg(test)]
pub(crate) use sightings::Suspect;
pub(crate) use tenure::Tenure;
