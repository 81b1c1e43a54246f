//! What the records of calls and visits say that they cost.

use housecall_meter::SessionId;
use sqlx::AnyConnection;

use super::sessions::expect_none;
use crate::StoreError;

/// Of what the journal charged at the end. Corrections come later and change no record.
macro_rules! charged_otherwise {
    ($table:literal, $which:literal) => {
        concat!(
            "SELECT r.session FROM ",
            $table,
            " r LEFT JOIN metered_session s ON s.session = r.session \
             LEFT JOIN posting p ON p.seq = s.ended_seq AND p.account = 'earned' WHERE ",
            $which,
            " AND (s.ended_seq IS NULL OR s.account_id <> r.account_id OR r.credits <> COALESCE(p.delta, 0)) LIMIT 1"
        )
    };
}

/// A call of a visit is paid with it (M9).
const CHARGED_BESIDE_ITS_VISIT: &str = "SELECT r.session FROM call_record r LEFT JOIN metered_session v ON v.session = r.visit \
    LEFT JOIN metered_session s ON s.session = r.session WHERE r.visit IS NOT NULL \
    AND (r.credits <> 0 OR v.session IS NULL OR v.account_id <> r.account_id OR s.session IS NOT NULL) LIMIT 1";

const SHARED_OTHERWISE: &str = "SELECT v.session FROM visit_record v LEFT JOIN \
    (SELECT session, CAST(SUM(credits) AS BIGINT) AS credits FROM visit_patient GROUP BY session) AS each ON each.session = v.session \
    WHERE v.credits <> COALESCE(each.credits, 0) LIMIT 1";

const OF_NO_VISIT: &str = "SELECT p.session FROM visit_patient p LEFT JOIN visit_record v ON v.session = p.session \
    WHERE v.session IS NULL LIMIT 1";

/// Sessions that ran to their end and cost something, of which nothing else is there; the first of them.
const UNRECORDED: &str = "SELECT s.session FROM metered_session s JOIN journal e ON e.seq = s.ended_seq \
    WHERE e.kind = 'settle' AND e.cause NOT LIKE 'recovered %' \
    AND NOT EXISTS (SELECT 1 FROM call_record c WHERE c.session = s.session) \
    AND NOT EXISTS (SELECT 1 FROM visit_record v WHERE v.session = s.session) ORDER BY s.ended_seq LIMIT 100";

/// Days that come to something else than their calls, which are added up again: compared both ways, since there may be a row too many as well.
const COUNTED_OTHERWISE: &str = "WITH counted AS (SELECT account_id, started_unix_ms / 86400000 AS day, practitioner, caller, from_number, outcome, \
    COUNT(*) AS calls, COUNT(answered_unix_ms) AS answered, CAST(SUM(talk_ms) AS BIGINT) AS talk_ms, CAST(SUM(hold_ms) AS BIGINT) AS hold_ms, \
    CAST(SUM(credits) AS BIGINT) AS credits FROM call_record \
    GROUP BY account_id, started_unix_ms / 86400000, practitioner, caller, from_number, outcome) \
    SELECT CAST(day AS TEXT) FROM (SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM call_day) AS missing \
    UNION ALL SELECT * FROM (SELECT * FROM call_day EXCEPT SELECT * FROM counted) AS added) AS differing LIMIT 1";

pub(super) async fn check(tx: &mut AnyConnection) -> Result<(), StoreError> {
    let what = "costs, or is paid by somebody, other than the journal says";
    let calls = charged_otherwise!("call_record", "r.visit IS NULL");
    expect_none(&mut *tx, calls, "the record of call", what).await?;
    let visits = charged_otherwise!("visit_record", "TRUE");
    expect_none(&mut *tx, visits, "the record of visit", what).await?;
    let what = "is of no visit of its payer, or costs something beside it";
    let calls = CHARGED_BESIDE_ITS_VISIT;
    expect_none(&mut *tx, calls, "the record of call", what).await?;
    let what = "costs another sum than that of its patients";
    expect_none(&mut *tx, SHARED_OTHERWISE, "the record of visit", what).await?;
    let what = "is not there, and its patients are";
    expect_none(&mut *tx, OF_NO_VISIT, "the record of visit", what).await?;
    let what = "since 1970 has other calls than their records say";
    expect_none(tx, COUNTED_OTHERWISE, "day", what).await
}

/// Sessions that should have a record and have none, the first hundred.
pub(super) async fn unrecorded(tx: &mut AnyConnection) -> Result<Vec<SessionId>, StoreError> {
    let sessions: Vec<String> = sqlx::query_scalar(UNRECORDED).fetch_all(tx).await?;
    Ok(sessions.into_iter().map(SessionId::new).collect())
}
