//! Who holds what.

use std::time::{Duration, Instant};

use housecall::ports::{Clock, SystemClock};

use super::roster::{NodeView, Row};
use super::{Epoch, Node};
use crate::{Store, StoreError};

/// Whoever has it may give it back just as it is asked for; who has lost so often is not live.
const CLAIM_TRIES: u32 = 3;

/// Whose it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Claim {
    /// This node's.
    Ours,
    /// Another node's.
    Theirs {
        /// Who has it, and where it is reached.
        node: NodeView,
        /// How long that one has not been heard: after ten seconds it is declared gone, and what it has is free.
        silent_for: Duration,
    },
}

impl Node {
    /// Claims something by its name for as long as this node is there, unless another one has it. A second claim changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotLive`] for a node that drains or is gone, or what the database says.
    pub async fn claim(&self, name: &str) -> Result<Claim, StoreError> {
        let epoch = self.epoch();
        for _ in 0..CLAIM_TRIES {
            let taken = self.store().try_claim(epoch, name);
            if self.store().answered(taken).await? {
                return Ok(Claim::Ours);
            }
            if let Some(claim) = self.owner(name).await? {
                return Ok(claim);
            }
        }
        Err(StoreError::NotLive { epoch })
    }

    /// Returns who holds something; none if it is free.
    ///
    /// # Errors
    /// What the database says.
    pub async fn owner(&self, name: &str) -> Result<Option<Claim>, StoreError> {
        let owner = self.store().answered(self.store().owner_of(name)).await?;
        Ok(owner.map(|node| self.seen_from_here(node)))
    }

    /// Gives back what this node had claimed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn release(&self, name: &str) -> Result<(), StoreError> {
        let release = "DELETE FROM claim WHERE name = $1 AND epoch = $2";
        let query = sqlx::query(release).bind(name).bind(self.epoch().stored());
        let released = async { Ok(query.execute(self.store().pool()).await?) };
        self.store().answered(released).await.map(drop)
    }

    fn seen_from_here(&self, node: NodeView) -> Claim {
        if node.epoch == self.epoch() {
            return Claim::Ours;
        }
        let now = Instant::now();
        let silence = |membership: &mut super::membership::Membership| {
            membership.silence_of(now, node.epoch).unwrap_or_default()
        };
        let silent_for = self.store().tenure.among(silence).unwrap_or_default();
        Claim::Theirs { node, silent_for }
    }
}

impl Store {
    /// One statement, which a live node alone passes: takes what is free, and what is this node's already.
    async fn try_claim(&self, epoch: Epoch, name: &str) -> Result<bool, StoreError> {
        let claim = "INSERT INTO claim (name, epoch, claimed_unix_ms) \
                     SELECT $1, n.epoch, $3 FROM node n WHERE n.epoch = $2 AND n.state = 'live' \
                     ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch WHERE claim.epoch = excluded.epoch \
                     OR EXISTS (SELECT 1 FROM node h WHERE h.epoch = claim.epoch AND h.state = 'gone')";
        let query = sqlx::query(claim)
            .bind(name)
            .bind(epoch.stored())
            .bind(SystemClock.wall().0);
        Ok(query.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// A claim of one that is gone is free.
    async fn owner_of(&self, name: &str) -> Result<Option<NodeView>, StoreError> {
        let owner = "SELECT n.epoch, n.name, n.url, n.state, n.beats FROM claim c JOIN node n ON n.epoch = c.epoch \
                     WHERE c.name = $1 AND n.state <> 'gone'";
        let query = sqlx::query_as::<_, Row>(owner).bind(name);
        let row = query.fetch_optional(self.pool()).await?;
        row.map(Row::view).transpose()
    }
}
