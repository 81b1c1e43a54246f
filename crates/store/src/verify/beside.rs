//! What stands beside the journal.

use sqlx::AnyConnection;

use super::orders::Orders;
use super::outbox::Told as Outbox;
use super::{Told, corrections, numbers, records, sessions};
use crate::StoreError;

/// Compares every row with what the journal says, or with what else was written with it.
pub(super) async fn check(tx: &mut AnyConnection, told: &Told) -> Result<(), StoreError> {
    corrections::check(tx, told).await?;
    sessions::check(tx, told).await?;
    records::check(tx).await?;
    let outbox = Outbox::read(tx).await?;
    let orders = Orders::read(tx).await?;
    orders.check(told, &outbox)?;
    orders.check_watches(tx).await?;
    let numbers = numbers::check(tx, told, &outbox).await?;
    outbox.check(tx, &orders, &numbers).await
}
