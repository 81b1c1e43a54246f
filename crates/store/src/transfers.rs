//! Credits that change hands inside a practice (M13).

use housecall::ports::Recorded;
use housecall_meter::Transfer;

use crate::ledger::write_in;
use crate::{Store, StoreError};

impl Store {
    /// Writes both legs of a transfer, or none, and returns what the giver has. The same transfer twice is one.
    ///
    /// # Errors
    /// [`StoreError::InsufficientCredits`] when the giver has not bought as much, [`StoreError::Refused`] when the two are not of one practice.
    pub async fn transfer(&self, transfer: &Transfer) -> Result<Recorded, StoreError> {
        let [out, into] = transfer.legs()?;
        self.in_turn(|mut tx| async move {
            let recorded = write_in(&mut tx, &out).await?;
            write_in(&mut tx, &into).await?;
            Ok((tx, recorded))
        })
        .await
    }
}
