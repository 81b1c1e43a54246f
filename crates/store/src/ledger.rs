//! The journal takes each entry once, for ever.

use async_trait::async_trait;
use housecall::ports::{Clock, Funds, Ledger, LedgerError, Recorded, SystemClock};
use housecall_meter::{
    Account, AccountId, Balance, Credits, Kind, Posting, SessionId, Transaction,
};
use sqlx::AnyConnection;

use crate::journal::{Entry, Line, entries, select_entries};
use crate::seal::seal;
use crate::{Store, StoreError};

#[async_trait]
impl Ledger for Store {
    async fn record(&self, transaction: &Transaction) -> Result<Recorded, LedgerError> {
        Ok(self.write(transaction).await?)
    }

    async fn funds(&self, account: &AccountId) -> Result<Funds, LedgerError> {
        Ok(self.answered(self.funds_of(account)).await?)
    }

    async fn heartbeat(&self, session: &SessionId, elapsed_ms: u64) -> Result<(), LedgerError> {
        Ok(self.answered(self.note_alive(session, elapsed_ms)).await?)
    }
}

impl Store {
    /// Gives credits to a practice: a purchase, or a gift. The same `order` gives them once, however often it is sent.
    ///
    /// # Errors
    /// [`LedgerError::KeyConflict`] when the order is known with other content, [`LedgerError::Unavailable`].
    pub async fn grant(
        &self,
        order: &str,
        account: &AccountId,
        credits: Credits,
        reason: &str,
    ) -> Result<Recorded, LedgerError> {
        Ok(self
            .write(&Transaction::grant(order, account.clone(), credits, reason))
            .await?)
    }

    /// Writes an entry with its postings, the balances that follow, and the state of its session, or none of them.
    pub(crate) async fn write(&self, entry: &Transaction) -> Result<Recorded, StoreError> {
        self.answered(self.write_in_turn(entry)).await
    }

    async fn write_in_turn(&self, entry: &Transaction) -> Result<Recorded, StoreError> {
        let mut tx = self.begin_entry().await?;
        let recorded = write_within(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(recorded)
    }

    async fn funds_of(&self, account: &AccountId) -> Result<Funds, StoreError> {
        let mut connection = self.pool().acquire().await?;
        Ok(Balances::read(&mut connection, account).await?.funds())
    }

    /// A late heartbeat of an ended session changes nothing.
    async fn note_alive(&self, session: &SessionId, elapsed_ms: u64) -> Result<(), StoreError> {
        let alive = "UPDATE metered_session SET evidence_ms = CASE WHEN evidence_ms < $2 THEN $2 ELSE evidence_ms END \
                     WHERE session = $1 AND ended_seq IS NULL";
        let elapsed_ms = i64::try_from(elapsed_ms).unwrap_or(i64::MAX);
        sqlx::query(alive)
            .bind(session.as_str())
            .bind(elapsed_ms)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

/// Writes an entry in a transaction that has the journal.
pub(crate) async fn write_within(
    tx: &mut AnyConnection,
    entry: &Transaction,
) -> Result<Recorded, StoreError> {
    if let Some(known) = known(tx, entry).await? {
        return repeated(&known, entry);
    }
    let before = Balances::read(tx, &entry.account).await?;
    let after = before.with(entry)?;
    let seq = append(tx, entry, after.funds()).await?;
    keep_session(tx, entry, seq).await?;
    after.write(tx, &entry.account).await?;
    Ok(Recorded {
        already: false,
        funds: after.funds(),
    })
}

async fn known(tx: &mut AnyConnection, entry: &Transaction) -> Result<Option<Entry>, StoreError> {
    let lines = sqlx::query_as::<_, Line>(select_entries!("WHERE j.key = $1"));
    let lines = lines.bind(entry.key.as_str()).fetch_all(tx).await?;
    Ok(entries(lines)?.pop())
}

/// The same entry has the same result as when it was first written; another one has none.
fn repeated(known: &Entry, entry: &Transaction) -> Result<Recorded, StoreError> {
    if known.transaction == *entry {
        Ok(Recorded {
            already: true,
            funds: known.funds_after,
        })
    } else {
        Err(StoreError::KeyConflict {
            key: entry.key.clone(),
        })
    }
}

/// What the four accounts of a practice have, in the order of [`Account::ALL`].
#[derive(Clone, Copy, Default)]
struct Balances([i64; 4]);

impl Balances {
    async fn read(connection: &mut AnyConnection, account: &AccountId) -> Result<Self, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT account, credits FROM balance WHERE account_id = $1")
                .bind(account.as_str())
                .fetch_all(connection)
                .await?;
        let of = |name: Account| {
            rows.iter()
                .find(|(stored, _)| stored == name.as_str())
                .map_or(0, |(_, credits)| *credits)
        };
        Ok(Self(Account::ALL.map(of)))
    }

    /// What the accounts have after the entry, if it may be written.
    fn with(self, entry: &Transaction) -> Result<Self, StoreError> {
        let unbalanced = || StoreError::Unbalanced {
            key: entry.key.clone(),
        };
        if !entry.is_balanced() {
            return Err(unbalanced());
        }
        let available = self.funds().available;
        if entry.must_be_covered && !Balance(available).covers(entry.needed()) {
            return Err(StoreError::InsufficientCredits {
                needed: entry.needed().0,
                available,
            });
        }
        let mut after = self;
        for (credits, account) in after.0.iter_mut().zip(Account::ALL) {
            *credits = credits
                .checked_add(entry.posted(account))
                .ok_or_else(unbalanced)?;
        }
        Ok(after)
    }

    fn funds(self) -> Funds {
        let [_, available, reserved, _] = self.0;
        Funds {
            available,
            reserved,
        }
    }

    async fn write(self, tx: &mut AnyConnection, account: &AccountId) -> Result<(), StoreError> {
        const { assert!(Account::ALL.len() == 4, "the statement has four rows") };
        let upsert = "INSERT INTO balance (account_id, account, credits) \
                      VALUES ($1, $2, $3), ($1, $4, $5), ($1, $6, $7), ($1, $8, $9) \
                      ON CONFLICT (account_id, account) DO UPDATE SET credits = excluded.credits";
        let mut query = sqlx::query(upsert).bind(account.as_str());
        for (credits, name) in self.0.into_iter().zip(Account::ALL) {
            query = query.bind(name.as_str()).bind(credits);
        }
        query.execute(tx).await?;
        Ok(())
    }
}

async fn append(
    tx: &mut AnyConnection,
    transaction: &Transaction,
    funds_after: Funds,
) -> Result<i64, StoreError> {
    let unbalanced = || StoreError::Unbalanced {
        key: transaction.key.clone(),
    };
    if transaction.postings.len() > Account::ALL.len() {
        return Err(unbalanced());
    }
    let last = "SELECT seq, seal FROM journal ORDER BY seq DESC LIMIT 1";
    let last: Option<(i64, Option<String>)> = sqlx::query_as(last).fetch_optional(&mut *tx).await?;
    let (last, seal_before) = last.unwrap_or((0, None));
    let seq = last.checked_add(1).ok_or_else(unbalanced)?;
    let entry = Entry {
        seq: u64::try_from(seq).map_err(|_| unbalanced())?,
        recorded: SystemClock.wall(),
        funds_after,
        seal: None,
        transaction: transaction.clone(),
    };
    let insert = "INSERT INTO journal (seq, key, kind, session, account_id, at_ms, tariff, tariff_version, cause, \
                  must_be_covered, available_after, reserved_after, recorded_unix_ms, seal) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let at_ms = i64::try_from(transaction.at.0).map_err(|_| unbalanced())?;
    let query = sqlx::query(insert)
        .bind(seq)
        .bind(transaction.key.as_str())
        .bind(transaction.kind.as_str())
        .bind(transaction.session.as_ref().map(SessionId::as_str))
        .bind(transaction.account.as_str())
        .bind(at_ms)
        .bind(transaction.tariff.map(|tariff| tariff.name))
        .bind(transaction.tariff.map(|tariff| i64::from(tariff.version)))
        .bind(transaction.cause.to_string())
        .bind(i64::from(transaction.must_be_covered))
        .bind(funds_after.available)
        .bind(funds_after.reserved)
        .bind(entry.recorded.0)
        .bind(seal(seal_before.as_deref(), &entry));
    query.execute(&mut *tx).await?;
    append_postings(tx, seq, &transaction.postings).await?;
    Ok(seq)
}

/// All lines in one statement: each costs a way to the server and back.
async fn append_postings(
    tx: &mut AnyConnection,
    seq: i64,
    postings: &[Posting],
) -> Result<(), StoreError> {
    const { assert!(Account::ALL.len() == 4, "the statement has four rows") };
    let insert = "INSERT INTO posting (seq, line, account, delta) SELECT $1, line, account, delta FROM (\
                  SELECT 0 AS line, $2 AS account, $3 AS delta UNION ALL SELECT 1, $4, $5 \
                  UNION ALL SELECT 2, $6, $7 UNION ALL SELECT 3, $8, $9) AS lines WHERE account IS NOT NULL";
    let mut query = sqlx::query(insert).bind(seq);
    // One for each account at most: `append` has seen to it.
    for line in 0..Account::ALL.len() {
        let posting = postings.get(line);
        query = query
            .bind(posting.map(|posting| posting.account.as_str()))
            .bind(posting.map(|posting| posting.delta));
    }
    query.execute(tx).await?;
    Ok(())
}

/// A reservation starts a session, a settlement or release ends it, and nothing is written outside of that.
async fn keep_session(
    tx: &mut AnyConnection,
    entry: &Transaction,
    seq: i64,
) -> Result<(), StoreError> {
    let not_open = || StoreError::SessionNotOpen {
        key: entry.key.clone(),
    };
    let Some(session) = entry.session.as_ref().map(SessionId::as_str) else {
        return if entry.kind == Kind::Grant {
            Ok(())
        } else {
            Err(not_open())
        };
    };
    let at_ms = i64::try_from(entry.at.0).map_err(|_| not_open())?;
    let query = match entry.kind {
        Kind::Grant => return Err(not_open()),
        Kind::Reserve => sqlx::query(
            "INSERT INTO metered_session (session, account_id, started_unix_ms, evidence_ms) VALUES ($1, $4, $5, $2) \
             ON CONFLICT (session) DO NOTHING",
        ),
        Kind::Extend | Kind::Evidence => sqlx::query(
            "UPDATE metered_session SET evidence_ms = CASE WHEN evidence_ms < $2 THEN $2 ELSE evidence_ms END \
             WHERE session = $1 AND account_id = $4 AND ended_seq IS NULL",
        ),
        Kind::Settle | Kind::Release => sqlx::query(
            "UPDATE metered_session SET evidence_ms = CASE WHEN evidence_ms < $2 THEN $2 ELSE evidence_ms END, ended_seq = $3 \
             WHERE session = $1 AND account_id = $4 AND ended_seq IS NULL",
        ),
    };
    let query = query
        .bind(session)
        .bind(at_ms)
        .bind(seq)
        .bind(entry.account.as_str())
        .bind(SystemClock.wall().0);
    let done = query.execute(tx).await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(not_open())
    }
}
