//! Entries that reverse others (M12).

use housecall::ports::Recorded;
use housecall_meter::{Account, Cause, Correction, Credits, Key, Refusal, Transaction};
use sqlx::AnyConnection;

use crate::ledger::{known, write_in};
use crate::number::Stored;
use crate::{Entry, Store, StoreError};

impl Store {
    /// Reverses an entry wholly or in part. The same correction twice is one.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when there is no such entry, it moved nothing for good, or less than is to be reversed.
    pub async fn correct(&self, of: &Key, correction: &Correction) -> Result<Recorded, StoreError> {
        self.in_turn(|mut tx| async move {
            let entry = corrected(&mut tx, of).await?;
            let recorded = write_in(&mut tx, &correction.of(&entry)?).await?;
            Ok((tx, recorded))
        })
        .await
    }
}

/// Refuses a correction of what is not there, or of more than is left of it.
pub(crate) async fn check(tx: &mut AnyConnection, entry: &Transaction) -> Result<(), StoreError> {
    let Cause::Corrected { of, .. } = &entry.cause else {
        return Ok(());
    };
    let reversed =
        "SELECT CAST(COALESCE(SUM(credits), 0) AS BIGINT) FROM correction WHERE corrects = $1";
    let (reversed,): (i64,) = sqlx::query_as(reversed)
        .bind(of.as_str())
        .fetch_one(&mut *tx)
        .await?;
    let reversed = Credits(u64::try_from(reversed).unwrap_or(u64::MAX));
    Correction::check(entry, &corrected(tx, of).await?, reversed)?;
    Ok(())
}

/// Notes how much a correction reverses.
pub(crate) async fn keep(tx: &mut AnyConnection, entry: &Entry) -> Result<(), StoreError> {
    let transaction = &entry.transaction;
    let Cause::Corrected { of, .. } = &transaction.cause else {
        return Ok(());
    };
    let insert = "INSERT INTO correction (seq, corrects, credits) VALUES ($1, $2, $3)";
    sqlx::query(insert)
        .bind(entry.seq.stored())
        .bind(of.as_str())
        .bind(transaction.posted(Account::Available).saturating_abs())
        .execute(tx)
        .await?;
    Ok(())
}

async fn corrected(tx: &mut AnyConnection, of: &Key) -> Result<Transaction, StoreError> {
    let entry = known(tx, of).await?.map(|entry| entry.transaction);
    entry.ok_or_else(|| StoreError::Refused(Refusal::NotCorrectable { key: of.clone() }))
}
