//! Remembers.
//!
//! A [`Store`] is one SQLite file, or one PostgreSQL database, that stands behind the engine's ports: [`Ledger`](housecall::ports::Ledger), a journal
//! that takes each entry once for ever (M12), and [`Records`](housecall::ports::Records), what the reports read
//! (P5, C1). An embedding program may keep its own tables in the same database, through [`Store::pool`], with
//! migrations numbered from 1001 ([`Store::migrate`]).
//!
//! Statements are the same for both databases; what is not is in the modules `sqlite` and `postgres`, and the schemas are in `migrations/`.
//!
//! ```text
//!  engine ── record(entry) ──► the turn of this program's writers, and a transaction with the lock of the journal
//!    │                           key known? ── same ──► the stored result
//!    │                              │     └─── other ─► KeyConflict
//!    │                           covered? ──── no ────► InsufficientCredits
//!    │                              ▼
//!    │                           journal + posting + balance + metered_session
//!    │                         COMMIT (on disk) ──► Recorded
//!    │                         (PostgreSQL: mostly without a transaction around it, since those four are one statement,
//!    │                          which fails when another program took the next number in the meantime)
//!    ├── heartbeat(session) ──► metered_session.evidence_ms
//!    └── save_call, save_visit ──► call_record, visit_record + visit_patient ──► reports
//!
//!  office ── correct, transfer, hear_of_payment, number_day, watch ──► the same, with credit_order, number_subscription, holder
//!    world ◄── take_events, sent ── outbox, written with the entry that caused it (M13, N1)
//!
//!  away ─── Spooled ────► what happens in sessions goes to this machine's disk, and to the database when that is back, see `spool`
//!  start ── Spooled::open ► what an earlier process left there, before:
//!        └─ join() ─────► an epoch among the nodes on the database; every entry is written in its name, see `nodes`
//!        └─ recover() ──► each session without an end that no living node has: told again from its journal, ended at its last evidence (M11)
//!  audit ── verify() ───► the whole journal told again: the same seals, balances and costs, and all that stands beside it (M10, M12)
//!        └─ explain() ──► one session told again: who was connected when, and which rule made which block (M10)
//! ```
//!
//! ```
//! use housecall::ports::Ledger;
//! use housecall_meter::{AccountId, Credits, Fact, Millis, Opening, Session, SessionId};
//! use housecall_store::Store;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::open(":memory:").await?;
//! let practice = AccountId::new("practice:1");
//! store.grant("order 17", &practice, Credits(10), "bought").await?;
//!
//! let mut call = Session::open(Opening::call(SessionId::new("call:1"), practice.clone()));
//! let reserve = call.poll_output().expect("the first minute is reserved before anything else");
//! store.record(&reserve).await?;
//! let _grant = call.recorded(&reserve.key).expect("the call may start");
//!
//! call.handle_input(Millis(4_000), Fact::Answered)?;
//! store.heartbeat(call.id(), 9_000).await?;
//! call.handle_input(Millis(64_001), Fact::Ended)?; // a minute and a millisecond
//! while let Some(entry) = call.poll_output() {
//!     store.record(&entry).await?;
//!     assert!(store.record(&entry).await?.already); // sent again: nothing changes
//! }
//! assert_eq!(store.funds(&practice).await?.available, 8);
//! assert_eq!(store.verify().await?.sessions, 1);
//! # Ok(())
//! # }
//! ```

mod address;
mod append;
mod call_filter;
mod call_quality;
mod call_totals;
mod calls;
mod corrections;
mod dialect;
mod error;
mod explain;
mod holder;
mod journal;
mod ledger;
mod nodes;
mod number;
mod numbers;
mod orders;
mod outbox;
mod page;
mod postgres;
mod records;
mod recovery;
mod seal;
mod spool;
mod sqlite;
mod standing;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transfers;
mod turn;
mod verify;
mod visits;
mod watches;

#[cfg(test)]
mod tests;

pub use address::{Address, PostgresUrl};
pub use call_filter::CallFilter;
pub use call_totals::CallTotals;
pub use dialect::Dialect;
pub use error::StoreError;
pub use housecall_meter::{
    Account, AutoTopUp, Balance, Bill, Cause, Currency, Event, Explanation, Fact, Line, Millis,
    Money, News, Order, OrderId, Patient, Payment, PaymentFact, Person, Rule, Transfer, Watch,
};
pub use journal::Entry;
pub use nodes::{Claim, Epoch, Node, NodePlan, NodeState, NodeView, Standing};
pub use outbox::Outgoing;
pub use page::Page;
pub use recovery::{Orphan, Recovery};
pub use spool::{SpoolError, Spooled};
pub use store::Store;
pub use verify::{Progress, Verified};
pub use visits::{VisitFilter, VisitRow, VisitTotals};
