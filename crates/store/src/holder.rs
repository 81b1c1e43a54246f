//! Whoever has accounts.

use housecall::ports::{Clock, Funds, SystemClock, WallMillis};
use housecall_meter::{Account, AccountId, Balance, Credits, Date, Holdings, Transaction, Watch};
use sqlx::AnyConnection;

use crate::{StoreError, orders, outbox};

/// What an account holder has, and the watch on it, as stored.
#[derive(Debug)]
pub(crate) struct Holder {
    account: AccountId,
    pub(crate) holdings: Holdings,
    pub(crate) watch: Option<Watch>,
    /// What the row said when it was read; none if there is none.
    was: Option<Kept>,
}

/// The holder's row; where there is none, nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Kept {
    given: i64,
    watch: Option<String>,
}

/// One of the accounts, beside the holder's row.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
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
        let rows = "SELECT b.account, b.credits, h.given, h.watch FROM (SELECT CAST($1 AS TEXT) AS id) asked \
                    LEFT JOIN holder h ON h.account_id = asked.id LEFT JOIN balance b ON b.account_id = asked.id";
        let rows: Vec<Row> = sqlx::query_as(rows)
            .bind(account.as_str())
            .fetch_all(connection)
            .await?;
        Self::of(account, rows.iter())
    }

    /// What the rows say: one for each account that has a balance, or one without.
    pub(crate) fn of<'r>(
        account: &AccountId,
        rows: impl Iterator<Item = &'r Row> + Clone,
    ) -> Result<Self, StoreError> {
        let was = rows.clone().next().and_then(|row| {
            Some(Kept {
                given: row.given?,
                watch: row.watch.clone(),
            })
        });
        let of = |name: Account| {
            let found = rows
                .clone()
                .find(|row| row.account.as_deref() == Some(name.as_str()));
            Balance(found.and_then(|row| row.credits).unwrap_or(0))
        };
        let given = was.as_ref().map_or(0, |kept| kept.given);
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

    /// Writes what the watch makes of an entry, and what is left of given credits.
    pub(crate) async fn heed(
        &mut self,
        tx: &mut AnyConnection,
        entry: &Transaction,
    ) -> Result<(), StoreError> {
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

    /// Writes the holder's row, if it changed.
    pub(crate) async fn keep(&self, tx: &mut AnyConnection) -> Result<(), StoreError> {
        if !self.has_changed() {
            return Ok(());
        }
        let kept = self.kept();
        let upsert = "INSERT INTO holder (account_id, given, watch) VALUES ($1, $2, $3) \
                      ON CONFLICT (account_id) DO UPDATE SET given = excluded.given, watch = excluded.watch";
        sqlx::query(upsert)
            .bind(self.account.as_str())
            .bind(kept.given)
            .bind(kept.watch)
            .execute(tx)
            .await?;
        Ok(())
    }

    /// The watch as it was read.
    pub(crate) fn watch_read(&self) -> Option<&str> {
        self.was.as_ref()?.watch.as_deref()
    }

    /// Whether the row is another one than was read.
    pub(crate) fn has_changed(&self) -> bool {
        self.kept() != self.was.clone().unwrap_or_default()
    }

    fn kept(&self) -> Kept {
        Kept {
            given: self.holdings.given().posted(),
            watch: self.watch.as_ref().map(Watch::stored),
        }
    }
}

fn watch(account: &AccountId, kept: Option<&Kept>) -> Result<Option<Watch>, StoreError> {
    let Some(stored) = kept.and_then(|kept| kept.watch.as_ref()) else {
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
