//! The journal takes each entry once, for ever.

use std::time::Instant;

use async_trait::async_trait;
use housecall::ports::{Clock, Funds, Ledger, LedgerError, Recorded, SystemClock};
use housecall_meter::{
    Account, AccountId, Cause, Credits, Key, Kind, MessageFact, Posting, SessionId, Transaction,
};
use sqlx::AnyConnection;

use crate::corrections;
use crate::holder::Holder;
use crate::journal::{Entry, Line, entries, select_entries};
use crate::seal::seal;
use crate::{Store, StoreError};

/// Lines of an entry at most: what a statement has room for. The end of a session has three.
pub(crate) const POSTINGS_MAX: usize = 4;

#[async_trait]
impl Ledger for Store {
    async fn record(&self, transaction: &Transaction) -> Result<Recorded, LedgerError> {
        Ok(self.write(transaction).await?)
    }

    async fn funds(&self, account: &AccountId) -> Result<Funds, LedgerError> {
        Ok(self.answered(self.funds_of(account)).await?)
    }

    fn may_act(&self) -> Result<(), LedgerError> {
        self.tenure.may_act(Instant::now())
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

    /// Writes an entry with all that follows from it, or nothing.
    pub(crate) async fn write(&self, entry: &Transaction) -> Result<Recorded, StoreError> {
        self.answered(self.write_in_turn(entry)).await
    }

    async fn write_in_turn(&self, entry: &Transaction) -> Result<Recorded, StoreError> {
        // A leg of a transfer is written with the other one: see `Store::transfer`.
        if entry.posted(Account::Transferred) != 0 {
            return Err(StoreError::Unbalanced {
                key: entry.key.clone(),
            });
        }
        let mut tx = self.begin_entry().await?;
        let recorded = write_in(&mut tx, entry).await?;
        self.own(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(recorded)
    }

    /// A session belongs to the node that reserved for it.
    async fn own(&self, tx: &mut AnyConnection, entry: &Transaction) -> Result<(), StoreError> {
        let epoch = self.tenure.epoch();
        let Some(session) = entry
            .session
            .as_ref()
            .filter(|_| entry.kind == Kind::Reserve)
        else {
            return Ok(());
        };
        let own = "UPDATE metered_session SET epoch = $2 WHERE session = $1";
        let query = sqlx::query(own).bind(session.as_str());
        query.bind(epoch.stored()).execute(tx).await?;
        Ok(())
    }

    async fn funds_of(&self, account: &AccountId) -> Result<Funds, StoreError> {
        let mut connection = self.pool().acquire().await?;
        Ok(Holder::read(&mut connection, account).await?.funds())
    }

    /// A late heartbeat of an ended session changes nothing, and one of a node that is gone neither.
    async fn note_alive(&self, session: &SessionId, elapsed_ms: u64) -> Result<(), StoreError> {
        let alive = "UPDATE metered_session SET evidence_ms = CASE WHEN evidence_ms < $2 THEN $2 ELSE evidence_ms END \
                     WHERE session = $1 AND ended_seq IS NULL \
                     AND NOT EXISTS (SELECT 1 FROM node n WHERE n.epoch = metered_session.epoch AND n.state = 'gone')";
        let elapsed_ms = i64::try_from(elapsed_ms).unwrap_or(i64::MAX);
        sqlx::query(alive)
            .bind(session.as_str())
            .bind(elapsed_ms)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

/// Writes an entry with its postings, the balances that follow, the state of its session, and what its holder is to be told. A refused one
/// leaves the transaction as it was.
pub(crate) async fn write_in(
    tx: &mut AnyConnection,
    entry: &Transaction,
) -> Result<Recorded, StoreError> {
    if let Some(known) = known(tx, &entry.key).await? {
        return repeated(&known, entry);
    }
    corrections::check(tx, entry).await?;
    let mut holder = Holder::read(tx, &entry.account).await?.after(entry)?;
    let seq = append(tx, entry, holder.funds()).await?;
    keep_session(tx, entry, seq).await?;
    corrections::keep(tx, entry, seq).await?;
    holder.write(tx, entry).await?;
    Ok(Recorded {
        already: false,
        funds: holder.funds(),
    })
}

/// The entry of a key.
pub(crate) async fn known(tx: &mut AnyConnection, key: &Key) -> Result<Option<Entry>, StoreError> {
    let lines = sqlx::query_as::<_, Line>(select_entries!("WHERE j.key = $1"));
    let lines = lines.bind(key.as_str()).fetch_all(tx).await?;
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

async fn append(
    tx: &mut AnyConnection,
    transaction: &Transaction,
    funds_after: Funds,
) -> Result<i64, StoreError> {
    let unbalanced = || StoreError::Unbalanced {
        key: transaction.key.clone(),
    };
    if transaction.postings.len() > POSTINGS_MAX {
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
    let insert = "INSERT INTO posting (seq, line, account, delta) SELECT $1, line, account, delta FROM (\
                  SELECT 0 AS line, $2 AS account, $3 AS delta UNION ALL SELECT 1, $4, $5 \
                  UNION ALL SELECT 2, $6, $7 UNION ALL SELECT 3, $8, $9) AS lines WHERE account IS NOT NULL";
    let mut query = sqlx::query(insert).bind(seq);
    // No more than that: `append` has seen to it.
    for line in 0..POSTINGS_MAX {
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
        return expect_no_session(tx, entry).await;
    };
    // What it corrects is of the same session, and ended it.
    if matches!(entry.cause, Cause::Corrected { .. }) {
        return Ok(());
    }
    if !entry.cause.is_of_session() {
        return Err(not_open());
    }
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

/// What belongs to no session is no part of one. The end of a message follows its reservation.
async fn expect_no_session(tx: &mut AnyConnection, entry: &Transaction) -> Result<(), StoreError> {
    let follows = match &entry.cause {
        Cause::Message(MessageFact::Sent | MessageFact::Failed) => {
            let reserved = entry.key.as_str().strip_suffix("/end");
            let reserved = reserved.map(|message| Key(format!("{message}/reserve")));
            match reserved {
                Some(key) => known(tx, &key).await?.is_some(),
                None => false,
            }
        }
        cause => !cause.is_of_session(),
    };
    follows.then_some(()).ok_or(StoreError::SessionNotOpen {
        key: entry.key.clone(),
    })
}
