//! The journal takes each entry once, for ever.

use std::time::Instant;

use async_trait::async_trait;
use housecall::ports::{Funds, Ledger, LedgerError, Recorded};
use housecall_meter::{AccountId, Cause, Credits, Key, MessageFact, SessionId, Transaction};
use sqlx::AnyConnection;

use crate::corrections;
use crate::holder::Holder;
use crate::journal::{Entry, Line, entries, select_entries};
use crate::standing::Standing;
use crate::{Epoch, Store, StoreError};

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

    async fn funds_of(&self, account: &AccountId) -> Result<Funds, StoreError> {
        let mut connection = self.pool().acquire().await?;
        Ok(Holder::read(&mut connection, account).await?.funds())
    }

    /// A late heartbeat of an ended session changes nothing, and one of a node that is gone neither.
    pub(crate) async fn note_alive(
        &self,
        session: &SessionId,
        elapsed_ms: u64,
    ) -> Result<(), StoreError> {
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
    write_as(tx, Epoch::NONE, entry).await
}

/// The same for an entry that may start a session, which belongs to the node of an epoch then.
pub(crate) async fn write_as(
    tx: &mut AnyConnection,
    epoch: Epoch,
    entry: &Transaction,
) -> Result<Recorded, StoreError> {
    let standing = Standing::read(tx, entry).await?;
    if standing.key_is_known {
        return repeated(tx, entry).await;
    }
    corrections::check(tx, entry).await?;
    expect_follows(tx, entry).await?;
    let mut append = standing.after(epoch, entry)?;
    append.write(tx).await?;
    corrections::keep(tx, &append.entry).await?;
    append.holder.heed(tx, entry).await?;
    Ok(append.recorded())
}

/// The entry of a key.
pub(crate) async fn known(tx: &mut AnyConnection, key: &Key) -> Result<Option<Entry>, StoreError> {
    let lines = sqlx::query_as::<_, Line>(select_entries!("WHERE j.key = $1"));
    let lines = lines.bind(key.as_str()).fetch_all(tx).await?;
    Ok(entries(lines)?.pop())
}

/// The same entry has the same result as when it was first written; another one has none.
async fn repeated(tx: &mut AnyConnection, entry: &Transaction) -> Result<Recorded, StoreError> {
    match known(tx, &entry.key).await? {
        Some(known) if known.transaction == *entry => Ok(Recorded {
            already: true,
            funds: known.funds_after,
        }),
        _ => Err(StoreError::KeyConflict {
            key: entry.key.clone(),
        }),
    }
}

/// What belongs to no session is no part of one. The end of a message follows its reservation.
async fn expect_follows(tx: &mut AnyConnection, entry: &Transaction) -> Result<(), StoreError> {
    if entry.session.is_some() {
        return Ok(());
    }
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
