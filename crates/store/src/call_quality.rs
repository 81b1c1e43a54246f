//! How calls sounded, a row for each direction (P5).

use std::collections::BTreeMap;

use housecall::record::{Judged, Quality, Timeline};
use sqlx::AnyConnection;

use crate::StoreError;
use crate::number::read;

/// The judged directions of some calls, by session and direction.
pub(crate) struct Judgements(BTreeMap<(String, String), Judged>);

const HEARD: &str = "heard";
const SENT: &str = "sent";

impl Judgements {
    pub(crate) fn of(rows: Vec<Row>) -> Result<Self, StoreError> {
        let read = rows.into_iter().map(Row::judged);
        read.collect::<Result<_, _>>().map(Self)
    }

    /// Takes the two directions of a call, heard and sent.
    pub(crate) fn take(&mut self, session: &str) -> (Option<Judged>, Option<Judged>) {
        let mut take = |direction: &str| self.0.remove(&(session.to_owned(), direction.to_owned()));
        (take(HEARD), take(SENT))
    }
}

/// Writes both directions of a call, as far as they were judged.
pub(crate) async fn insert(
    tx: &mut AnyConnection,
    session: &str,
    quality: &Quality,
) -> Result<(), StoreError> {
    for (direction, judged) in [(HEARD, &quality.heard), (SENT, &quality.sent)] {
        let Some(judged) = judged else { continue };
        let insert = "INSERT INTO call_quality (session, direction, rating, worst_minute, good_s, fair_s, poor_s, \
                      lost_per_10k, concealed_per_10k, jitter_ms, timeline) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        sqlx::query(insert)
            .bind(session)
            .bind(direction)
            .bind(i64::from(judged.rating))
            .bind(i64::from(judged.worst_minute))
            .bind(i64::from(judged.good_s))
            .bind(i64::from(judged.fair_s))
            .bind(i64::from(judged.poor_s))
            .bind(i64::from(judged.lost_per_10k))
            .bind(i64::from(judged.concealed_per_10k))
            .bind(i64::from(judged.jitter_ms))
            .bind(judged.timeline.as_bytes())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    session: String,
    direction: String,
    rating: i64,
    worst_minute: i64,
    good_s: i64,
    fair_s: i64,
    poor_s: i64,
    lost_per_10k: i64,
    concealed_per_10k: i64,
    jitter_ms: i64,
    timeline: Vec<u8>,
}

impl Row {
    fn judged(self) -> Result<((String, String), Judged), StoreError> {
        let place = &self.session;
        let judged = Judged {
            rating: read("rating", place, self.rating)?,
            worst_minute: read("worst_minute", place, self.worst_minute)?,
            good_s: read("good_s", place, self.good_s)?,
            fair_s: read("fair_s", place, self.fair_s)?,
            poor_s: read("poor_s", place, self.poor_s)?,
            lost_per_10k: read("lost_per_10k", place, self.lost_per_10k)?,
            concealed_per_10k: read("concealed_per_10k", place, self.concealed_per_10k)?,
            jitter_ms: read("jitter_ms", place, self.jitter_ms)?,
            timeline: Timeline::of_bytes(&self.timeline),
        };
        Ok(((self.session, self.direction), judged))
    }
}
