//! Visit links: one person's way into one consultation (V3, A2, A3).
//!
//! A link carries 256 random bits behind `#` and is kept as their hash, so it can be shown only as it is made. Showing it again makes another
//! one; all of a person's links work until the person is removed or the links are replaced.

use housecall_store::Store;

use crate::appointments::table::Change;
use crate::audit::{self, Entry};
use crate::db;
use crate::error::AppError;
use crate::ids::{AppointmentId, PatientId};
use crate::state::App;
use crate::token::Token;

/// More links than this for one person in one appointment: the oldest are replaced.
const LIVE_MAX: i64 = 20;

/// Makes a link for a patient's place and returns its address.
///
/// # Errors
/// When the patient has no place in the appointment, or the database refuses.
pub async fn issue(
    app: &App,
    change: &Change,
    appointment: AppointmentId,
    patient: PatientId,
) -> Result<String, AppError> {
    let token = Token::random()?;
    let mut tx = db::begin(&app.store).await?;
    let key: Option<String> = sqlx::query_scalar(
        "SELECT s.visit_key FROM participants s JOIN appointments a ON a.id = s.appointment_id
         WHERE s.appointment_id = $1 AND s.patient_id = $2 AND a.practice_id = $3 AND a.cancelled_ms IS NULL AND a.location = 'telehealth'",
    )
    .bind(appointment)
    .bind(patient)
    .bind(change.practice)
    .fetch_optional(&mut *tx)
    .await?;
    let key = key.ok_or(AppError::NotFound(
        "This patient has no place in a telehealth appointment here.",
    ))?;
    sqlx::query("INSERT INTO visit_links (token_hash, appointment_id, patient_id, visit_key, created_ms, nth) VALUES ($1, $2, $3, $4, $5,
            (SELECT COALESCE(MAX(nth), 0) + 1 FROM visit_links WHERE appointment_id = $2 AND patient_id = $3))")
        .bind(token.hash().bytes().to_vec())
        .bind(appointment)
        .bind(patient)
        .bind(key)
        .bind(change.at_ms)
        .execute(&mut *tx)
        .await?;
    replace(&mut tx, change, appointment, patient, LIVE_MAX).await?;
    note(&mut tx, change, "visit_link.issue", appointment, patient).await?;
    tx.commit().await?;
    Ok(format!(
        "{}/visit#{}",
        app.config.server.public_url(),
        token.reveal()
    ))
}

/// Makes every link of a patient's place so far useless: when one went to the wrong person.
///
/// # Errors
/// When the database refuses.
pub async fn replace_all(
    store: &Store,
    change: &Change,
    appointment: AppointmentId,
    patient: PatientId,
) -> Result<(), AppError> {
    let mut tx = db::begin(store).await?;
    replace(&mut tx, change, appointment, patient, 0).await?;
    note(&mut tx, change, "visit_link.replace", appointment, patient).await?;
    tx.commit().await?;
    Ok(())
}

async fn replace(
    tx: &mut sqlx::AnyConnection,
    change: &Change,
    appointment: AppointmentId,
    patient: PatientId,
    keep: i64,
) -> Result<(), AppError> {
    // SQLite knows no OFFSET without a LIMIT.
    sqlx::query(
        "UPDATE visit_links SET revoked_ms = $1, revoked_why = 'replaced' WHERE revoked_ms IS NULL AND token_hash IN (
            SELECT token_hash FROM visit_links WHERE appointment_id = $2 AND patient_id = $3 AND revoked_ms IS NULL
              AND EXISTS (SELECT 1 FROM appointments WHERE id = $2 AND practice_id = $4)
            ORDER BY nth DESC LIMIT 1000000 OFFSET $5)",
    )
    .bind(change.at_ms)
    .bind(appointment)
    .bind(patient)
    .bind(change.practice)
    .bind(keep)
    .execute(tx)
    .await?;
    Ok(())
}

/// What a link was exchanged for.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The public name of the place: the visit is at `/visit/<key>`.
    pub key: String,
    /// The token for the cookie.
    pub cookie: Token,
    /// How long the cookie lasts, in seconds.
    pub seconds: i64,
}

/// A cookie outlives the longest visit; afterwards the link is opened again.
const COOKIE_MS: i64 = 24 * 60 * 60 * 1000;

/// Exchanges a link for a cookie; the link stays as good as it was (A2). A revoked link is exchanged too, so that its page can say why.
///
/// # Errors
/// When the database refuses or there is no randomness.
pub async fn open(app: &App, link: &Token) -> Result<Option<Opened>, AppError> {
    let now = app.now_ms();
    let hash = link.hash().bytes().to_vec();
    let key: Option<String> = sqlx::query_scalar("UPDATE visit_links SET opened_ms = COALESCE(opened_ms, $1) WHERE token_hash = $2 RETURNING visit_key")
        .bind(now)
        .bind(&hash)
        .fetch_optional(&app.db)
        .await?;
    let Some(key) = key else { return Ok(None) };
    let cookie = Token::random()?;
    sqlx::query("DELETE FROM visit_sessions WHERE expires_ms <= $1")
        .bind(now)
        .execute(&app.db)
        .await?;
    sqlx::query("INSERT INTO visit_sessions (token_hash, link_hash, created_ms, expires_ms) VALUES ($1, $2, $3, $4)")
        .bind(cookie.hash().bytes().to_vec())
        .bind(hash)
        .bind(now)
        .bind(now + COOKIE_MS)
        .execute(&app.db)
        .await?;
    Ok(Some(Opened {
        key,
        cookie,
        seconds: COOKIE_MS / 1000,
    }))
}

async fn note(
    tx: &mut sqlx::AnyConnection,
    change: &Change,
    action: &str,
    appointment: AppointmentId,
    patient: PatientId,
) -> Result<(), AppError> {
    let subject = format!("appointment:{appointment} patient:{patient}");
    Ok(audit::write(
        tx,
        Entry {
            at_ms: change.at_ms,
            practice: Some(change.practice),
            actor: change.actor.clone(),
            action,
            subject,
        },
    )
    .await?)
}
