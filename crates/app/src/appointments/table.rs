//! Appointments in the database; every query names the practice.

use housecall_store::Store;
use sqlx::{AnyConnection, AnyPool};

use crate::appointments::model::{Appointment, Booked, Draft, Location, Participant};
use crate::audit::{self, Entry};
use crate::db;
use crate::error::AppError;
use crate::ids::{AppointmentId, PatientId, PracticeId, UserId};
use crate::{token, when};

/// Who changes something, and when.
#[derive(Clone, Debug)]
pub struct Change {
    /// In which practice.
    pub practice: PracticeId,
    /// Who, as the audit log names them.
    pub actor: String,
    /// When, unix milliseconds.
    pub at_ms: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: AppointmentId,
    practitioner_id: UserId,
    practitioner_name: String,
    starts_ms: i64,
    ends_ms: i64,
    zone: String,
    location: String,
    room: Option<String>,
    title: String,
    cancelled_ms: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct PlaceRow {
    appointment_id: AppointmentId,
    seat: i64,
    patient_id: PatientId,
    name: String,
    visit_key: String,
}

/// Returns an appointment of the practice.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    db: &AnyPool,
    practice: PracticeId,
    id: AppointmentId,
) -> Result<Option<Appointment>, AppError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT a.id, a.practitioner_id, u.name AS practitioner_name, a.starts_ms, a.ends_ms, a.zone, a.location, a.room, a.title, a.cancelled_ms
         FROM appointments a JOIN users u ON u.id = a.practitioner_id WHERE a.practice_id = $1 AND a.id = $2",
    )
    .bind(practice)
    .bind(id)
    .fetch_optional(db)
    .await?;
    let places: Vec<PlaceRow> = sqlx::query_as(
        "SELECT s.appointment_id, s.seat, s.patient_id, p.name, s.visit_key FROM participants s JOIN patients p ON p.id = s.patient_id
         WHERE s.appointment_id = $1 AND p.practice_id = $2 ORDER BY s.seat",
    )
    .bind(id)
    .bind(practice)
    .fetch_all(db)
    .await?;
    Ok(row.map(|row| row.with_places(&places)))
}

/// Returns the practice's appointments that begin in a span of time, cancelled ones included, by start.
///
/// # Errors
/// When the database refuses.
pub async fn between(
    db: &AnyPool,
    practice: PracticeId,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<Appointment>, AppError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT a.id, a.practitioner_id, u.name AS practitioner_name, a.starts_ms, a.ends_ms, a.zone, a.location, a.room, a.title, a.cancelled_ms
         FROM appointments a JOIN users u ON u.id = a.practitioner_id
         WHERE a.practice_id = $1 AND a.starts_ms >= $2 AND a.starts_ms < $3 ORDER BY a.starts_ms, a.id LIMIT 2000",
    )
    .bind(practice)
    .bind(from_ms)
    .bind(to_ms)
    .fetch_all(db)
    .await?;
    let places: Vec<PlaceRow> = sqlx::query_as(
        "SELECT s.appointment_id, s.seat, s.patient_id, p.name, s.visit_key
         FROM participants s JOIN patients p ON p.id = s.patient_id JOIN appointments a ON a.id = s.appointment_id
         WHERE a.practice_id = $1 AND a.starts_ms >= $2 AND a.starts_ms < $3 ORDER BY s.appointment_id, s.seat",
    )
    .bind(practice)
    .bind(from_ms)
    .bind(to_ms)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| row.with_places(&places))
        .collect())
}

/// Returns a patient's appointments, the latest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_patient(
    db: &AnyPool,
    practice: PracticeId,
    patient: PatientId,
) -> Result<Vec<Appointment>, AppError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT a.id, a.practitioner_id, u.name AS practitioner_name, a.starts_ms, a.ends_ms, a.zone, a.location, a.room, a.title, a.cancelled_ms
         FROM appointments a JOIN users u ON u.id = a.practitioner_id JOIN participants s ON s.appointment_id = a.id
         WHERE a.practice_id = $1 AND s.patient_id = $2 ORDER BY a.starts_ms DESC LIMIT 50",
    )
    .bind(practice)
    .bind(patient)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| row.with_places(&[])).collect())
}

/// Books an appointment and returns its identity.
///
/// # Errors
/// When the practitioner or a patient is not of this practice, or the database refuses.
pub async fn book(
    store: &Store,
    change: &Change,
    draft: &Draft,
) -> Result<AppointmentId, AppError> {
    let mut tx = db::begin(store).await?;
    check_belongs(&mut tx, change.practice, draft).await?;
    let id: AppointmentId = sqlx::query_scalar(
        "INSERT INTO appointments (practice_id, practitioner_id, starts_ms, ends_ms, zone, location, room, title, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
    )
    .bind(change.practice)
    .bind(draft.practitioner)
    .bind(draft.starts_ms)
    .bind(draft.ends_ms)
    .bind(&draft.zone_name)
    .bind(draft.location.kind())
    .bind(draft.location.room())
    .bind(&draft.title)
    .bind(change.at_ms)
    .fetch_one(&mut *tx)
    .await?;
    seat(&mut tx, id, draft.patients).await?;
    note(&mut tx, change, "appointment.book", id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes an appointment: moves it, changes its place, its practitioner, its patients. A patient who stays keeps seat and link;
/// the links of one who is removed die, and nobody else's (A3).
///
/// # Errors
/// As [`book`]; also when there is no such appointment, or it is cancelled.
pub async fn change(
    store: &Store,
    change: &Change,
    id: AppointmentId,
    draft: &Draft,
) -> Result<(), AppError> {
    let mut tx = db::begin(store).await?;
    check_belongs(&mut tx, change.practice, draft).await?;
    let changed = sqlx::query(
        "UPDATE appointments SET practitioner_id = $1, starts_ms = $2, ends_ms = $3, zone = $4, location = $5, room = $6, title = $7
         WHERE id = $8 AND practice_id = $9 AND cancelled_ms IS NULL",
    )
    .bind(draft.practitioner)
    .bind(draft.starts_ms)
    .bind(draft.ends_ms)
    .bind(&draft.zone_name)
    .bind(draft.location.kind())
    .bind(draft.location.room())
    .bind(&draft.title)
    .bind(id)
    .bind(change.practice)
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(AppError::NotFound(
            "This appointment is cancelled or was never booked here.",
        ));
    }
    unseat(&mut tx, change, id, draft.patients).await?;
    seat(&mut tx, id, draft.patients).await?;
    note(&mut tx, change, "appointment.change", id).await?;
    tx.commit().await?;
    Ok(())
}

/// Cancels an appointment. Its links stay known, so that their pages can say so (A3).
///
/// # Errors
/// When there is no such appointment, or the database refuses.
pub async fn cancel(store: &Store, change: &Change, id: AppointmentId) -> Result<(), AppError> {
    let mut tx = db::begin(store).await?;
    let cancelled = sqlx::query("UPDATE appointments SET cancelled_ms = $1 WHERE id = $2 AND practice_id = $3 AND cancelled_ms IS NULL")
        .bind(change.at_ms)
        .bind(id)
        .bind(change.practice)
        .execute(&mut *tx)
        .await?;
    if cancelled.rows_affected() == 0 {
        return Err(AppError::NotFound(
            "This appointment is cancelled already or was never booked here.",
        ));
    }
    note(&mut tx, change, "appointment.cancel", id).await?;
    tx.commit().await?;
    Ok(())
}

/// A form can name anybody: the practitioner and the patients must be this practice's.
async fn check_belongs(
    tx: &mut AnyConnection,
    practice: PracticeId,
    draft: &Draft,
) -> Result<(), AppError> {
    let practitioner: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM users WHERE id = $1 AND practice_id = $2 AND role = 'practitioner'",
    )
    .bind(draft.practitioner)
    .bind(practice)
    .fetch_optional(&mut *tx)
    .await?;
    if practitioner.is_none() {
        return Err(AppError::invalid(
            "The practitioner is not of this practice. Choose one from the list.",
        ));
    }
    for patient in draft.patients.iter() {
        let known: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM patients WHERE id = $1 AND practice_id = $2")
                .bind(patient)
                .bind(practice)
                .fetch_optional(&mut *tx)
                .await?;
        if known.is_none() {
            return Err(AppError::invalid(
                "A patient is not of this practice. Choose from the list.",
            ));
        }
    }
    Ok(())
}

async fn unseat(
    tx: &mut AnyConnection,
    change: &Change,
    id: AppointmentId,
    booked: Booked,
) -> Result<(), AppError> {
    for patient in seated(tx, id)
        .await?
        .into_iter()
        .filter(|(_, patient)| !booked.iter().any(|stays| stays == *patient))
        .map(|(_, patient)| patient)
    {
        sqlx::query("DELETE FROM participants WHERE appointment_id = $1 AND patient_id = $2")
            .bind(id)
            .bind(patient)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE visit_links SET revoked_ms = $1, revoked_why = 'removed' WHERE appointment_id = $2 AND patient_id = $3 AND revoked_ms IS NULL")
            .bind(change.at_ms)
            .bind(id)
            .bind(patient)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

async fn seat(tx: &mut AnyConnection, id: AppointmentId, booked: Booked) -> Result<(), AppError> {
    let mut taken = seated(tx, id).await?;
    for patient in booked.iter() {
        if taken.iter().any(|(_, seated)| *seated == patient) {
            continue;
        }
        let free = (1..=3_i64).find(|seat| !taken.iter().any(|(taken, _)| taken == seat));
        let free = free
            .ok_or_else(|| AppError::Internal("no seat is free for a booked patient".to_owned()))?;
        sqlx::query("INSERT INTO participants (appointment_id, seat, patient_id, visit_key) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(free)
            .bind(patient)
            .bind(token::public_key()?)
            .execute(&mut *tx)
            .await?;
        taken.push((free, patient));
    }
    Ok(())
}

async fn seated(
    tx: &mut AnyConnection,
    id: AppointmentId,
) -> Result<Vec<(i64, PatientId)>, AppError> {
    Ok(sqlx::query_as(
        "SELECT seat, patient_id FROM participants WHERE appointment_id = $1 ORDER BY seat",
    )
    .bind(id)
    .fetch_all(tx)
    .await?)
}

async fn note(
    tx: &mut AnyConnection,
    change: &Change,
    action: &str,
    id: AppointmentId,
) -> Result<(), AppError> {
    let entry = Entry {
        at_ms: change.at_ms,
        practice: Some(change.practice),
        actor: change.actor.clone(),
        action,
        subject: format!("appointment:{id}"),
    };
    Ok(audit::write(tx, entry).await?)
}

impl Row {
    fn with_places(self, places: &[PlaceRow]) -> Appointment {
        let mut patients = [None, None, None];
        for place in places
            .iter()
            .filter(|place| place.appointment_id == self.id)
        {
            let seat = u8::try_from(place.seat).unwrap_or(0);
            if let Some(slot) = usize::from(seat)
                .checked_sub(1)
                .and_then(|index| patients.get_mut(index))
            {
                *slot = Some(Participant {
                    seat,
                    patient: place.patient_id,
                    name: place.name.clone(),
                    visit_key: place.visit_key.clone(),
                });
            }
        }
        Appointment {
            id: self.id,
            practitioner: self.practitioner_id,
            practitioner_name: self.practitioner_name,
            starts_ms: self.starts_ms,
            ends_ms: self.ends_ms,
            zone: when::zone(&self.zone),
            zone_name: self.zone,
            location: Location::from_stored(&self.location, self.room),
            title: self.title,
            cancelled: self.cancelled_ms.is_some(),
            patients,
        }
    }
}
