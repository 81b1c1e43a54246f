//! Balances that are looked after (M13).

use housecall_meter::{AccountId, AutoTopUp, Balance, Watch};

use crate::holder::Holder;
use crate::{Store, StoreError};

impl Store {
    /// Returns how an account is looked after; nothing if it never was.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn watched(&self, account: &AccountId) -> Result<Option<Watch>, StoreError> {
        self.answered(async {
            let holder = Holder::read(&mut *self.pool().acquire().await?, account).await?;
            Ok(holder.watch)
        })
        .await
    }

    /// Sets when to say that an account runs low, and when and what to order: both off where there is none. Looked at with the account's next
    /// entry. What is told and ordered is in the outbox; the orders of a day are counted in UTC.
    ///
    /// # Errors
    /// What the database says.
    pub async fn watch(
        &self,
        account: &AccountId,
        alert_at: Option<Balance>,
        top_up: Option<AutoTopUp>,
    ) -> Result<(), StoreError> {
        self.in_turn(|mut tx| async move {
            let mut holder = Holder::read(&mut tx, account).await?;
            let new = || Watch::new(account.clone());
            let watch = holder.watch.get_or_insert_with(new);
            watch.alert_at(alert_at);
            watch.top_up_by(top_up);
            holder.keep(&mut tx).await?;
            Ok((tx, ()))
        })
        .await
    }
}
