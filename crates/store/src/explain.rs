//! Why a session cost what it did, from its journal.

use housecall_meter::{Explanation, Millis, Session, SessionId, Transaction};

use crate::{Store, StoreError};

impl Store {
    /// Tells a session again from its journal entries and explains its price (M10); one that runs, as if it ended at its last evidence. None
    /// if there is no such session.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Replay`] when the entries do not tell a session.
    pub async fn explain(&self, session: &SessionId) -> Result<Option<Explanation>, StoreError> {
        let Some(told) = self.replayed(session).await? else {
            return Ok(None);
        };
        let evidence: Option<(i64,)> =
            sqlx::query_as("SELECT evidence_ms FROM metered_session WHERE session = $1")
                .bind(session.as_str())
                .fetch_optional(self.pool())
                .await?;
        let evidence = evidence.map_or(0, |(ms,)| u64::try_from(ms).unwrap_or(0));
        Ok(Some(told.explain(Millis(evidence))))
    }

    /// Tells a session again from its journal entries; none if there are none.
    async fn replayed(&self, session: &SessionId) -> Result<Option<Session>, StoreError> {
        let entries = self.entries(session).await?.into_iter();
        let entries: Vec<Transaction> = entries.map(|entry| entry.transaction).collect();
        if entries.is_empty() {
            return Ok(None);
        }
        replay(session, &entries).map(Some)
    }
}

/// Tells a session again from all that was written of it.
pub(crate) fn replay(session: &SessionId, written: &[Transaction]) -> Result<Session, StoreError> {
    Session::replay(written).map_err(|why| StoreError::Replay {
        session: session.clone(),
        why,
    })
}
