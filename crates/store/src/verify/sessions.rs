//! The rows of sessions: who pays, how far there is evidence, and where the journal ends them.

use housecall_meter::{SessionId, Transaction};
use sqlx::AnyConnection;

use super::{Told, agree, count, expect};
use crate::StoreError;

/// A session that began at another time, or with another payer, than its first entry.
const BEGAN_OTHERWISE: &str = "SELECT s.session FROM journal j JOIN metered_session s ON s.session = j.session \
    WHERE j.kind = 'reserve' AND (s.started_unix_ms <> j.recorded_unix_ms OR s.account_id <> j.account_id) LIMIT 1";

/// One that ends with an entry which is no end of it, or behind its evidence.
const ENDED_OTHERWISE: &str = "SELECT s.session FROM metered_session s LEFT JOIN journal e ON e.seq = s.ended_seq \
    WHERE s.ended_seq IS NOT NULL AND (e.session IS NULL OR e.session <> s.session OR e.kind NOT IN ('settle', 'release') \
    OR e.account_id <> s.account_id OR s.evidence_ms < e.at_ms) LIMIT 1";

/// One of a node that never was: nobody would close it.
const OF_NOBODY: &str = "SELECT s.session FROM metered_session s LEFT JOIN node n ON n.epoch = s.epoch \
    WHERE s.epoch <> 0 AND n.epoch IS NULL LIMIT 1";

const OPEN: &str =
    "SELECT session, account_id, evidence_ms FROM metered_session WHERE ended_seq IS NULL";

pub(super) async fn check(tx: &mut AnyConnection, told: &Told) -> Result<(), StoreError> {
    let all = "SELECT COUNT(*) FROM metered_session";
    let all: i64 = sqlx::query_scalar(all).fetch_one(&mut *tx).await?;
    let sessions = told.ended + told.open.len() as u64;
    let sessions = i64::try_from(sessions).unwrap_or(i64::MAX);
    expect(|| "the number of sessions".to_owned(), all, sessions)?;
    for (statement, what) in [
        (BEGAN_OTHERWISE, "did not begin as its first entry says"),
        (ENDED_OTHERWISE, "did not end as its last entry says"),
        (OF_NOBODY, "is of a node that never was"),
    ] {
        expect_none(&mut *tx, statement, "session", what).await?;
    }
    check_open(tx, told).await
}

/// Sessions without an end are those that the journal does not end, and their evidence is not older than their last entry.
async fn check_open(tx: &mut AnyConnection, told: &Told) -> Result<(), StoreError> {
    let open: Vec<(String, String, i64)> = sqlx::query_as(OPEN).fetch_all(tx).await?;
    let rows = i64::try_from(open.len()).unwrap_or(i64::MAX);
    let running = i64::try_from(told.open.len()).unwrap_or(i64::MAX);
    expect(|| "the number of open sessions".to_owned(), rows, running)?;
    for (session, payer, evidence_ms) in open {
        let fits =
            |last: &Transaction| last.account.as_str() == payer && last.at.0 <= count(evidence_ms);
        let written = told.open.get(&SessionId::new(session.clone()));
        let is_so = written.and_then(|written| written.last()).is_some_and(fits);
        let place = || format!("session {session}");
        agree(is_so, place, "is not as far as its last entry says")?;
    }
    Ok(())
}

/// An error about the first session that a statement finds.
pub(super) async fn expect_none(
    tx: &mut AnyConnection,
    statement: &'static str,
    kind: &str,
    what: &'static str,
) -> Result<(), StoreError> {
    let found: Option<String> = sqlx::query_scalar(statement).fetch_optional(tx).await?;
    agree(
        found.is_none(),
        || format!("{kind} {}", found.as_deref().unwrap_or_default()),
        what,
    )
}
