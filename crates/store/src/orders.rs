//! Orders of credits, and what became of their payment (M13).

use housecall::ports::{Clock, SystemClock, WallMillis};
use housecall_meter::{AccountId, Order, OrderId, PaymentFact};
use sqlx::AnyConnection;

use crate::holder::Holder;
use crate::ledger::write_in;
use crate::{Page, Store, StoreError, outbox};

impl Store {
    /// Keeps an order and its wish. An order that is known already stays what it is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ask_for(&self, mut order: Order) -> Result<(), StoreError> {
        self.answered(async {
            let mut tx = self.begin().await?;
            put(&mut tx, &mut order, SystemClock.wall()).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// Returns an order.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database says.
    pub async fn order(&self, id: &OrderId) -> Result<Order, StoreError> {
        self.answered(async { read(&mut *self.pool().acquire().await?, id).await })
            .await
    }

    /// Returns the orders of an account, newest first, and when each was asked for.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn orders(
        &self,
        account: &AccountId,
        page: Page,
    ) -> Result<Vec<(Order, WallMillis)>, StoreError> {
        let select = "SELECT id, state, asked_unix_ms FROM credit_order WHERE account_id = $1 \
                      ORDER BY asked_unix_ms DESC, id LIMIT $2 OFFSET $3";
        let rows = sqlx::query_as::<_, (String, String, i64)>(select)
            .bind(account.as_str())
            .bind(page.limit())
            .bind(page.offset());
        let rows = self.answered(async { Ok(rows.fetch_all(self.pool()).await?) });
        let orders = rows.await?.into_iter().map(|(id, state, asked)| {
            let order = restored(&OrderId::new(id), account.clone(), &state)?;
            Ok((order, WallMillis(asked)))
        });
        orders.collect()
    }

    /// Takes what is said of an order's payment, by a person or a provider, and writes the credits that it bought, or took back. What is said
    /// twice, late or out of order changes nothing. Returns the order as it is then.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; [`StoreError::KeyConflict`] when the payment bought something else; [`StoreError::Refused`] when a refund takes
    /// back what a correction took back before.
    pub async fn hear_of_payment(
        &self,
        id: &OrderId,
        fact: PaymentFact,
    ) -> Result<Order, StoreError> {
        self.in_turn(|mut tx| async move {
            let mut order = read(&mut tx, id).await?;
            order.handle_input(fact);
            while let Some(entry) = order.poll_output() {
                write_in(&mut tx, &entry).await?;
            }
            if !order.is_open() {
                end_wait(&mut tx, &order).await?;
            }
            let update = "UPDATE credit_order SET state = $2 WHERE id = $1";
            sqlx::query(update)
                .bind(id.as_str())
                .bind(order.stored())
                .execute(&mut *tx)
                .await?;
            tell(&mut tx, &mut order, SystemClock.wall()).await?;
            Ok((tx, order))
        })
        .await
    }
}

/// Keeps an order that is not known, and what it wants.
pub(crate) async fn put(
    tx: &mut AnyConnection,
    order: &mut Order,
    now: WallMillis,
) -> Result<(), StoreError> {
    let insert = "INSERT INTO credit_order (id, account_id, state, asked_unix_ms) VALUES ($1, $2, $3, $4) \
                  ON CONFLICT (id) DO NOTHING";
    sqlx::query(insert)
        .bind(order.id().as_str())
        .bind(order.account().as_str())
        .bind(order.stored())
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    tell(tx, order, now).await
}

async fn tell(
    tx: &mut AnyConnection,
    order: &mut Order,
    now: WallMillis,
) -> Result<(), StoreError> {
    while let Some(event) = order.poll_event() {
        outbox::put(tx, &event, now).await?;
    }
    Ok(())
}

async fn read(connection: &mut AnyConnection, id: &OrderId) -> Result<Order, StoreError> {
    let select = "SELECT account_id, state FROM credit_order WHERE id = $1";
    let row: Option<(String, String)> = sqlx::query_as(select)
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    let (account, state) = row.ok_or_else(|| StoreError::Unknown {
        what: "order",
        name: id.to_string(),
    })?;
    restored(id, AccountId::new(account), &state)
}

fn restored(id: &OrderId, account: AccountId, state: &str) -> Result<Order, StoreError> {
    let order = Order::restored(id.clone(), account, state);
    order.ok_or_else(|| StoreError::Unreadable {
        what: "state",
        place: format!("order {id}"),
    })
}

/// The watch that asked for it may ask again.
async fn end_wait(tx: &mut AnyConnection, order: &Order) -> Result<(), StoreError> {
    let mut holder = Holder::read(tx, order.account()).await?;
    if let Some(watch) = &mut holder.watch {
        watch.order_over(order.id());
    }
    holder.keep(tx).await
}
