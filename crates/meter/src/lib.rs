//! Sells time in blocks.
//!
//! A [`Session`] hears facts (a patient was admitted, the call was answered, it ended) with the session's own time, and
//! says what the journal must write. It knows no clock, no database and not what it is that is paid for.
//!
//! ```text
//!   open                     ┌── block began: Extend ──┐
//!    │ Reserve               ▼                         │
//!    ├── visit ─────────► Running ─────────────────────┘
//!    │                       ▲  │
//!    └── call ──► Ringing ───┘  │ ended · recovered
//!                    │ answered ▼
//!                    └───────► Ended      one entry: Settle, or Release when it cost nothing
//!              never answered
//!
//!   Issued ───grant, top-up───┐
//!   Promotional ────gift──────┼─► Available ──reserve, extend──► Reserved ──settle──► Earned
//!   WrittenOff ──write-off────┘    ▲  │  ▲                          │                  ▲
//!   Transferred ◄──transfer────────┘  │  └─────────release──────────┘                  │
//!                                     └────────────── a number's month ────────────────┘
//! ```
//! A [`Correction`] goes the same way back.
//!
//! Beside sessions there are the machines of the office. Each hears facts, in whatever order and however often, and says what to write: a
//! [`Message`] (R1), a [`Subscription`] of a number (N1), an [`Order`] and its payment, a [`Watch`] on a balance (M13); and entries that somebody
//! orders: [`Transaction::top_up`], [`Transaction::gift`], [`Transaction::write_off`], a [`Transfer`], a [`Correction`]. What the world outside
//! is to be told leaves as an [`Event`], written in the transaction of the entry that caused it.
//!
//! Every entry has a key that is used once for ever, so sending it again is harmless, and postings that sum to zero.
//! [`Session::recorded`] turns the journal's word that the first block is reserved into a [`BlockGrant`], without which
//! nothing starts.
//!
//! ```
//! use housecall_meter::{Account, AccountId, Balance, Books, Credits, Fact, Millis};
//! use housecall_meter::{Opening, Session, SessionId, Transaction};
//!
//! let practice = AccountId::new("practice:1");
//! let mut books = Books::default();
//! books.record(&Transaction::grant("order 17", practice.clone(), Credits(10), "bought"))?;
//!
//! let mut call = Session::open(Opening::call(SessionId::new("call:1"), practice.clone()));
//! let reserve = call.poll_output().expect("the first minute is reserved before anything else");
//! books.record(&reserve)?;
//! let grant = call.recorded(&reserve.key).expect("the call may start");
//! # let _ = grant;
//!
//! call.handle_input(Millis(4_000), Fact::Answered)?;
//! call.handle_input(Millis(64_001), Fact::Ended)?; // a minute and a millisecond
//! while let Some(entry) = call.poll_output() {
//!     books.record(&entry)?;
//! }
//! assert_eq!(call.settled(), Some(Credits(2)));
//! assert_eq!(books.balance(&practice, Account::Available), Balance(8));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | rule | where |
//! |---|---|
//! | M1 M2 M3 M4 M5 price | [`Tariff`], [`Bill`] |
//! | M6 pinned tariff | [`TariffId`] in every [`Transaction`] |
//! | M7 M8 reserve, extend | [`Session`], [`Transaction::must_be_covered`] |
//! | M9 phone instead of video | [`Fact::PhoneAnswered`], [`Rule::PhoneMinutes`] |
//! | M10 explained, replayable | [`Session::explain`], [`Cause`], [`Session::replay`] |
//! | M11 crash | [`Fact::Recovered`] |
//! | M12 double entry, corrections | [`Books`], [`Correction`] |
//! | M13 top-ups, transfers, low balances | [`Order`], [`Transfer`], [`Watch`], [`AutoTopUp`] |
//! | N1 numbers by the month | [`Subscription`] |
//! | R1 text messages | [`Segments`], [`Message`] |
//! | V6 estimate, V13 of the price change | [`Estimate`], [`PhoneEstimate`] |

mod account;
mod bill;
mod blocks;
mod books;
mod cause;
mod correction;
mod credits;
mod date;
mod estimate;
mod event;
mod explanation;
mod holdings;
mod id;
mod kind;
mod message;
mod millis;
mod money;
mod old_grid;
mod order;
mod outbox;
mod phone_estimate;
mod pricing;
mod refusal;
mod segments;
mod session;
mod subscription;
mod tariff;
mod text;
mod timeline;
mod transaction;
mod transfer;
mod watch;

#[cfg(test)]
mod tests;

pub use account::Account;
pub use bill::{Bill, Line, Rule};
pub use books::Books;
pub use cause::Cause;
pub use correction::Correction;
pub use credits::{Balance, Credits};
pub use date::Date;
pub use estimate::Estimate;
pub use event::{Event, News};
pub use explanation::{Corrected, Explanation};
pub use holdings::Holdings;
pub use id::{
    AccountId, Booked, EventKey, MessageId, OrderId, Patient, Person, SessionId, SubscriptionId,
};
pub use kind::Kind;
pub use message::{Message, MessageFact, SendGrant};
pub use millis::Millis;
pub use money::{Currency, Money};
pub use old_grid::OldGrid;
pub use order::{Order, Payment, PaymentFact};
pub use phone_estimate::PhoneEstimate;
pub use refusal::Refusal;
pub use segments::{Alphabet, Segments, TooLong};
pub use session::{BlockGrant, Fact, Opening, ReplayError, Session, WrongMoment};
pub use subscription::{Subscription, SubscriptionFact};
pub use tariff::{Grid, Tariff, TariffId};
pub use transaction::{Key, Posting, Transaction};
pub use transfer::Transfer;
pub use watch::{AutoTopUp, Watch};
