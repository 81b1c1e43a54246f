//! Journal rows, and the entries that they are.

use housecall::ports::{Funds, WallMillis};
use housecall_meter::{
    Account, AccountId, Cause, Key, Kind, Millis, Posting, SessionId, Tariff, TariffId, Transaction,
};

use crate::{Page, Store, StoreError};

/// A journal entry as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its place in the journal: 1, 2, 3 … without a gap.
    pub seq: u64,
    /// When it was written, for display.
    pub recorded: WallMillis,
    /// What the practice had once it was written.
    pub funds_after: Funds,
    /// SHA-256 over the seal of the entry before and all of this one, in hexadecimal digits; none of entries that are older than seals.
    pub seal: Option<String>,
    /// The entry.
    pub transaction: Transaction,
}

/// One row for each posting, or one row without a posting: `$tail` chooses the entries, in the order of `seq`.
macro_rules! select_entries {
    ($tail:literal) => {
        concat!(
            "SELECT j.seq, j.key, j.kind, j.session, j.account_id, j.at_ms, j.tariff, j.tariff_version, j.cause, ",
            "j.must_be_covered, j.available_after, j.reserved_after, j.recorded_unix_ms, j.seal, p.account, p.delta ",
            "FROM journal j LEFT JOIN posting p ON p.seq = j.seq ",
            $tail,
            " ORDER BY j.seq, p.line"
        )
    };
}
pub(crate) use select_entries;

/// The next entries behind the number `$1`, at most `$2`. Both tables are read from where they begin to where they end, so that the last
/// entries of a long journal cost what its first do.
macro_rules! select_next_entries {
    () => {
        select_entries!(
            "AND p.seq > $1 AND p.seq <= \
             (SELECT MAX(seq) FROM (SELECT seq FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2) AS next) \
             WHERE j.seq > $1 AND j.seq <= \
             (SELECT MAX(seq) FROM (SELECT seq FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2) AS next)"
        )
    };
}
pub(crate) use select_next_entries;

impl Store {
    /// Returns the entries of one session, oldest first: its timeline and what each block was charged by (M10).
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn entries(&self, session: &SessionId) -> Result<Vec<Entry>, StoreError> {
        let lines = sqlx::query_as::<_, Line>(select_entries!("WHERE j.session = $1"));
        entries(lines.bind(session.as_str()).fetch_all(self.pool()).await?)
    }

    /// Returns the entries that stand behind `seq` in the journal, oldest first, at most a thousand.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn journal_after(&self, seq: u64) -> Result<Vec<Entry>, StoreError> {
        let lines = sqlx::query_as::<_, Line>(select_next_entries!())
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .bind(1_000_i64);
        entries(lines.fetch_all(self.pool()).await?)
    }

    /// Returns the names of all sessions, in their order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        let names = "SELECT session FROM metered_session ORDER BY session";
        let names: Vec<(String,)> = sqlx::query_as(names).fetch_all(self.pool()).await?;
        Ok(names
            .into_iter()
            .map(|(name,)| SessionId::new(name))
            .collect())
    }

    /// Returns the entries of a practice, newest first, each with what the practice had after it.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn statement(
        &self,
        account: &AccountId,
        page: Page,
    ) -> Result<Vec<Entry>, StoreError> {
        let lines = sqlx::query_as::<_, Line>(select_entries!(
            "WHERE j.seq IN (SELECT seq FROM journal WHERE account_id = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3)"
        ));
        let lines = lines
            .bind(account.as_str())
            .bind(page.limit())
            .bind(page.offset());
        let mut entries = entries(lines.fetch_all(self.pool()).await?)?;
        entries.reverse();
        Ok(entries)
    }
}

/// One row of [`select_entries`].
#[derive(sqlx::FromRow)]
pub(crate) struct Line {
    seq: i64,
    key: String,
    kind: String,
    session: Option<String>,
    account_id: String,
    at_ms: i64,
    tariff: Option<String>,
    tariff_version: Option<i64>,
    cause: String,
    must_be_covered: i64,
    available_after: i64,
    reserved_after: i64,
    recorded_unix_ms: i64,
    seal: Option<String>,
    account: Option<String>,
    delta: Option<i64>,
}

/// Gathers rows, in the order of their `seq`, into entries.
pub(crate) fn entries(lines: Vec<Line>) -> Result<Vec<Entry>, StoreError> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines {
        let posting = line.posting()?;
        if entries
            .last()
            .is_none_or(|last| i64::try_from(last.seq) != Ok(line.seq))
        {
            entries.push(line.entry()?);
        }
        if let Some(last) = entries.last_mut() {
            last.transaction.postings.extend(posting);
        }
    }
    Ok(entries)
}

impl Line {
    fn posting(&self) -> Result<Option<Posting>, StoreError> {
        let (Some(account), Some(delta)) = (&self.account, self.delta) else {
            return Ok(None);
        };
        let account = Account::parse(account).ok_or_else(|| self.unreadable("account"))?;
        Ok(Some(Posting { account, delta }))
    }

    fn entry(self) -> Result<Entry, StoreError> {
        Ok(Entry {
            seq: u64::try_from(self.seq).map_err(|_| self.unreadable("seq"))?,
            recorded: WallMillis(self.recorded_unix_ms),
            funds_after: Funds {
                available: self.available_after,
                reserved: self.reserved_after,
            },
            seal: self.seal.clone(),
            transaction: Transaction {
                kind: Kind::parse(&self.kind).ok_or_else(|| self.unreadable("kind"))?,
                at: Millis(u64::try_from(self.at_ms).map_err(|_| self.unreadable("at_ms"))?),
                tariff: self.tariff()?,
                cause: Cause::parse(&self.cause).ok_or_else(|| self.unreadable("cause"))?,
                must_be_covered: self.must_be_covered != 0,
                session: self.session.map(SessionId::new),
                account: AccountId::new(self.account_id),
                key: Key(self.key),
                postings: Vec::new(),
            },
        })
    }

    fn tariff(&self) -> Result<Option<TariffId>, StoreError> {
        let (Some(name), Some(version)) = (&self.tariff, self.tariff_version) else {
            return Ok(None);
        };
        let version = u16::try_from(version).map_err(|_| self.unreadable("tariff_version"))?;
        let known = Tariff::pinned(name, version).ok_or_else(|| self.unreadable("tariff"))?;
        Ok(Some(known.id()))
    }

    fn unreadable(&self, what: &'static str) -> StoreError {
        StoreError::Unreadable {
            what,
            place: format!("journal entry {}", self.seq),
        }
    }
}
