//! Which calls a report is on, and the statements that find them.

use housecall::ports::WallMillis;
use housecall_meter::AccountId;
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::QueryAs;

use crate::number::Stored;

/// Which calls are wanted: all that are set must hold (C1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CallFilter {
    /// Started then or later.
    pub from: Option<WallMillis>,
    /// Started before then.
    pub before: Option<WallMillis>,
    /// On whose behalf.
    pub practitioner: Option<String>,
    /// Who clicked Call.
    pub caller: Option<String>,
    /// Who was rung.
    pub recipient: Option<String>,
    /// The number called from or rung, E.164.
    pub number: Option<String>,
    /// How it ended, by the name of its outcome.
    pub outcome: Option<String>,
    /// Talked at least this long, in milliseconds.
    pub talk_ms_min: Option<u64>,
}

/// A statement on the calls that a filter lets through. `$lead` says once more, without an alternative, what an index may begin with: a
/// database that plans before it has the values cannot tell which of the filter are set.
macro_rules! among_filtered {
    ($columns:literal, $lead:literal, $tail:expr) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM call_record WHERE account_id = $1 AND started_unix_ms >= $2 AND started_unix_ms < $3 AND ",
            $lead,
            " AND ($4 IS NULL OR practitioner = $4) AND ($5 IS NULL OR caller = $5) ",
            "AND ($6 IS NULL OR recipient = $6) AND ($7 IS NULL OR $7 IN (from_number, to_number)) ",
            "AND ($8 IS NULL OR outcome = $8) AND ($9 IS NULL OR talk_ms >= $9)",
            $tail
        )
    };
}
pub(crate) use among_filtered;

/// The statements on one page of those calls, newest first, one for each field that may lead; each between `$before` and `$behind`.
macro_rules! page_of_filtered {
    ($columns:literal, $before:literal, $behind:literal) => {
        Led {
            recipient: page_of_filtered!($columns, $before, $behind, "recipient = $6"),
            // The page is among the first of either way, and each way has an index.
            number: concat!(
                $before,
                "SELECT * FROM (SELECT * FROM (",
                among_filtered!($columns, "to_number = $7", newest_first!("$10 + $11")),
                ") AS rung UNION ALL SELECT * FROM (",
                among_filtered!(
                    $columns,
                    "from_number = $7 AND to_number <> $7",
                    newest_first!("$10 + $11")
                ),
                ") AS rung_from) AS either",
                newest_first!("$10 OFFSET $11"),
                $behind
            ),
            practitioner: page_of_filtered!($columns, $before, $behind, "practitioner = $4"),
            caller: page_of_filtered!($columns, $before, $behind, "caller = $5"),
            outcome: page_of_filtered!($columns, $before, $behind, "outcome = $8"),
            start: page_of_filtered!($columns, $before, $behind, "TRUE"),
        }
    };
    ($columns:literal, $before:literal, $behind:literal, $lead:literal) => {
        concat!(
            $before,
            among_filtered!($columns, $lead, newest_first!("$10 OFFSET $11")),
            $behind
        )
    };
}

macro_rules! newest_first {
    ($limit:literal) => {
        concat!(
            " ORDER BY started_unix_ms DESC, session DESC LIMIT ",
            $limit
        )
    };
}

/// The same question, led by different fields.
pub(crate) struct Led {
    recipient: &'static str,
    number: &'static str,
    practitioner: &'static str,
    caller: &'static str,
    outcome: &'static str,
    start: &'static str,
}

/// One page of calls. Binds, behind the filter, how many and how many before.
pub(crate) const PAGE: Led = page_of_filtered!("*", "", "");

/// How the calls of such a page were judged.
pub(crate) const JUDGEMENTS_OF_PAGE: Led = page_of_filtered!(
    "session, started_unix_ms",
    "SELECT q.* FROM call_quality q JOIN (",
    ") AS page ON page.session = q.session"
);

impl Led {
    /// Returns the one that leaves the fewest calls to look at.
    pub(crate) fn by(&self, filter: &CallFilter) -> &'static str {
        let set = [
            (filter.recipient.is_some(), self.recipient),
            (filter.number.is_some(), self.number),
            (filter.practitioner.is_some(), self.practitioner),
            (filter.caller.is_some(), self.caller),
            (filter.outcome.is_some(), self.outcome),
        ];
        let led = set.into_iter().find(|(is_set, _)| *is_set);
        led.map_or(self.start, |(_, statement)| statement)
    }
}

type Query<'q, O> = QueryAs<'q, Any, O, AnyArguments>;

impl CallFilter {
    /// Binds `$1` to `$9` of a statement on the calls of `account`.
    pub(crate) fn bind<'q, O>(
        &'q self,
        account: &'q AccountId,
        query: Query<'q, O>,
    ) -> Query<'q, O> {
        query
            .bind(account.as_str())
            .bind(self.from.map_or(i64::MIN, |from| from.0))
            .bind(self.before.map_or(i64::MAX, |before| before.0))
            .bind(self.practitioner.as_deref())
            .bind(self.caller.as_deref())
            .bind(self.recipient.as_deref())
            .bind(self.number.as_deref())
            .bind(self.outcome.as_deref())
            .bind(self.talk_ms_min.map(Stored::stored))
    }
}
