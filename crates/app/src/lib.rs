//! A small clinic: appointments, people, video visits, phone calls and reports in the browser.
//!
//! ```text
//! browser ──HTTP──► security ──► sign_in, calendar, appointments, people, visits, reports, credits ──► SQLite or PostgreSQL
//!         ──WebSocket──────────► live ──► engine
//! ```
//!
//! Each feature is a module with `fn router()`. Pages are askama templates; everything works as ordinary links and forms, and only the visit
//! and call pages are alive. A handler that takes [`sign_in::Staff`] lets nobody else in, and each of its queries names the practice.
//!
//! ```
//! use axum::body::Body;
//! use axum::http::Request;
//! use housecall_app::{clock::Clock, config::Config, router, state::App};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = housecall_store::Store::open(":memory:").await?;
//! let clinic = router(App::new(Config::demo(), store, Clock::System));
//! let answer = clinic.oneshot(Request::get("/livez").body(Body::empty())?).await?;
//! assert_eq!(answer.status(), 200);
//! # Ok(())
//! # }
//! ```

pub mod appointments;
pub mod assets;
pub mod audit;
pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod cookie;
mod credits;
pub mod db;
pub mod demo;
pub mod error;
pub mod form;
pub mod ids;
pub mod ledger;
pub mod live;
pub mod money;
mod node;
pub mod numbers;
pub mod page;
mod pass;
pub mod people;
pub mod pii;
pub mod reports;
pub mod security;
mod serve;
pub mod sign_in;
pub mod state;
mod stop;
pub mod token;
pub mod trunk_check;
pub mod visits;
pub mod when;

#[cfg(test)]
mod tests;

pub use crate::serve::{StartError, router, run};
