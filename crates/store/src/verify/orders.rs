//! Orders of credits, and the watches that made some of them.

use std::collections::BTreeMap;

use housecall_meter::{AccountId, Key, News, Order, OrderId, Watch};
use sqlx::AnyConnection;

use super::outbox::Told as Outbox;
use super::{Told, agree};
use crate::StoreError;

/// All orders, and when they were asked for.
pub(super) struct Orders(BTreeMap<OrderId, (Order, i64)>);

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    account_id: String,
    state: String,
    asked_unix_ms: i64,
}

impl Orders {
    pub(super) async fn read(tx: &mut AnyConnection) -> Result<Self, StoreError> {
        let rows = "SELECT id, account_id, state, asked_unix_ms FROM credit_order";
        let rows: Vec<Row> = sqlx::query_as(rows).fetch_all(tx).await?;
        let orders = rows.into_iter().map(|row| {
            let id = OrderId::new(row.id);
            let order = Order::restored(id.clone(), AccountId::new(row.account_id), &row.state);
            let order = order.ok_or_else(|| StoreError::Unreadable {
                what: "state",
                place: format!("order {id}"),
            })?;
            Ok((id, (order, row.asked_unix_ms)))
        });
        Ok(Self(orders.collect::<Result<_, StoreError>>()?))
    }

    pub(super) fn account(&self, id: &OrderId) -> Option<&AccountId> {
        self.0.get(id).map(|(order, _)| order.account())
    }

    /// Every order bought what it says, every purchase of an order is known to it, and the world was told of the same.
    pub(super) fn check(&self, told: &Told, outbox: &Outbox) -> Result<(), StoreError> {
        for (order, _) in self.0.values() {
            let place = || format!("order {}", order.id());
            let is_so = self.has_bought(order, told);
            agree(is_so, place, "did not buy, or give back, what it says")?;
        }
        for (key, top_up) in &told.top_ups {
            let Some(id) = &top_up.order else { continue };
            let order = self.0.get(id).map(|(order, _)| order);
            let is_so = order.and_then(bought_by).as_ref() == Some(key);
            let place = || format!("order {id}");
            agree(is_so, place, "does not say what the journal says it bought")?;
        }
        for (id, (event, caused)) in outbox.wanted() {
            let News::OrderWanted { credits, price, .. } = &event.news else {
                continue;
            };
            let is_so = self.0.get(id).is_some_and(|(order, asked)| {
                let wanted = (order.account(), order.credits(), order.price(), *asked);
                wanted == (&event.account, *credits, *price, *caused)
            });
            let place = || format!("order {id}");
            agree(is_so, place, "is not what was asked for")?;
        }
        Ok(())
    }

    fn has_bought(&self, order: &Order, told: &Told) -> bool {
        let Some(key) = bought_by(order) else {
            return true;
        };
        let own = told.top_ups.get(&key).filter(|top_up| {
            let is_own = top_up.order.as_ref().is_none_or(|of| of == order.id());
            is_own && top_up.account == *order.account() && top_up.credits == order.credits()
        });
        if order.is_refunded() {
            // The money went back before anybody had heard that it came; or the credits went back too, or a person corrected them before.
            let is_reversed = |(of, _): &(Key, i64)| *of == key;
            return own.is_none() || told.corrections.values().any(is_reversed);
        }
        own.is_some()
    }

    /// Every watch can be read, and waits for an order that is waited for.
    pub(super) async fn check_watches(&self, tx: &mut AnyConnection) -> Result<(), StoreError> {
        let rows = "SELECT account_id, watch FROM holder WHERE watch IS NOT NULL";
        let rows: Vec<(String, String)> = sqlx::query_as(rows).fetch_all(tx).await?;
        for (holder, stored) in rows {
            let account = AccountId::new(holder);
            let place = || format!("the watch of {account}");
            let watch = Watch::restored(account.clone(), &stored);
            let watch = watch.ok_or_else(|| StoreError::Unreadable {
                what: "watch",
                place: place(),
            })?;
            let is_so = watch.open_order().is_none_or(|open| {
                let order = self.0.get(open).map(|(order, _)| order);
                order.is_some_and(|order| order.is_open() && *order.account() == account)
            });
            agree(is_so, place, "waits for an order that nobody waits for")?;
        }
        Ok(())
    }
}

/// The key of what its payment buys.
fn bought_by(order: &Order) -> Option<Key> {
    order
        .payment()
        .map(|reference| Key(format!("top-up/{reference}")))
}
