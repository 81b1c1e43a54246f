//! The journal takes each entry once, for ever.

use async_trait::async_trait;
use housecall::ports::{Clock, Funds, Ledger, LedgerError, Recorded, SystemClock};
use housecall_meter::{Account, AccountId, Balance, Credits, Kind, SessionId, Transaction};
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
        if let Some(known) = known(&mut tx, entry).await? {
            return repeated(&known, entry);
        }
        let before = Balances::read(&mut tx, &entry.account).await?;
        let after = before.with(entry)?;
        let seq = append(&mut tx, entry, after.funds()).await?;
        keep_session(&mut tx, entry, seq).await?;
        after.write(&mut tx, &entry.account).await?;
        tx.commit().await?;
        Ok(Recorded {
            already: false,
            funds: after.funds(),
        })
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

/// What the accounts of a practice have, in the order of [`Account::ALL`].
#[derive(Clone, Copy, Default)]
struct Balances([i64; Account::ALL.len()]);

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
        let [_, available, reserved, ..] = self.0;
        Funds {
            available,
            reserved,
        }
    }

    async fn write(self, tx: &mut AnyConnection, account: &AccountId) -> Result<(), StoreError> {
        let upsert = "INSERT INTO balance (account_id, account, credits) VALUES ($1, $2, $3) \
                      ON CONFLICT (account_id, account) DO UPDATE SET credits = excluded.credits";
        for (credits, name) in self.0.into_iter().zip(Account::ALL) {
            sqlx::query(upsert)
                .bind(account.as_str())
                .bind(name.as_str())
                .bind(credits)
                .execute(&mut *tx)
                .await?;
        }
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
    for (line, posting) in (0_i64..).zip(&transaction.postings) {
        let insert = "INSERT INTO posting (seq, line, account, delta) VALUES ($1, $2, $3, $4)";
        let query = sqlx::query(insert)
            .bind(seq)
            .bind(line)
            .bind(posting.account.as_str())
            .bind(posting.delta);
        query.execute(&mut *tx).await?;
    }
    Ok(seq)
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
        _ => return Err(not_open()),
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
