//! What the world was told, or will be.

use std::collections::BTreeMap;

use housecall_meter::{AccountId, Event, News, OrderId, SubscriptionId};
use sqlx::AnyConnection;

use super::agree;
use super::orders::Orders;
use crate::StoreError;
use crate::ledger::known;
use crate::outbox::events;

/// All events, by their keys.
pub(super) struct Told(BTreeMap<String, Wish>);

/// An event, and when it was caused.
type Wish = (Event, i64);

impl Told {
    pub(super) async fn read(tx: &mut AnyConnection) -> Result<Self, StoreError> {
        let events = events(tx).await?.into_iter();
        Ok(Self(
            events
                .map(|(event, caused)| (event.key.to_string(), (event, caused)))
                .collect(),
        ))
    }

    /// Whether the world was told that a number was suspended for a month.
    pub(super) fn has_suspended(&self, id: &SubscriptionId, month: u32) -> bool {
        self.0.contains_key(&format!("suspended/{id}/{month}"))
    }

    /// The orders that were wanted, and when.
    pub(super) fn wanted(&self) -> impl Iterator<Item = (&OrderId, &Wish)> {
        self.0.values().filter_map(|wish| match &wish.0.news {
            News::OrderWanted { order, .. } => Some((order, wish)),
            _ => None,
        })
    }

    /// Every event is named for what it says, and about something that is there, of the same account.
    pub(super) async fn check(
        &self,
        tx: &mut AnyConnection,
        orders: &Orders,
        numbers: &BTreeMap<SubscriptionId, AccountId>,
    ) -> Result<(), StoreError> {
        for (event, _) in self.0.values() {
            let place = || format!("event {}", event.key);
            let is_named = event.is_named_for_its_news();
            agree(is_named, place, "is not named for what it says")?;
            let account = match &event.news {
                News::OrderWanted { order, .. }
                | News::PaymentFailed { order, .. }
                | News::OddPayment { order, .. } => orders.account(order).cloned(),
                News::PastDue { subscription, .. } | News::Suspended { subscription, .. } => {
                    numbers.get(subscription).cloned()
                }
                News::LowBalance { available, .. } | News::TopUpBound { available } => {
                    crossed(tx, event, available.0).await?
                }
            };
            let is_so = account.as_ref() == Some(&event.account);
            agree(is_so, place, "is about nothing that is there")?;
        }
        Ok(())
    }
}

/// Whose balance it was that an entry left so low; none if no entry did.
async fn crossed(
    tx: &mut AnyConnection,
    event: &Event,
    available: i64,
) -> Result<Option<AccountId>, StoreError> {
    let Some(key) = event.crossing() else {
        return Ok(None);
    };
    let entry = known(tx, &key).await?;
    let entry = entry.filter(|entry| entry.funds_after.available == available);
    Ok(entry.map(|entry| entry.transaction.account))
}
