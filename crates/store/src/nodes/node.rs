//! One node: its heartbeats, and what it does for those that are gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, Connection, Executor};
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, timeout};

use super::membership::{BEAT_PATIENCE, Membership};
use super::roster::{self, Beaten, NodeState, NodeView};
use super::tenure::Held;
use super::{Epoch, Standing};
use crate::{Dialect, Recovery, Store, StoreError};

/// How often a node looks whether another one is gone.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it looks for sessions that one who is gone has left, beside when it declares one gone itself.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// How a node presents itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodePlan {
    /// What people call it.
    pub name: String,
    /// Where browsers reach this very node, without a slash at its end.
    pub url: String,
}

/// A process that has joined those on its database. Cheap to clone; one of the clones is to be [kept](Self::keep).
#[derive(Clone, Debug)]
pub struct Node {
    store: Store,
    plan: Arc<NodePlan>,
    standing: Arc<watch::Sender<Standing>>,
}

impl Store {
    /// Joins the nodes on this database, under a new epoch that all this store's clones write in from now on.
    ///
    /// In a SQLite file, nodes before this one are over at once; on PostgreSQL others go on beside it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn join(&self, plan: NodePlan) -> Result<Node, StoreError> {
        let node = Node {
            store: self.clone(),
            plan: Arc::new(plan),
            standing: Arc::new(watch::Sender::new(Standing::Holds)),
        };
        node.join_again().await?;
        Ok(node)
    }
}

impl Node {
    /// Begins a new epoch, for a node whose last one is over and that runs nothing of it any more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn join_again(&self) -> Result<(), StoreError> {
        let sent = Instant::now();
        let epoch = self.store.answered(self.store.enter(&self.plan)).await?;
        self.store.tenure.begin(match self.store.dialect() {
            Dialect::Sqlite => Held::Alone { epoch, over: None },
            Dialect::Postgres => Held::Among(Membership::joined(epoch, sent)),
        });
        self.publish();
        tracing::info!(%epoch, name = self.plan.name, "joined as a node");
        Ok(())
    }

    /// Returns the store that writes in this node's name.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the present epoch.
    pub fn epoch(&self) -> Epoch {
        self.store.tenure.epoch()
    }

    /// Returns how it presents itself.
    pub fn plan(&self) -> &NodePlan {
        &self.plan
    }

    /// Returns whether it may act for what it holds, by its own clock, now.
    pub fn standing(&self) -> Standing {
        self.store.tenure.standing(Instant::now())
    }

    /// Returns the same as it changes, for as long as the node is [kept](Self::keep).
    pub fn standings(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Returns whether its epoch was ended by others, not by [`Self::leave`].
    pub fn is_taken_over(&self) -> bool {
        self.store.tenure.is_taken_over()
    }

    /// Waits until this epoch is over. For as long as the node is [kept](Self::keep).
    pub async fn over(&self) {
        let mut standings = self.standings();
        // The sender lives in `self`, so the wait ends only by the condition.
        let _ = standings
            .wait_for(|standing| *standing == Standing::Over)
            .await;
    }

    /// Returns the other nodes, as the database last told of them.
    pub fn others(&self) -> Vec<NodeView> {
        let others = self.store.tenure.among(|me| me.others().cloned().collect());
        others.unwrap_or_default()
    }

    /// Says every two seconds that this node lives, and looks after those that do not. Never ends by itself.
    pub async fn keep(&self) {
        tokio::join!(self.beat_on(), self.look_after());
    }

    /// Takes nothing new any more, and tells the others.
    ///
    /// # Errors
    /// What the database says.
    pub async fn drain(&self) -> Result<(), StoreError> {
        let draining = self.store.set_state(self.epoch(), NodeState::Draining);
        self.store.answered(draining).await.map(drop)
    }

    /// Leaves, and frees all that it had claimed. What it writes from now on is refused.
    ///
    /// # Errors
    /// What the database says: then the others find out by themselves.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let epoch = self.epoch();
        self.store.answered(self.store.depart(epoch)).await?;
        self.store.tenure.end(epoch, epoch);
        Ok(())
    }

    async fn beat_on(&self) {
        // A line of its own, since writers that wait for the journal may hold all of the pool's.
        let mut line = None;
        loop {
            let now = Instant::now();
            if self.store.tenure.among(|me| me.beat(now)) == Some(true) {
                self.beat(&mut line, now).await;
            }
            self.publish();
            let now = Instant::now();
            match self.store.tenure.among(|me| me.poll_timeout(now)).flatten() {
                Some(next) => tokio::select! {
                    () = sleep_until(next.into()) => {}
                    () = self.store.tenure.changed() => {}
                },
                None => self.store.tenure.changed().await,
            }
        }
    }

    /// One heartbeat. What does not answer is left behind, with its line.
    async fn beat(&self, line: &mut Option<AnyConnection>, sent: Instant) {
        let epoch = self.epoch();
        let asked = async {
            let mut open = match line.take() {
                Some(open) => open,
                None => self.line().await?,
            };
            let beaten = roster::beat(&mut open, epoch).await?;
            *line = Some(open);
            Ok::<_, StoreError>(beaten)
        };
        match timeout(BEAT_PATIENCE, asked).await {
            Ok(Ok(Beaten::There(nodes))) => self.hear(epoch, sent, nodes),
            Ok(Ok(Beaten::Over(newest))) => self.store.tenure.end(epoch, newest),
            Ok(Err(error)) => tracing::warn!(%epoch, %error, "heartbeat not written"),
            Err(_) => {
                let waited_ms = BEAT_PATIENCE.as_millis();
                tracing::warn!(%epoch, waited_ms, "heartbeat not answered");
            }
        }
    }

    /// The node may have begun another epoch since it asked.
    fn hear(&self, epoch: Epoch, sent: Instant, nodes: Vec<NodeView>) {
        let now = Instant::now();
        self.store.tenure.among(|me| {
            if me.epoch() == epoch {
                me.handle_answer(now, sent, nodes);
            }
        });
    }

    async fn line(&self) -> Result<AnyConnection, StoreError> {
        let options = self.store.pool().connect_options();
        let mut line = AnyConnection::connect_with(&options).await?;
        line.execute("SET statement_timeout = '2s'").await?;
        Ok(line)
    }

    fn publish(&self) {
        let standing = self.standing();
        let changed = self.standing.send_if_modified(|before| {
            let changed = *before != standing;
            *before = standing;
            changed
        });
        if changed {
            self.tell(standing);
        }
    }

    fn tell(&self, standing: Standing) {
        let epoch = self.epoch();
        match standing {
            Standing::Holds => tracing::info!(%epoch, "this node may act"),
            Standing::OutOfTouch => {
                tracing::error!(%epoch, "the database does not answer: nothing new begins at this node");
            }
            Standing::Over if self.is_taken_over() => {
                tracing::error!(%epoch, "this node was declared gone: others take its work");
            }
            Standing::Over => tracing::info!(%epoch, "this node has left"),
        }
    }

    /// Declares gone who is, and closes what they left.
    async fn look_after(&self) {
        let mut swept = Instant::now();
        loop {
            sleep(LOOK_EVERY).await;
            let buried = self.bury_silent().await;
            let due = swept.elapsed() >= SWEEP_EVERY;
            if (buried || due) && self.standing() == Standing::Holds {
                swept = Instant::now();
                if let Err(error) = self.close_left_behind().await {
                    tracing::warn!(%error, "sessions of a node that is gone are not closed yet");
                }
            }
        }
    }

    async fn bury_silent(&self) -> bool {
        let now = Instant::now();
        let suspects = self.store.tenure.among(|me| me.suspects(now));
        let mut any = false;
        for suspect in suspects.unwrap_or_default() {
            match self.store.answered(self.store.bury(suspect)).await {
                Ok(buried) => {
                    any |= buried;
                    tracing::warn!(epoch = %suspect.epoch, buried, "a node was not heard for its lease");
                }
                Err(error) => {
                    tracing::warn!(epoch = %suspect.epoch, %error, "a silent node is not declared gone yet")
                }
            }
        }
        any
    }

    /// Closes the sessions of nodes that are gone, as of their last evidence (M11).
    ///
    /// # Errors
    /// As [`Store::recover`].
    pub async fn close_left_behind(&self) -> Result<Recovery, StoreError> {
        self.store.close_of_gone_nodes().await
    }
}
