//! Records of phone calls, and what reports ask of them (P5, C1).

use housecall::Encryption;
use housecall::ports::WallMillis;
use housecall::record::{CallRecord, EndedBy, Quality, RawCause};
use housecall_meter::{AccountId, SessionId};

use crate::call_filter::{CallFilter, JUDGEMENTS_OF_PAGE, PAGE};
use crate::call_quality::{self, Judgements};
use crate::number::{Stored, read};
use crate::{Page, Store, StoreError};

impl Store {
    /// Returns calls of a practice, newest first.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn calls(
        &self,
        account: &AccountId,
        filter: &CallFilter,
        page: Page,
    ) -> Result<Vec<CallRecord>, StoreError> {
        let select = PAGE.by(filter);
        let query = filter
            .bind(account, sqlx::query_as::<_, Row>(select))
            .bind(page.limit())
            .bind(page.offset());
        let rows = query.fetch_all(self.pool()).await?;
        let mut judgements = self.judgements(account, filter, page).await?;
        rows.into_iter()
            .map(|row| row.record(&mut judgements))
            .collect()
    }

    /// How the calls of a page sounded.
    async fn judgements(
        &self,
        account: &AccountId,
        filter: &CallFilter,
        page: Page,
    ) -> Result<Judgements, StoreError> {
        let select = JUDGEMENTS_OF_PAGE.by(filter);
        let query = filter
            .bind(account, sqlx::query_as::<_, call_quality::Row>(select))
            .bind(page.limit())
            .bind(page.offset());
        Judgements::of(query.fetch_all(self.pool()).await?)
    }

    /// Returns one call of a practice (C3).
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn call(
        &self,
        account: &AccountId,
        session: &SessionId,
    ) -> Result<Option<CallRecord>, StoreError> {
        let select = "SELECT * FROM call_record WHERE account_id = $1 AND session = $2";
        let query = sqlx::query_as::<_, Row>(select)
            .bind(account.as_str())
            .bind(session.as_str());
        let Some(row) = query.fetch_optional(self.pool()).await? else {
            return Ok(None);
        };
        let select = "SELECT * FROM call_quality WHERE session = $1";
        let query = sqlx::query_as::<_, call_quality::Row>(select).bind(session.as_str());
        let mut judgements = Judgements::of(query.fetch_all(self.pool()).await?)?;
        row.record(&mut judgements).map(Some)
    }

    pub(crate) async fn insert_call(&self, call: &CallRecord) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let quality = call.quality.as_ref();
        let insert = "INSERT INTO call_record (session, account_id, appointment, practitioner, caller, recipient, \
                      from_number, to_number, outcome, words, ended_by, status, started_unix_ms, answered_unix_ms, \
                      ended_unix_ms, talk_ms, hold_ms, credits, packets_received, packets_lost, jitter_ms, q850, \
                      reason_phrase, cause_text, encrypted, keys_hidden, held_by_them_ms, round_trip_ms, visit) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
                      $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29) ON CONFLICT (session) DO NOTHING";
        let query = sqlx::query(insert)
            .bind(call.session.as_str())
            .bind(call.account.as_str())
            .bind(call.appointment.as_deref())
            .bind(&call.practitioner)
            .bind(&call.caller)
            .bind(&call.recipient)
            .bind(&call.from_number)
            .bind(&call.to_number)
            .bind(&call.outcome)
            .bind(&call.words)
            .bind(call.ended_by.as_str())
            .bind(call.cause.status.map(i64::from))
            .bind(call.started.0)
            .bind(call.answered.map(|answered| answered.0))
            .bind(call.ended.0)
            .bind(call.talk_ms.stored())
            .bind(call.hold_ms.stored())
            .bind(call.credits.stored())
            .bind(quality.map(|quality| quality.packets_received.stored()))
            .bind(quality.map(|quality| quality.packets_lost.stored()))
            .bind(quality.map(|quality| i64::from(quality.jitter_ms)))
            .bind(call.cause.q850.map(i64::from))
            .bind(&call.cause.reason_phrase)
            .bind(&call.cause.text)
            .bind(call.encryption.map(|it| i64::from(it != Encryption::None)))
            .bind(i64::from(call.encryption == Some(Encryption::Full)))
            .bind(call.held_by_them_ms.stored())
            .bind(
                quality
                    .and_then(|quality| quality.round_trip_ms)
                    .map(i64::from),
            )
            .bind(call.visit.as_ref().map(SessionId::as_str));
        if query.execute(&mut *tx).await?.rows_affected() == 0 {
            return Ok(());
        }
        if let Some(quality) = quality {
            call_quality::insert(&mut tx, call.session.as_str(), quality).await?;
        }
        Ok(tx.commit().await?)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    session: String,
    account_id: String,
    appointment: Option<String>,
    practitioner: String,
    caller: String,
    recipient: String,
    from_number: String,
    to_number: String,
    outcome: String,
    words: String,
    ended_by: String,
    status: Option<i64>,
    started_unix_ms: i64,
    answered_unix_ms: Option<i64>,
    ended_unix_ms: i64,
    talk_ms: i64,
    hold_ms: i64,
    credits: i64,
    packets_received: Option<i64>,
    packets_lost: Option<i64>,
    jitter_ms: Option<i64>,
    q850: Option<i64>,
    reason_phrase: String,
    cause_text: String,
    encrypted: Option<i64>,
    keys_hidden: i64,
    held_by_them_ms: i64,
    round_trip_ms: Option<i64>,
    visit: Option<String>,
}

impl Row {
    fn record(self, judgements: &mut Judgements) -> Result<CallRecord, StoreError> {
        Ok(CallRecord {
            ended_by: self.ended_by()?,
            cause: self.cause()?,
            quality: self.quality(judgements)?,
            talk_ms: read("talk_ms", &self.session, self.talk_ms)?,
            hold_ms: read("hold_ms", &self.session, self.hold_ms)?,
            held_by_them_ms: read("held_by_them_ms", &self.session, self.held_by_them_ms)?,
            encryption: self.encryption(),
            credits: read("credits", &self.session, self.credits)?,
            session: SessionId::new(self.session),
            visit: self.visit.map(SessionId::new),
            account: AccountId::new(self.account_id),
            appointment: self.appointment,
            practitioner: self.practitioner,
            caller: self.caller,
            recipient: self.recipient,
            from_number: self.from_number,
            to_number: self.to_number,
            outcome: self.outcome,
            words: self.words,
            started: WallMillis(self.started_unix_ms),
            answered: self.answered_unix_ms.map(WallMillis),
            ended: WallMillis(self.ended_unix_ms),
        })
    }

    fn ended_by(&self) -> Result<EndedBy, StoreError> {
        let sides = [EndedBy::Us, EndedBy::Them];
        let side = sides
            .into_iter()
            .find(|side| side.as_str() == self.ended_by);
        side.ok_or_else(|| StoreError::Unreadable {
            what: "ended_by",
            place: self.session.clone(),
        })
    }

    fn encryption(&self) -> Option<Encryption> {
        Some(match (self.encrypted?, self.keys_hidden) {
            (0, _) => Encryption::None,
            (_, 0) => Encryption::KeysInClear,
            (..) => Encryption::Full,
        })
    }

    fn cause(&self) -> Result<RawCause, StoreError> {
        let status = self.status.map(|it| read("status", &self.session, it));
        let q850 = self.q850.map(|it| read("q850", &self.session, it));
        Ok(RawCause {
            status: status.transpose()?,
            reason_phrase: self.reason_phrase.clone(),
            q850: q850.transpose()?,
            text: self.cause_text.clone(),
        })
    }

    fn quality(&self, judgements: &mut Judgements) -> Result<Option<Quality>, StoreError> {
        let (Some(received), Some(lost), Some(jitter)) =
            (self.packets_received, self.packets_lost, self.jitter_ms)
        else {
            return Ok(None);
        };
        let place = &self.session;
        let round_trip = self
            .round_trip_ms
            .map(|it| read("round_trip_ms", place, it));
        let (heard, sent) = judgements.take(place);
        Ok(Some(Quality {
            packets_received: read("packets_received", place, received)?,
            packets_lost: read("packets_lost", place, lost)?,
            jitter_ms: read("jitter_ms", place, jitter)?,
            round_trip_ms: round_trip.transpose()?,
            heard,
            sent,
        }))
    }
}
