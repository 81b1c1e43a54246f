//! What each patient of a visit cost.

use std::collections::BTreeMap;

use housecall_meter::{Millis, Patient, Session, SessionId};
use sqlx::AnyConnection;

use super::agree;
use crate::StoreError;

/// Of the visits that end in the next entries behind `$1`, at most `$2`.
const PARTS: &str = "SELECT p.session, p.seat, p.credits FROM (SELECT session FROM (SELECT session, kind FROM journal WHERE seq > $1 \
    ORDER BY seq LIMIT $2) AS next WHERE kind IN ('settle', 'release')) AS ended JOIN visit_patient p ON p.session = ended.session";

/// Seats and credits, as the records of visits have them.
#[derive(Default)]
pub(super) struct Parts(BTreeMap<SessionId, Vec<(i64, i64)>>);

impl Parts {
    pub(super) async fn read(
        tx: &mut AnyConnection,
        after: i64,
        at_most: i64,
    ) -> Result<Self, StoreError> {
        let rows = sqlx::query_as(PARTS).bind(after).bind(at_most);
        let rows: Vec<(String, i64, i64)> = rows.fetch_all(tx).await?;
        let mut parts: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (session, seat, credits) in rows {
            let seats = parts.entry(SessionId::new(session)).or_default();
            seats.push((seat, credits));
        }
        Ok(Self(parts))
    }

    /// Compares them with what a session that has ended tells.
    pub(super) fn check(&self, told: &Session) -> Result<(), StoreError> {
        for (seat, credits) in self.0.get(told.id()).into_iter().flatten() {
            let patient = u8::try_from(*seat).ok().and_then(Patient::from_seat);
            let cost = patient.map(|patient| told.cost_of(patient, Millis::ZERO));
            let is_so = cost.is_some_and(|cost| cost.posted() == *credits);
            let place = || format!("patient {seat} in the record of visit {}", told.id());
            agree(is_so, place, "costs other than the session tells")?;
        }
        Ok(())
    }
}
