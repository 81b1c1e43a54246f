//! What every handler shares.

use std::ops::Deref;
use std::sync::Arc;

use housecall_store::{Epoch, Node, NodeState, NodeView, Store};
use sqlx::AnyPool;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::config::Config;
use crate::error::AppError;
use crate::live::Live;

/// The running clinic; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What the clinic is made of.
pub struct Parts {
    /// How it was configured.
    pub config: Config,
    /// Its tables.
    pub db: AnyPool,
    /// The ledger, and the records of calls and visits, in the same file.
    pub store: Store,
    /// The wall clock.
    pub clock: Clock,
    live: Option<Live>,
    /// True once the first signal asked us to stop: visits and calls in progress go on, nothing new begins.
    pub draining: watch::Sender<bool>,
    /// Password checks are costly on purpose; no more than these run at once.
    pub(crate) password_checks: Semaphore,
}

impl App {
    /// Puts together a clinic that serves pages only: whatever needs the engine is unavailable.
    pub fn new(config: Config, store: Store, clock: Clock) -> Self {
        Self::put_together(config, store, clock, None)
    }

    /// Puts the whole clinic together.
    pub fn with_live(config: Config, store: Store, clock: Clock, live: Live) -> Self {
        Self::put_together(config, store, clock, Some(live))
    }

    fn put_together(config: Config, store: Store, clock: Clock, live: Option<Live>) -> Self {
        let db = store.pool().clone();
        let draining = watch::Sender::new(false);
        Self(Arc::new(Parts {
            config,
            db,
            store,
            clock,
            live,
            draining,
            password_checks: Semaphore::new(2),
        }))
    }

    /// Returns what holds visits and makes calls.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] in a clinic that serves pages only.
    pub fn live(&self) -> Result<&Live, AppError> {
        self.live.as_ref().ok_or(AppError::Unavailable)
    }

    /// Returns this process among others on its database; none in a clinic that serves pages only.
    pub fn node(&self) -> Option<&Node> {
        self.live.as_ref().map(|live| &live.node)
    }

    /// Returns this node's epoch.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.node().map(Node::epoch)
    }

    /// Returns another node that takes what is new, if there is one.
    pub(crate) fn another_node(&self) -> Option<NodeView> {
        let mut others = self.node()?.others().into_iter();
        others.find(|node| node.state == NodeState::Live)
    }

    /// Returns where browsers reach the other nodes.
    pub(crate) fn other_nodes(&self) -> Vec<String> {
        let others = self.node().map(Node::others).unwrap_or_default();
        others.into_iter().map(|node| node.url).collect()
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
