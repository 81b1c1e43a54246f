//! Dedicated numbers, and the months that were charged for them.

use std::collections::BTreeMap;

use housecall_meter::{AccountId, Subscription, SubscriptionId};
use sqlx::AnyConnection;

use super::outbox::Told as Outbox;
use super::{Told, agree};
use crate::StoreError;

/// Every number says what the journal charged for it, and to whom. Returns who has which.
pub(super) async fn check(
    tx: &mut AnyConnection,
    told: &Told,
    outbox: &Outbox,
) -> Result<BTreeMap<SubscriptionId, AccountId>, StoreError> {
    let rows = "SELECT id, account_id, state FROM number_subscription";
    let rows: Vec<(String, String, String)> = sqlx::query_as(rows).fetch_all(tx).await?;
    let mut holders = BTreeMap::new();
    for (id, account, state) in rows {
        let (id, account) = (SubscriptionId::new(id), AccountId::new(account));
        let number = Subscription::restored(id.clone(), account.clone(), &state);
        let number = number.ok_or_else(|| StoreError::Unreadable {
            what: "state",
            place: format!("number {id}"),
        })?;
        compare(&id, &account, &number, told, outbox)?;
        holders.insert(id, account);
    }
    for id in told.months.keys() {
        let place = || format!("number {id}");
        let is_known = holders.contains_key(id);
        agree(is_known, place, "was charged for and is not there")?;
    }
    Ok(holders)
}

fn compare(
    id: &SubscriptionId,
    account: &AccountId,
    number: &Subscription,
    told: &Told,
    outbox: &Outbox,
) -> Result<(), StoreError> {
    let place = || format!("number {id}");
    let charged = told.months.get(id).map(Vec::as_slice).unwrap_or_default();
    let is_own = charged.iter().all(|month| month.account == *account);
    agree(is_own, place, "was charged to another holder")?;
    let months = charged.iter().map(|month| (month.number, month.from));
    let was_suspended = |month| outbox.has_suspended(id, month);
    let disagrees = number.disagrees_in(&months.collect(), was_suspended);
    let place = || format!("number {id}, month {},", disagrees.unwrap_or_default());
    agree(disagrees.is_none(), place, "is not as the journal charged")
}
