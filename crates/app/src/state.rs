//! What every handler shares.

use std::ops::Deref;
use std::sync::Arc;

use sqlx::SqlitePool;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::config::Config;

/// The running clinic; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What the clinic is made of.
pub struct Parts {
    /// How it was configured.
    pub config: Config,
    /// Its tables; the ledger's are in the same file.
    pub db: SqlitePool,
    /// The wall clock.
    pub clock: Clock,
    /// True once the first signal asked us to stop: visits and calls in progress go on, nothing new begins.
    pub draining: watch::Sender<bool>,
    /// Password checks are costly on purpose; no more than these run at once.
    pub(crate) password_checks: Semaphore,
}

impl App {
    /// Puts the clinic together.
    pub fn new(config: Config, db: SqlitePool, clock: Clock) -> Self {
        let draining = watch::Sender::new(false);
        Self(Arc::new(Parts {
            config,
            db,
            clock,
            draining,
            password_checks: Semaphore::new(2),
        }))
    }

    /// Returns now, unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// True when nothing new may begin.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
