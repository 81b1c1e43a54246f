//! Closes the sessions that a crash cut off (M11), once, however many nodes are at it.

use housecall::ports::WallMillis;
use housecall_meter::{AccountId, Credits, Fact, Millis, Patient, Session, SessionId};

use crate::{Store, StoreError};

/// What recovery found.
#[derive(Debug, Default)]
pub struct Recovery {
    /// Sessions that are closed now.
    pub closed: Vec<Orphan>,
    /// Sessions whose journal cannot be read: they stay open, with their credits reserved, for a person to look at.
    pub unreadable: Vec<(SessionId, StoreError)>,
}

/// A session that a crash cut off, closed at its last evidence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Orphan {
    /// The session.
    pub session: SessionId,
    /// Who pays.
    pub account: AccountId,
    /// When it started.
    pub started: WallMillis,
    /// How long it is known to have lasted, on the clock of charges.
    pub elapsed: Millis,
    /// What it cost.
    pub credits: Credits,
    /// The part of each patient, in seat order; of a phone call, the first.
    pub each: [Credits; 3],
}

#[derive(sqlx::FromRow)]
struct Open {
    session: String,
    started_unix_ms: i64,
    evidence_ms: i64,
}

/// Of sessions without an end, those of programs that had the database to themselves, where `$1` is 1, and those of nodes that are gone.
const LEFT_OPEN: &str = "SELECT m.session, m.started_unix_ms, m.evidence_ms FROM metered_session m \
    LEFT JOIN node n ON n.epoch = m.epoch \
    WHERE m.ended_seq IS NULL AND (n.state = 'gone' OR ($1 = 1 AND m.epoch = 0)) ORDER BY m.session";

impl Store {
    /// Closes every session that has no end and belongs to no node that is there, as of its last evidence: the later of its last heartbeat and
    /// its last entry.
    ///
    /// Call it when the program starts and before it runs sessions: those of a program that has joined no nodes have no owner, and are closed
    /// even if they run. A second call finds nothing.
    ///
    /// # Errors
    /// What the database says. A session that cannot be read is no error: see [`Recovery::unreadable`].
    pub async fn recover(&self) -> Result<Recovery, StoreError> {
        self.close_all(true).await
    }

    /// The same for those of nodes that are gone alone.
    pub(crate) async fn close_of_gone_nodes(&self) -> Result<Recovery, StoreError> {
        self.close_all(false).await
    }

    async fn close_all(&self, without_node: bool) -> Result<Recovery, StoreError> {
        let left = sqlx::query_as::<_, Open>(LEFT_OPEN)
            .bind(i64::from(without_node))
            .fetch_all(self.pool())
            .await?;
        let mut recovery = Recovery::default();
        for open in left {
            let session = SessionId::new(open.session.clone());
            match self.close(open, &session).await {
                Ok(orphan) => recovery.closed.extend(orphan),
                Err(error) if error.is_away() || matches!(error, StoreError::Fenced { .. }) => {
                    return Err(error);
                }
                Err(error) => recovery.unreadable.push((session, error)),
            }
        }
        recovery.log();
        Ok(recovery)
    }

    /// Returns nothing where another node was faster.
    async fn close(&self, open: Open, id: &SessionId) -> Result<Option<Orphan>, StoreError> {
        let entries = self.entries(id).await?;
        let replay = Session::replay(entries.iter().map(|entry| &entry.transaction));
        let mut session = replay.map_err(|why| StoreError::Replay {
            session: id.clone(),
            why,
        })?;
        let last_evidence = Millis(u64::try_from(open.evidence_ms).unwrap_or(0));
        // Recovered is a fact of every session that has no end, so it is never at the wrong moment.
        let _ = session.handle_input(last_evidence, Fact::Recovered { last_evidence });
        // Whoever wrote the last entry, which is the end.
        let mut by_us = false;
        while let Some(entry) = session.poll_output() {
            match self.write(&entry).await {
                Ok(recorded) => by_us = !recorded.already,
                Err(StoreError::SessionNotOpen { .. } | StoreError::KeyConflict { .. })
                    if !self.is_open(id).await? =>
                {
                    by_us = false;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(by_us.then(|| Orphan {
            session: id.clone(),
            account: session.account().clone(),
            started: WallMillis(open.started_unix_ms),
            elapsed: last_evidence,
            credits: session.cost_so_far(last_evidence),
            each: Patient::ALL.map(|patient| session.cost_of(patient, last_evidence)),
        }))
    }

    async fn is_open(&self, session: &SessionId) -> Result<bool, StoreError> {
        let open = "SELECT COUNT(*) FROM metered_session WHERE session = $1 AND ended_seq IS NULL";
        let query = sqlx::query_scalar::<_, i64>(open).bind(session.as_str());
        Ok(query.fetch_one(self.pool()).await? > 0)
    }
}

impl Recovery {
    fn log(&self) {
        for Orphan {
            session,
            elapsed,
            credits,
            ..
        } in &self.closed
        {
            tracing::info!(%session, %elapsed, credits = credits.0, "session cut off by a crash is settled");
        }
        for (session, error) in &self.unreadable {
            tracing::error!(%session, %error, "session cut off by a crash cannot be settled");
        }
    }
}
