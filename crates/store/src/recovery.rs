//! Closes the sessions that a crash cut off (M11).

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

impl Store {
    /// Closes every session that has no end, as of its last evidence: the later of its last heartbeat and its last entry.
    ///
    /// Call it when the program starts and before it runs sessions: one that runs has no end either. A second call
    /// finds nothing.
    ///
    /// # Errors
    /// What the database says. A session that cannot be read is no error: see [`Recovery::unreadable`].
    pub async fn recover(&self) -> Result<Recovery, StoreError> {
        let open = "SELECT session, started_unix_ms, evidence_ms FROM metered_session \
                    WHERE ended_seq IS NULL ORDER BY session";
        let mut recovery = Recovery::default();
        for open in sqlx::query_as::<_, Open>(open)
            .fetch_all(self.pool())
            .await?
        {
            let session = SessionId::new(open.session.clone());
            match self.close(open, &session).await {
                Ok(orphan) => recovery.closed.push(orphan),
                Err(error) if error.is_away() => return Err(error),
                Err(error) => recovery.unreadable.push((session, error)),
            }
        }
        recovery.log();
        Ok(recovery)
    }

    async fn close(&self, open: Open, id: &SessionId) -> Result<Orphan, StoreError> {
        let entries = self.entries(id).await?;
        let replay = Session::replay(entries.iter().map(|entry| &entry.transaction));
        let mut session = replay.map_err(|why| StoreError::Replay {
            session: id.clone(),
            why,
        })?;
        let last_evidence = Millis(u64::try_from(open.evidence_ms).unwrap_or(0));
        // Recovered is a fact of every session that has no end, so it is never at the wrong moment.
        let _ = session.handle_input(last_evidence, Fact::Recovered { last_evidence });
        while let Some(entry) = session.poll_output() {
            self.write(&entry).await?;
        }
        Ok(Orphan {
            session: id.clone(),
            account: session.account().clone(),
            started: WallMillis(open.started_unix_ms),
            elapsed: last_evidence,
            credits: session.cost_so_far(last_evidence),
            each: Patient::ALL.map(|patient| session.cost_of(patient, last_evidence)),
        })
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
