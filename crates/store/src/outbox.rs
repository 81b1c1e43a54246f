//! What the world outside is to be told.

use std::time::Duration;

use housecall::ports::WallMillis;
use housecall_meter::{AccountId, Event, EventKey, News};
use sqlx::AnyConnection;

use crate::number::read;
use crate::{Page, Store, StoreError};

/// How long whoever takes an event has for it, before it is due for others.
const TAKEN_FOR: Duration = Duration::from_secs(60);

/// The wait after the first attempt that failed. It doubles with each, as far as the longest.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// An event that somebody has taken to deliver it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outgoing {
    /// The event. It may have been delivered before, by somebody who could not say so any more.
    pub event: Event,
    /// When it was caused.
    pub caused: WallMillis,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

#[derive(sqlx::FromRow)]
struct Row {
    key: String,
    account_id: String,
    news: String,
    caused_unix_ms: i64,
    attempts: i64,
}

impl Store {
    /// Returns what an account's owner was to be told, newest first, and when it was caused; whether it was delivered or not.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn told(
        &self,
        account: &AccountId,
        page: Page,
    ) -> Result<Vec<(Event, WallMillis)>, StoreError> {
        let select = "SELECT key, account_id, news, caused_unix_ms, attempts FROM outbox WHERE account_id = $1 \
                      ORDER BY caused_unix_ms DESC, key LIMIT $2 OFFSET $3";
        let rows = sqlx::query_as::<_, Row>(select)
            .bind(account.as_str())
            .bind(page.limit())
            .bind(page.offset());
        let rows = self.answered(async { Ok(rows.fetch_all(self.pool()).await?) });
        let told = rows.await?.into_iter().map(|row| {
            let Outgoing { event, caused, .. } = row.outgoing()?;
            Ok((event, caused))
        });
        told.collect()
    }

    /// Takes events that are due, the oldest first, at most so many. Each is due again in a minute, unless [`Store::sent`] says that it was
    /// delivered, or [`Store::not_sent`] that it was not. Nobody else gets it in the meantime.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn take_events(
        &self,
        now: WallMillis,
        at_most: u32,
    ) -> Result<Vec<Outgoing>, StoreError> {
        self.answered(self.take_in_turn(now, at_most)).await
    }

    async fn take_in_turn(
        &self,
        now: WallMillis,
        at_most: u32,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let due = "SELECT key, account_id, news, caused_unix_ms, attempts FROM outbox \
                   WHERE sent_unix_ms IS NULL AND due_unix_ms <= $1 ORDER BY caused_unix_ms, key LIMIT $2";
        let take = "UPDATE outbox SET due_unix_ms = $3, attempts = attempts + 1 \
                    WHERE key = $1 AND sent_unix_ms IS NULL AND due_unix_ms <= $2";
        let mut tx = self.begin().await?;
        let rows: Vec<Row> = sqlx::query_as(due)
            .bind(now.0)
            .bind(i64::from(at_most))
            .fetch_all(&mut *tx)
            .await?;
        let mut taken = Vec::new();
        for row in rows {
            let query = sqlx::query(take)
                .bind(&row.key)
                .bind(now.0)
                .bind(later(now, TAKEN_FOR));
            // Another one may have taken it between the two statements.
            if query.execute(&mut *tx).await?.rows_affected() == 1 {
                taken.push(row.outgoing()?);
            }
        }
        tx.commit().await?;
        Ok(taken)
    }

    /// Hears that an event was delivered: it is never taken again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sent(&self, key: &EventKey, now: WallMillis) -> Result<(), StoreError> {
        let sent = "UPDATE outbox SET sent_unix_ms = $2 WHERE key = $1 AND sent_unix_ms IS NULL";
        self.change(sent, key, now.0).await
    }

    /// Hears that a delivery failed: the event is due again after 10 s, after the next failure 20 s, and so on, at most an hour.
    ///
    /// # Errors
    /// What the database says.
    pub async fn not_sent(&self, taken: &Outgoing, now: WallMillis) -> Result<(), StoreError> {
        let due = "UPDATE outbox SET due_unix_ms = $2 WHERE key = $1 AND sent_unix_ms IS NULL";
        let at = later(now, wait_after(taken.attempt));
        self.change(due, &taken.event.key, at).await
    }

    async fn change(
        &self,
        statement: &'static str,
        key: &EventKey,
        unix_ms: i64,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(statement).bind(key.as_str()).bind(unix_ms);
        self.answered(async { Ok(query.execute(self.pool()).await.map(drop)?) })
            .await
    }
}

/// Keeps an event in the transaction of what caused it. One that is known already stays what it is.
pub(crate) async fn put(
    tx: &mut AnyConnection,
    event: &Event,
    now: WallMillis,
) -> Result<(), StoreError> {
    let insert = "INSERT INTO outbox (key, account_id, news, caused_unix_ms, due_unix_ms, attempts) \
                  VALUES ($1, $2, $3, $4, $4, 0) ON CONFLICT (key) DO NOTHING";
    sqlx::query(insert)
        .bind(event.key.as_str())
        .bind(event.account.as_str())
        .bind(event.news.to_string())
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// All events there ever were, and when each was caused.
pub(crate) async fn events(tx: &mut AnyConnection) -> Result<Vec<(Event, i64)>, StoreError> {
    let all = "SELECT key, account_id, news, caused_unix_ms, attempts FROM outbox";
    let rows: Vec<Row> = sqlx::query_as(all).fetch_all(tx).await?;
    let events = rows.into_iter().map(|row| {
        let Outgoing { event, caused, .. } = row.outgoing()?;
        Ok((event, caused.0))
    });
    events.collect()
}

impl Row {
    fn outgoing(self) -> Result<Outgoing, StoreError> {
        let place = format!("event {}", self.key);
        let news = News::parse(&self.news).ok_or_else(|| StoreError::Unreadable {
            what: "news",
            place: place.clone(),
        })?;
        let attempts: u32 = read("attempts", &place, self.attempts)?;
        Ok(Outgoing {
            event: Event {
                key: EventKey::new(self.key),
                account: AccountId::new(self.account_id),
                news,
            },
            caused: WallMillis(self.caused_unix_ms),
            attempt: attempts.saturating_add(1),
        })
    }
}

fn wait_after(attempt: u32) -> Duration {
    let times = 2_u32.saturating_pow(attempt.saturating_sub(1));
    FIRST_WAIT.saturating_mul(times).min(LONGEST_WAIT)
}

fn later(now: WallMillis, wait: Duration) -> i64 {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    now.0.saturating_add(wait)
}
