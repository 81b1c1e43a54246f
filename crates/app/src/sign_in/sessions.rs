//! Sessions of staff: a token in a cookie, its hash in the database, an end in any case.

use jiff::tz::TimeZone;

use crate::error::AppError;
use crate::ids::{PracticeId, UserId};
use crate::sign_in::staff::{Role, Staff};
use crate::state::App;
use crate::token::{Token, TokenHash};

/// The cookie's name, before any prefix.
pub const COOKIE: &str = "staff";

/// However busy, a session ends after 12 hours.
pub const LIFETIME_MS: i64 = 12 * 60 * 60 * 1000;

/// Unused, it ends after 4: the hard cap of a consultation (V15), during which no page may be asked for.
const IDLE_MS: i64 = 4 * 60 * 60 * 1000;

/// How exact the last use is noted: a write for each page would be wasteful.
const SEEN_STEP_MS: i64 = 60 * 1000;

/// Begins a session and returns the token for the cookie.
///
/// # Errors
/// When the database refuses or there is no randomness.
pub async fn begin(app: &App, user: UserId) -> Result<Token, AppError> {
    let token = Token::random()?;
    let now = app.now_ms();
    sqlx::query("DELETE FROM staff_sessions WHERE expires_ms <= $1")
        .bind(now)
        .execute(&app.db)
        .await?;
    sqlx::query("INSERT INTO staff_sessions (token_hash, user_id, created_ms, seen_ms, expires_ms) VALUES ($1, $2, $3, $3, $4)")
        .bind(token.hash().bytes().to_vec())
        .bind(user)
        .bind(now)
        .bind(now + LIFETIME_MS)
        .execute(&app.db)
        .await?;
    Ok(token)
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: UserId,
    practice_id: PracticeId,
    name: String,
    role: String,
    practice_name: String,
    country: String,
    zone: String,
    seen_ms: i64,
}

/// Returns who a session belongs to, while it lasts.
///
/// # Errors
/// When the database refuses.
pub async fn find(app: &App, session: TokenHash) -> Result<Option<Staff>, AppError> {
    let now = app.now_ms();
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.user_id, u.practice_id, u.name, u.role, p.name AS practice_name, p.country, p.zone, s.seen_ms
         FROM staff_sessions s JOIN users u ON u.id = s.user_id JOIN practices p ON p.id = u.practice_id
         WHERE s.token_hash = $1 AND s.expires_ms > $2 AND s.seen_ms > $3",
    )
    .bind(session.bytes().to_vec())
    .bind(now)
    .bind(now - IDLE_MS)
    .fetch_optional(&app.db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if now - row.seen_ms > SEEN_STEP_MS {
        touch(app, session, now).await?;
    }
    Ok(Some(row.into_staff(session)))
}

async fn touch(app: &App, session: TokenHash, now: i64) -> Result<(), AppError> {
    sqlx::query("UPDATE staff_sessions SET seen_ms = $1 WHERE token_hash = $2")
        .bind(now)
        .bind(session.bytes().to_vec())
        .execute(&app.db)
        .await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// When the database refuses.
pub async fn end(app: &App, token: &Token) -> Result<(), AppError> {
    sqlx::query("DELETE FROM staff_sessions WHERE token_hash = $1")
        .bind(token.hash().bytes().to_vec())
        .execute(&app.db)
        .await?;
    Ok(())
}

impl Row {
    fn into_staff(self, session: TokenHash) -> Staff {
        Staff {
            session,
            user: self.user_id,
            practice: self.practice_id,
            name: self.name,
            role: Role::from_name(&self.role),
            practice_name: self.practice_name,
            country: self.country,
            zone: TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC),
        }
    }
}
