//! The bottom line of a report on calls (C2).

use housecall::ports::WallMillis;
use housecall_meter::AccountId;

use crate::call_filter::{CallFilter, among_filtered};
use crate::number::read;
use crate::{Store, StoreError};

/// Of a day, by which calls are added up beforehand; in UTC.
const DAY_MS: i64 = 86_400_000;

/// The bottom line of a report on calls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CallTotals {
    /// How many calls.
    pub calls: u64,
    /// How many of them were answered.
    pub answered: u64,
    /// Time talked, hold included, in milliseconds.
    pub talk_ms: u64,
    /// The part of it on hold.
    pub hold_ms: u64,
    /// What they cost.
    pub credits: u64,
}

/// A row of sums: in the order of [`CallTotals`].
type Sums = (i64, i64, i64, i64, i64);

/// Adds up calls one by one. The lead says what an index may begin with, as in [`crate::call_filter`].
macro_rules! add_up_calls {
    ($lead:literal) => {
        among_filtered!(
            "COUNT(*), COUNT(answered_unix_ms), CAST(COALESCE(SUM(talk_ms), 0) AS BIGINT), CAST(COALESCE(SUM(hold_ms), 0) AS BIGINT), \
             CAST(COALESCE(SUM(credits), 0) AS BIGINT)",
            $lead,
            ""
        )
    };
}

/// Of somebody who was rung; or of whoever else leaves few calls to look at.
const OF_RECIPIENT: &str = add_up_calls!("recipient = $6");
const OF_PRACTITIONER: &str = add_up_calls!("practitioner = $4");
const OF_CALLER: &str = add_up_calls!("caller = $5");
const OF_OUTCOME: &str = add_up_calls!("outcome = $8");
const OF_ALL: &str = add_up_calls!("TRUE");
/// Of a number, in either direction; the other is told from it.
const TO_NUMBER: &str = add_up_calls!("to_number = $7 AND from_number <> $7");
const FROM_NUMBER: &str = add_up_calls!("from_number = $7");

/// Adds up whole days, from `$2` to before `$3`.
const OF_DAYS: &str = "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT), CAST(COALESCE(SUM(answered), 0) AS BIGINT), \
    CAST(COALESCE(SUM(talk_ms), 0) AS BIGINT), CAST(COALESCE(SUM(hold_ms), 0) AS BIGINT), CAST(COALESCE(SUM(credits), 0) AS BIGINT) \
    FROM call_day WHERE account_id = $1 AND day >= $2 AND day < $3 AND ($4 IS NULL OR practitioner = $4) \
    AND ($5 IS NULL OR caller = $5) AND ($6 IS NULL OR from_number = $6) AND ($7 IS NULL OR outcome = $7)";

impl Store {
    /// Returns the bottom line of all the calls that the filter lets through, whatever the page.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn call_totals(
        &self,
        account: &AccountId,
        filter: &CallFilter,
    ) -> Result<CallTotals, StoreError> {
        if filter.recipient.is_some() {
            return self.add_up(OF_RECIPIENT, account, filter).await;
        }
        // What is rung has too many values to be added up beforehand, and few calls each.
        let rung = match &filter.number {
            Some(_) => self.add_up(TO_NUMBER, account, filter).await?,
            None => CallTotals::default(),
        };
        let one_by_one = one_by_one(filter);
        let rest = match filter.talk_ms_min {
            Some(_) => self.add_up(one_by_one, account, filter).await?,
            None => self.add_up_days(one_by_one, account, filter).await?,
        };
        Ok(rung.plus(rest))
    }

    /// Adds up the whole days that a filter spans, and one by one what it begins and ends with.
    async fn add_up_days(
        &self,
        one_by_one: &'static str,
        account: &AccountId,
        filter: &CallFilter,
    ) -> Result<CallTotals, StoreError> {
        let days = Days::of(filter);
        let query = sqlx::query_as::<_, Sums>(OF_DAYS)
            .bind(account.as_str())
            .bind(days.first)
            .bind(days.end)
            .bind(filter.practitioner.as_deref())
            .bind(filter.caller.as_deref())
            .bind(filter.number.as_deref())
            .bind(filter.outcome.as_deref());
        let mut totals = CallTotals::read(query.fetch_one(self.pool()).await?)?;
        for part in days.rest(filter).into_iter().flatten() {
            totals = totals.plus(self.add_up(one_by_one, account, &part).await?);
        }
        Ok(totals)
    }

    async fn add_up(
        &self,
        statement: &'static str,
        account: &AccountId,
        filter: &CallFilter,
    ) -> Result<CallTotals, StoreError> {
        let query = filter.bind(account, sqlx::query_as::<_, Sums>(statement));
        CallTotals::read(query.fetch_one(self.pool()).await?)
    }
}

/// The statement that leaves the fewest calls to look at.
fn one_by_one(filter: &CallFilter) -> &'static str {
    let set = [
        (filter.number.is_some(), FROM_NUMBER),
        (filter.practitioner.is_some(), OF_PRACTITIONER),
        (filter.caller.is_some(), OF_CALLER),
        (filter.outcome.is_some(), OF_OUTCOME),
    ];
    let led = set.into_iter().find(|(is_set, _)| *is_set);
    led.map_or(OF_ALL, |(_, statement)| statement)
}

/// Days from the first to before the end, by their numbers; no day, where the first is not before the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Days {
    first: i64,
    end: i64,
}

impl Days {
    /// The whole days that a filter spans.
    fn of(filter: &CallFilter) -> Self {
        let first = |WallMillis(from): WallMillis| {
            let day = from.div_euclid(DAY_MS);
            day.saturating_add(i64::from(from.rem_euclid(DAY_MS) > 0))
        };
        let end = |WallMillis(before): WallMillis| before.div_euclid(DAY_MS);
        let first = filter.from.map_or(i64::MIN, first);
        let end = filter.before.map_or(i64::MAX, end);
        Self { first, end }
    }

    /// What the filter spans beside them: before the first, and from the end on.
    fn rest(self, filter: &CallFilter) -> [Option<CallFilter>; 2] {
        if self.first >= self.end {
            return [Some(filter.clone()), None];
        }
        let starts = |day: i64| Some(WallMillis(day.saturating_mul(DAY_MS)));
        let is_ragged = |at: &WallMillis| at.0.rem_euclid(DAY_MS) > 0;
        let before = filter.from.filter(is_ragged).map(|from| CallFilter {
            from: Some(from),
            before: starts(self.first),
            ..filter.clone()
        });
        let behind = filter.before.filter(is_ragged).map(|before| CallFilter {
            from: starts(self.end),
            before: Some(before),
            ..filter.clone()
        });
        [before, behind]
    }
}

impl CallTotals {
    fn read((calls, answered, talk_ms, hold_ms, credits): Sums) -> Result<Self, StoreError> {
        let total = |what, sum| read(what, "call totals", sum);
        Ok(Self {
            calls: total("calls", calls)?,
            answered: total("answered", answered)?,
            talk_ms: total("talk_ms", talk_ms)?,
            hold_ms: total("hold_ms", hold_ms)?,
            credits: total("credits", credits)?,
        })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            answered: self.answered.saturating_add(other.answered),
            talk_ms: self.talk_ms.saturating_add(other.talk_ms),
            hold_ms: self.hold_ms.saturating_add(other.hold_ms),
            credits: self.credits.saturating_add(other.credits),
        }
    }
}
