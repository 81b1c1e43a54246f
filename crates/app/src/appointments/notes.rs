//! Clinical notes on phone consultations (P1). Written by the booked practitioner, read by practitioners, never changed.

use jiff::tz::TimeZone;

use crate::appointments::table::Change;
use crate::audit::{self, Entry};
use crate::db;
use crate::error::AppError;
use crate::ids::AppointmentId;
use crate::sign_in::Staff;
use crate::state::App;
use crate::when;

/// One note.
pub struct Note {
    /// What was written.
    pub body: String,
    /// Who wrote it.
    pub author: String,
    /// When, in words.
    pub written: String,
}

/// Returns the notes of an appointment, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn of(app: &App, staff: &Staff, id: AppointmentId) -> Result<Vec<Note>, AppError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT n.body, u.name, n.written_ms FROM clinical_notes n JOIN users u ON u.id = n.author_id JOIN appointments a ON a.id = n.appointment_id
         WHERE n.appointment_id = $1 AND a.practice_id = $2 ORDER BY n.written_ms, n.id",
    )
    .bind(id)
    .bind(staff.practice)
    .fetch_all(&app.db)
    .await?;
    Ok(rows.into_iter().map(|row| note(row, &staff.zone)).collect())
}

fn note((body, author, written_ms): (String, String, i64), zone: &TimeZone) -> Note {
    let written = when::zoned(written_ms, zone);
    Note {
        body,
        author,
        written: format!("{}, {}", when::day(written.date()), when::clock(&written)),
    }
}

/// Adds a note.
///
/// # Errors
/// When the appointment is not a phone consultation of this practitioner, the note is empty or too long, or the database refuses.
pub async fn add(
    app: &App,
    staff: &Staff,
    change: &Change,
    id: AppointmentId,
    body: &str,
) -> Result<(), AppError> {
    if body.is_empty() || body.chars().count() > 20_000 {
        return Err(AppError::invalid(
            "A note has between 1 and 20,000 characters.",
        ));
    }
    let mut tx = db::begin(&app.store).await?;
    let added = sqlx::query(
        "INSERT INTO clinical_notes (appointment_id, author_id, body, written_ms)
         SELECT id, $1, $2, $3 FROM appointments WHERE id = $4 AND practice_id = $5 AND practitioner_id = $1 AND location = 'phone'",
    )
    .bind(staff.user)
    .bind(body)
    .bind(change.at_ms)
    .bind(id)
    .bind(staff.practice)
    .execute(&mut *tx)
    .await?;
    if added.rows_affected() == 0 {
        return Err(AppError::NotPermitted(
            "Notes on a phone consultation are written by the practitioner who holds it.",
        ));
    }
    let entry = Entry {
        at_ms: change.at_ms,
        practice: Some(staff.practice),
        actor: staff.actor(),
        action: "note.add",
        subject: format!("appointment:{id}"),
    };
    audit::write(&mut *tx, entry).await?;
    tx.commit().await?;
    Ok(())
}
