//! What the records of calls and visits say that they cost.

use sqlx::AnyConnection;

use super::sessions::expect_none;
use crate::StoreError;

/// Of what the journal charged at the end. Corrections come later and change no record.
macro_rules! charged_otherwise {
    ($table:literal) => {
        concat!(
            "SELECT r.session FROM ",
            $table,
            " r LEFT JOIN metered_session s ON s.session = r.session \
             LEFT JOIN posting p ON p.seq = s.ended_seq AND p.account = 'earned' \
             WHERE s.ended_seq IS NULL OR s.account_id <> r.account_id OR r.credits <> COALESCE(p.delta, 0) LIMIT 1"
        )
    };
}

const SHARED_OTHERWISE: &str = "SELECT v.session FROM visit_record v LEFT JOIN \
    (SELECT session, CAST(SUM(credits) AS BIGINT) AS credits FROM visit_patient GROUP BY session) AS each ON each.session = v.session \
    WHERE v.credits <> COALESCE(each.credits, 0) LIMIT 1";

/// Days that come to something else than their calls, which are added up again: compared both ways, since there may be a row too many as well.
const COUNTED_OTHERWISE: &str = "WITH counted AS (SELECT account_id, started_unix_ms / 86400000 AS day, practitioner, caller, from_number, outcome, \
    COUNT(*) AS calls, COUNT(answered_unix_ms) AS answered, CAST(SUM(talk_ms) AS BIGINT) AS talk_ms, CAST(SUM(hold_ms) AS BIGINT) AS hold_ms, \
    CAST(SUM(credits) AS BIGINT) AS credits FROM call_record \
    GROUP BY account_id, started_unix_ms / 86400000, practitioner, caller, from_number, outcome) \
    SELECT CAST(day AS TEXT) FROM (SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM call_day) AS missing \
    UNION ALL SELECT * FROM (SELECT * FROM call_day EXCEPT SELECT * FROM counted) AS added) AS differing LIMIT 1";

pub(super) async fn check(tx: &mut AnyConnection) -> Result<(), StoreError> {
    let what = "costs, or is paid by somebody, other than the journal says";
    let calls = charged_otherwise!("call_record");
    expect_none(&mut *tx, calls, "the record of call", what).await?;
    let visits = charged_otherwise!("visit_record");
    expect_none(&mut *tx, visits, "the record of visit", what).await?;
    let what = "costs another sum than that of its patients";
    expect_none(&mut *tx, SHARED_OTHERWISE, "the record of visit", what).await?;
    let what = "since 1970 has other calls than their records say";
    expect_none(tx, COUNTED_OTHERWISE, "day", what).await
}
