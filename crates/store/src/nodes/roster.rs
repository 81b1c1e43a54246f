//! The table of nodes.

use housecall::ports::{Clock, SystemClock};
use sqlx::AnyConnection;

use super::sightings::Suspect;
use super::{Epoch, NodePlan};
use crate::number::read;
use crate::{Dialect, Store, StoreError};

/// What a node does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NodeState {
    /// It takes rooms and calls.
    Live,
    /// It brings those that it has to their end.
    Draining,
    /// It left, or was declared gone: its epoch is over.
    Gone,
}

/// A node as the others see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeView {
    /// Its epoch.
    pub epoch: Epoch,
    /// What people call it.
    pub name: String,
    /// Where browsers reach this very node, without a slash at its end.
    pub url: String,
    /// What it does.
    pub state: NodeState,
    /// How many heartbeats it has written.
    pub beats: u64,
}

impl NodeState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Draining => "draining",
            Self::Gone => "gone",
        }
    }

    fn of(text: &str) -> Self {
        let known = [Self::Live, Self::Draining].into_iter();
        let mut known = known.filter(|state| state.as_str() == text);
        known.next().unwrap_or(Self::Gone)
    }
}

/// A row of the table.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    epoch: i64,
    name: String,
    url: String,
    state: String,
    beats: i64,
}

impl Row {
    pub(super) fn view(self) -> Result<NodeView, StoreError> {
        Ok(NodeView {
            epoch: Epoch(read("epoch", "node", self.epoch)?),
            beats: read("beats", "node", self.beats)?,
            state: NodeState::of(&self.state),
            name: self.name,
            url: self.url,
        })
    }
}

impl Store {
    /// Takes a new epoch. In a file, all before it are over.
    pub(super) async fn enter(&self, plan: &NodePlan) -> Result<Epoch, StoreError> {
        // In nobody's name: there is no epoch yet, and the last one does not matter.
        let mut tx = self.begin_as(Epoch::NONE).await?;
        if self.dialect() == Dialect::Sqlite {
            let all = "UPDATE node SET state = 'gone' WHERE state <> 'gone'";
            sqlx::query(all).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM claim").execute(&mut *tx).await?;
        }
        let insert = "INSERT INTO node (epoch, name, url, state, beats, joined_unix_ms, beaten_unix_ms) \
                      SELECT COALESCE(MAX(epoch), 0) + 1, $1, $2, 'live', 0, $3, $3 FROM node RETURNING epoch";
        let epoch = sqlx::query_scalar(insert)
            .bind(&plan.name)
            .bind(&plan.url)
            .bind(SystemClock.wall().0)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Epoch(read("epoch", "node", epoch)?))
    }

    /// Changes what a node does; false if it is gone.
    pub(super) async fn set_state(
        &self,
        epoch: Epoch,
        state: NodeState,
    ) -> Result<bool, StoreError> {
        let update = "UPDATE node SET state = $2 WHERE epoch = $1 AND state <> 'gone'";
        let query = sqlx::query(update)
            .bind(epoch.stored())
            .bind(state.as_str());
        Ok(query.execute(self.pool()).await?.rows_affected() == 1)
    }

    /// Declares a node gone whose heartbeats still stand where they did, and frees what it had claimed. False if it was not so.
    ///
    /// Whoever writes for that node at the same moment has done so before, or is refused: both take the journal's turn.
    pub(crate) async fn bury(&self, suspect: Suspect) -> Result<bool, StoreError> {
        let mut tx = self.begin_entry().await?;
        let gone =
            "UPDATE node SET state = 'gone' WHERE epoch = $1 AND beats = $2 AND state <> 'gone'";
        let query = sqlx::query(gone)
            .bind(suspect.epoch.stored())
            .bind(i64::try_from(suspect.beats).unwrap_or(i64::MAX));
        let buried = query.execute(&mut *tx).await?.rows_affected() == 1;
        if buried {
            free_claims(&mut tx, suspect.epoch).await?;
        }
        tx.commit().await?;
        Ok(buried)
    }

    /// A node leaves: its epoch is over, by its own word.
    pub(super) async fn depart(&self, epoch: Epoch) -> Result<(), StoreError> {
        let mut tx = self.begin_as(Epoch::NONE).await?;
        let gone = "UPDATE node SET state = 'gone' WHERE epoch = $1";
        sqlx::query(gone)
            .bind(epoch.stored())
            .execute(&mut *tx)
            .await?;
        free_claims(&mut tx, epoch).await?;
        Ok(tx.commit().await?)
    }
}

async fn free_claims(tx: &mut AnyConnection, epoch: Epoch) -> Result<(), StoreError> {
    let free = "DELETE FROM claim WHERE epoch = $1";
    sqlx::query(free).bind(epoch.stored()).execute(tx).await?;
    Ok(())
}

/// What the database says to a heartbeat.
pub(super) enum Beaten {
    /// All nodes that are there.
    There(Vec<NodeView>),
    /// This one is not; and the newest epoch of all.
    Over(Epoch),
}

/// Writes a heartbeat.
pub(super) async fn beat(line: &mut AnyConnection, epoch: Epoch) -> Result<Beaten, StoreError> {
    let beat = "UPDATE node SET beats = beats + 1, beaten_unix_ms = $2 WHERE epoch = $1 AND state <> 'gone'";
    let query = sqlx::query(beat)
        .bind(epoch.stored())
        .bind(SystemClock.wall().0);
    if query.execute(&mut *line).await?.rows_affected() == 0 {
        let newest = "SELECT COALESCE(MAX(epoch), 0) FROM node";
        let newest = sqlx::query_scalar(newest).fetch_one(line).await?;
        return Ok(Beaten::Over(Epoch(read("epoch", "node", newest)?)));
    }
    let there =
        "SELECT epoch, name, url, state, beats FROM node WHERE state <> 'gone' ORDER BY epoch";
    let rows: Vec<Row> = sqlx::query_as(there).fetch_all(line).await?;
    let nodes = rows.into_iter().map(Row::view);
    Ok(Beaten::There(nodes.collect::<Result<_, _>>()?))
}
