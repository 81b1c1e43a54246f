//! Dedicated numbers, month by month (N1).

use housecall::ports::{Clock, SystemClock};
use housecall_meter::{AccountId, Date, Subscription, SubscriptionFact, SubscriptionId};
use sqlx::AnyConnection;

use crate::ledger::write_in;
use crate::{Store, StoreError, outbox};

impl Store {
    /// Asks for a number. One that is known already stays what it is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn request_number(
        &self,
        id: &SubscriptionId,
        account: &AccountId,
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO number_subscription (id, account_id, state) VALUES ($1, $2, $3) \
                      ON CONFLICT (id) DO NOTHING";
        let requested = Subscription::requested(id.clone(), account.clone());
        let query = sqlx::query(insert)
            .bind(id.as_str())
            .bind(account.as_str())
            .bind(requested.stored());
        self.answered(async { Ok(query.execute(self.pool()).await.map(drop)?) })
            .await
    }

    /// Takes what happened to a number, on a day in the practice's time zone, and charges the month that is due. Returns the number as it is then.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::WrongMoment`]. Nothing was written.
    pub async fn number_hears(
        &self,
        id: &SubscriptionId,
        today: Date,
        fact: SubscriptionFact,
    ) -> Result<Subscription, StoreError> {
        let hear = |number: &mut Subscription| Ok(number.handle_input(today, fact)?);
        self.with_number(id, hear).await
    }

    /// Lets a day come for a number: charges the months that are due, each once, and those that earlier runs missed. To be called each day, and
    /// when credits came. Returns the number as it is then.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or what the database says.
    pub async fn number_day(
        &self,
        id: &SubscriptionId,
        today: Date,
    ) -> Result<Subscription, StoreError> {
        let dawn = |number: &mut Subscription| {
            number.handle_timeout(today);
            Ok(())
        };
        self.with_number(id, dawn).await
    }

    /// Returns the names of all numbers, in their order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn numbers(&self) -> Result<Vec<SubscriptionId>, StoreError> {
        let names = "SELECT id FROM number_subscription ORDER BY id";
        let names = sqlx::query_as(names).fetch_all(self.pool());
        let names: Vec<(String,)> = self.answered(async { Ok(names.await?) }).await?;
        let names = names.into_iter();
        Ok(names.map(|(name,)| SubscriptionId::new(name)).collect())
    }

    async fn with_number(
        &self,
        id: &SubscriptionId,
        happens: impl FnOnce(&mut Subscription) -> Result<(), StoreError> + Send,
    ) -> Result<Subscription, StoreError> {
        self.in_turn(|mut tx| async move {
            let mut number = read(&mut tx, id).await?;
            happens(&mut number)?;
            charge(&mut tx, &mut number).await?;
            let update = "UPDATE number_subscription SET state = $2 WHERE id = $1";
            sqlx::query(update)
                .bind(id.as_str())
                .bind(number.stored())
                .execute(&mut *tx)
                .await?;
            while let Some(event) = number.poll_event() {
                outbox::put(&mut tx, &event, SystemClock.wall()).await?;
            }
            Ok((tx, number))
        })
        .await
    }
}

/// Writes the months that are due, as far as there are credits for them.
async fn charge(tx: &mut AnyConnection, number: &mut Subscription) -> Result<(), StoreError> {
    while let Some(entry) = number.poll_output() {
        match write_in(tx, &entry).await {
            Ok(_) => number.recorded(&entry.key),
            Err(StoreError::InsufficientCredits { .. }) => number.refused(&entry.key),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn read(
    connection: &mut AnyConnection,
    id: &SubscriptionId,
) -> Result<Subscription, StoreError> {
    let select = "SELECT account_id, state FROM number_subscription WHERE id = $1";
    let row: Option<(String, String)> = sqlx::query_as(select)
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    let (account, state) = row.ok_or_else(|| StoreError::Unknown {
        what: "number",
        name: id.to_string(),
    })?;
    let number = Subscription::restored(id.clone(), AccountId::new(account), &state);
    number.ok_or_else(|| StoreError::Unreadable {
        what: "state",
        place: format!("number {id}"),
    })
}
