//! Records of video visits, and what reports ask of them (P5, C1).

use housecall::ports::WallMillis;
use housecall::record::{VisitPatient, VisitRecord};
use housecall_meter::{AccountId, SessionId};
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::QueryAs;

use crate::number::{Stored, read};
use crate::{Page, Store, StoreError};

/// Which visits are wanted: all that are set must hold (C1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct VisitFilter {
    /// Started then or later.
    pub from: Option<WallMillis>,
    /// Started before then.
    pub before: Option<WallMillis>,
    /// Who held it.
    pub practitioner: Option<String>,
    /// Who was booked for it.
    pub patient: Option<String>,
    /// True: was admitted. False: never was.
    pub admitted: Option<bool>,
    /// Lasted at least this long from Join to Disconnect, in milliseconds.
    pub elapsed_ms_min: Option<u64>,
}

/// One line of a report on visits: one patient's part in one visit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VisitRow {
    /// The visit.
    pub session: SessionId,
    /// The appointment that was held.
    pub appointment: String,
    /// Who held it.
    pub practitioner: String,
    /// The practitioner's Join.
    pub started: WallMillis,
    /// When it ended.
    pub ended: WallMillis,
    /// From Join to Disconnect, on the clock of charges.
    pub elapsed_ms: u64,
    /// Why it ended, in words.
    pub words: String,
    /// The patient's part, with the credits for this patient.
    pub patient: VisitPatient,
}

/// The bottom line of a report on visits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VisitTotals {
    /// How many visits.
    pub visits: u64,
    /// How many lines: patients, counted once for each visit.
    pub rows: u64,
    /// Time that patients were connected, in milliseconds.
    pub connected_ms: u64,
    /// What the lines cost.
    pub credits: u64,
}

/// A statement on the lines that a filter lets through.
macro_rules! among_filtered {
    ($columns:literal, $tail:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM visit_record v JOIN visit_patient p ON p.session = v.session WHERE v.account_id = $1 ",
            "AND ($2 IS NULL OR v.started_unix_ms >= $2) AND ($3 IS NULL OR v.started_unix_ms < $3) ",
            "AND ($4 IS NULL OR v.practitioner = $4) AND ($5 IS NULL OR p.patient = $5) ",
            "AND ($6 IS NULL OR p.admitted = $6) AND ($7 IS NULL OR v.elapsed_ms >= $7)",
            $tail
        )
    };
}

impl Store {
    /// Returns the parts of patients in visits of a practice, the newest visit first, in seat order.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn visits(
        &self,
        account: &AccountId,
        filter: &VisitFilter,
        page: Page,
    ) -> Result<Vec<VisitRow>, StoreError> {
        let select = among_filtered!(
            "v.session, v.appointment, v.practitioner, v.started_unix_ms, v.ended_unix_ms, v.elapsed_ms, v.words, \
             p.seat, p.patient, p.admitted, p.connected_ms, p.by_phone_ms, p.credits",
            " ORDER BY v.started_unix_ms DESC, v.session DESC, p.seat LIMIT $8 OFFSET $9"
        );
        let query = filter
            .bind(account, sqlx::query_as::<_, Row>(select))
            .bind(page.limit())
            .bind(page.offset());
        query
            .fetch_all(self.pool())
            .await?
            .into_iter()
            .map(Row::row)
            .collect()
    }

    /// Returns the bottom line of all the lines that the filter lets through, whatever the page.
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn visit_totals(
        &self,
        account: &AccountId,
        filter: &VisitFilter,
    ) -> Result<VisitTotals, StoreError> {
        let select = among_filtered!(
            "COUNT(DISTINCT v.session), COUNT(*), CAST(COALESCE(SUM(p.connected_ms), 0) AS BIGINT), CAST(COALESCE(SUM(p.credits), 0) AS BIGINT)",
            ""
        );
        let query = filter.bind(account, sqlx::query_as::<_, (i64, i64, i64, i64)>(select));
        let (visits, rows, connected_ms, credits) = query.fetch_one(self.pool()).await?;
        let total = |what, sum| read(what, "visit totals", sum);
        Ok(VisitTotals {
            visits: total("visits", visits)?,
            rows: total("rows", rows)?,
            connected_ms: total("connected_ms", connected_ms)?,
            credits: total("credits", credits)?,
        })
    }

    /// Returns one visit of a practice, whole (C3).
    ///
    /// # Errors
    /// What the database says, or [`StoreError::Unreadable`].
    pub async fn visit(
        &self,
        account: &AccountId,
        session: &SessionId,
    ) -> Result<Option<VisitRecord>, StoreError> {
        let select = "SELECT * FROM visit_record WHERE account_id = $1 AND session = $2";
        let query = sqlx::query_as::<_, Whole>(select)
            .bind(account.as_str())
            .bind(session.as_str());
        let Some(whole) = query.fetch_optional(self.pool()).await? else {
            return Ok(None);
        };
        let select = "SELECT seat, patient, admitted, connected_ms, by_phone_ms, credits FROM visit_patient \
                      WHERE session = $1 ORDER BY seat";
        let seats = sqlx::query_as::<_, Seat>(select)
            .bind(session.as_str())
            .fetch_all(self.pool())
            .await?;
        let patients = seats
            .into_iter()
            .map(|seat| seat.patient(session.as_str()))
            .collect::<Result<_, _>>()?;
        whole.record(patients).map(Some)
    }

    /// Returns how the last visit of an appointment ended, in words; none when it was never held.
    ///
    /// # Errors
    /// What the database says.
    pub async fn last_visit_words(
        &self,
        account: &AccountId,
        appointment: &str,
    ) -> Result<Option<String>, StoreError> {
        let select = "SELECT words FROM visit_record WHERE account_id = $1 AND appointment = $2 \
                      ORDER BY started_unix_ms DESC LIMIT 1";
        let query = sqlx::query_scalar(select)
            .bind(account.as_str())
            .bind(appointment);
        Ok(query.fetch_optional(self.pool()).await?)
    }

    pub(crate) async fn insert_visit(&self, visit: &VisitRecord) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let insert = "INSERT INTO visit_record (session, account_id, appointment, practitioner, started_unix_ms, \
                      ended_unix_ms, elapsed_ms, words, credits) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                      ON CONFLICT (session) DO NOTHING";
        let query = sqlx::query(insert)
            .bind(visit.session.as_str())
            .bind(visit.account.as_str())
            .bind(&visit.appointment)
            .bind(&visit.practitioner)
            .bind(visit.started.0)
            .bind(visit.ended.0)
            .bind(visit.elapsed_ms.stored())
            .bind(&visit.words)
            .bind(visit.credits.stored());
        if query.execute(&mut *tx).await?.rows_affected() == 0 {
            return Ok(());
        }
        for part in &visit.patients {
            let insert = "INSERT INTO visit_patient (session, seat, patient, admitted, connected_ms, credits, \
                          by_phone_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)";
            let query = sqlx::query(insert)
                .bind(visit.session.as_str())
                .bind(i64::from(part.seat))
                .bind(&part.patient);
            let query = query
                .bind(i64::from(part.admitted))
                .bind(part.connected_ms.stored());
            let query = query
                .bind(part.credits.stored())
                .bind(part.by_phone_ms.stored());
            query.execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }
}

type Query<'q, O> = QueryAs<'q, Any, O, AnyArguments>;

impl VisitFilter {
    fn bind<'q, O>(&'q self, account: &'q AccountId, query: Query<'q, O>) -> Query<'q, O> {
        query
            .bind(account.as_str())
            .bind(self.from.map(|from| from.0))
            .bind(self.before.map(|before| before.0))
            .bind(self.practitioner.as_deref())
            .bind(self.patient.as_deref())
            .bind(self.admitted.map(i64::from))
            .bind(self.elapsed_ms_min.map(Stored::stored))
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    session: String,
    appointment: String,
    practitioner: String,
    started_unix_ms: i64,
    ended_unix_ms: i64,
    elapsed_ms: i64,
    words: String,
    #[sqlx(flatten)]
    seat: Seat,
}

#[derive(sqlx::FromRow)]
struct Seat {
    seat: i64,
    patient: String,
    admitted: i64,
    connected_ms: i64,
    by_phone_ms: i64,
    credits: i64,
}

#[derive(sqlx::FromRow)]
struct Whole {
    session: String,
    account_id: String,
    appointment: String,
    practitioner: String,
    started_unix_ms: i64,
    ended_unix_ms: i64,
    elapsed_ms: i64,
    words: String,
    credits: i64,
}

impl Row {
    fn row(self) -> Result<VisitRow, StoreError> {
        Ok(VisitRow {
            patient: self.seat.patient(&self.session)?,
            elapsed_ms: read("elapsed_ms", &self.session, self.elapsed_ms)?,
            session: SessionId::new(self.session),
            appointment: self.appointment,
            practitioner: self.practitioner,
            started: WallMillis(self.started_unix_ms),
            ended: WallMillis(self.ended_unix_ms),
            words: self.words,
        })
    }
}

impl Seat {
    fn patient(self, session: &str) -> Result<VisitPatient, StoreError> {
        Ok(VisitPatient {
            seat: read("seat", session, self.seat)?,
            patient: self.patient,
            admitted: self.admitted != 0,
            connected_ms: read("connected_ms", session, self.connected_ms)?,
            by_phone_ms: read("by_phone_ms", session, self.by_phone_ms)?,
            credits: read("credits", session, self.credits)?,
        })
    }
}

impl Whole {
    fn record(self, patients: Vec<VisitPatient>) -> Result<VisitRecord, StoreError> {
        Ok(VisitRecord {
            elapsed_ms: read("elapsed_ms", &self.session, self.elapsed_ms)?,
            credits: read("credits", &self.session, self.credits)?,
            session: SessionId::new(self.session),
            account: AccountId::new(self.account_id),
            appointment: self.appointment,
            practitioner: self.practitioner,
            started: WallMillis(self.started_unix_ms),
            ended: WallMillis(self.ended_unix_ms),
            words: self.words,
            patients,
        })
    }
}
