//! Whoever has accounts.

use housecall::ports::{Clock, Funds, SystemClock, WallMillis};
use housecall_meter::{Account, AccountId, Balance, Credits, Date, Holdings, Transaction, Watch};
use sqlx::AnyConnection;

use crate::ledger::POSTINGS_MAX;
use crate::{StoreError, orders, outbox};

/// What an account holder has, and the watch on it, as stored.
pub(crate) struct Holder {
    account: AccountId,
    pub(crate) holdings: Holdings,
    pub(crate) watch: Option<Watch>,
    /// What the row said when it was read; none if there is none.
    was: Option<Row>,
}

#[derive(Clone, Eq, PartialEq)]
struct Row {
    given: i64,
    watch: Option<String>,
}

/// One of the accounts, beside the holder's row.
#[derive(sqlx::FromRow)]
struct Line {
    account: Option<String>,
    credits: Option<i64>,
    given: Option<i64>,
    watch: Option<String>,
}

impl Holder {
    pub(crate) async fn read(
        connection: &mut AnyConnection,
        account: &AccountId,
    ) -> Result<Self, StoreError> {
        let lines = "SELECT b.account, b.credits, h.given, h.watch FROM (SELECT CAST($1 AS TEXT) AS id) asked \
                     LEFT JOIN holder h ON h.account_id = asked.id LEFT JOIN balance b ON b.account_id = asked.id";
        let lines: Vec<Line> = sqlx::query_as(lines)
            .bind(account.as_str())
            .fetch_all(connection)
            .await?;
        let was = lines.first().and_then(|line| {
            Some(Row {
                given: line.given?,
                watch: line.watch.clone(),
            })
        });
        let of = |name: Account| {
            let mut lines = lines.iter();
            let found = lines.find(|line| line.account.as_deref() == Some(name.as_str()));
            Balance(found.and_then(|line| line.credits).unwrap_or(0))
        };
        let given = was.as_ref().map_or(0, |row| row.given);
        Ok(Self {
            account: account.clone(),
            holdings: Holdings::stored(of, Credits(u64::try_from(given).unwrap_or(0))),
            watch: watch(account, was.as_ref())?,
            was,
        })
    }

    /// The same after an entry that may be written.
    pub(crate) fn after(self, entry: &Transaction) -> Result<Self, StoreError> {
        Ok(Self {
            holdings: self.holdings.after(entry)?,
            ..self
        })
    }

    pub(crate) fn funds(&self) -> Funds {
        Funds {
            available: self.holdings.balance(Account::Available).0,
            reserved: self.holdings.balance(Account::Reserved).0,
        }
    }

    /// Writes what an entry changed, and what the watch makes of it.
    pub(crate) async fn write(
        &mut self,
        tx: &mut AnyConnection,
        entry: &Transaction,
    ) -> Result<(), StoreError> {
        self.write_balances(tx, entry).await?;
        if let Some(watch) = &mut self.watch {
            let now = SystemClock.wall();
            let available = self.holdings.balance(Account::Available);
            watch.handle_entry(day(now), &entry.key, available);
            while let Some(event) = watch.poll_event() {
                outbox::put(tx, &event, now).await?;
            }
            while let Some(mut order) = watch.poll_order() {
                orders::put(tx, &mut order, now).await?;
            }
        }
        self.keep(tx).await
    }

    /// All in one statement: each costs a way to the server and back.
    async fn write_balances(
        &self,
        tx: &mut AnyConnection,
        entry: &Transaction,
    ) -> Result<(), StoreError> {
        let upsert = "INSERT INTO balance (account_id, account, credits) SELECT $1, account, credits FROM (\
                      SELECT $2 AS account, $3 AS credits UNION ALL SELECT $4, $5 UNION ALL SELECT $6, $7 UNION ALL SELECT $8, $9) AS changed \
                      WHERE account IS NOT NULL \
                      ON CONFLICT (account_id, account) DO UPDATE SET credits = excluded.credits";
        let mut query = sqlx::query(upsert).bind(self.account.as_str());
        for line in 0..POSTINGS_MAX {
            let account = entry.postings.get(line).map(|posting| posting.account);
            query = query
                .bind(account.map(Account::as_str))
                .bind(account.map(|account| self.holdings.balance(account).0));
        }
        query.execute(tx).await?;
        Ok(())
    }

    /// Writes the holder's row, if it changed.
    pub(crate) async fn keep(&self, tx: &mut AnyConnection) -> Result<(), StoreError> {
        let row = Row {
            given: self.holdings.given().posted(),
            watch: self.watch.as_ref().map(Watch::stored),
        };
        let nothing = Row {
            given: 0,
            watch: None,
        };
        if *self.was.as_ref().unwrap_or(&nothing) == row {
            return Ok(());
        }
        let upsert = "INSERT INTO holder (account_id, given, watch) VALUES ($1, $2, $3) \
                      ON CONFLICT (account_id) DO UPDATE SET given = excluded.given, watch = excluded.watch";
        sqlx::query(upsert)
            .bind(self.account.as_str())
            .bind(row.given)
            .bind(row.watch)
            .execute(tx)
            .await?;
        Ok(())
    }
}

fn watch(account: &AccountId, row: Option<&Row>) -> Result<Option<Watch>, StoreError> {
    let Some(stored) = row.and_then(|row| row.watch.as_ref()) else {
        return Ok(None);
    };
    let watch = Watch::restored(account.clone(), stored);
    let watch = watch.ok_or_else(|| StoreError::Unreadable {
        what: "watch",
        place: format!("holder {account}"),
    })?;
    Ok(Some(watch))
}

/// The day in UTC: in which the orders of a day are counted.
fn day(now: WallMillis) -> Date {
    const DAY_MS: i64 = 86_400_000;
    let days = u32::try_from(now.0.div_euclid(DAY_MS)).unwrap_or(0);
    Date::after_1970(days).unwrap_or(Date::LAST)
}
