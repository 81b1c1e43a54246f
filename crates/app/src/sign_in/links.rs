//! Links that sign a member of staff in once.

use crate::error::AppError;
use crate::ids::UserId;
use crate::state::App;
use crate::token::Token;

/// A link waits this long to be clicked.
const LIFETIME_MS: i64 = 24 * 60 * 60 * 1000;

/// Makes a link and returns its address; the token is behind `#`, which browsers keep to themselves.
///
/// # Errors
/// When the database refuses or there is no randomness.
pub async fn issue(app: &App, user: UserId) -> Result<String, AppError> {
    let token = Token::random()?;
    let now = app.now_ms();
    sqlx::query("DELETE FROM sign_in_links WHERE expires_ms <= $1")
        .bind(now)
        .execute(&app.db)
        .await?;
    sqlx::query("INSERT INTO sign_in_links (token_hash, user_id, expires_ms) VALUES ($1, $2, $3)")
        .bind(token.hash().bytes().to_vec())
        .bind(user)
        .bind(now + LIFETIME_MS)
        .execute(&app.db)
        .await?;
    Ok(format!(
        "{}/sign-in/link#{}",
        app.config.server.public_url(),
        token.reveal()
    ))
}

/// Spends a link: returns its owner the first time, and nobody afterwards.
///
/// # Errors
/// When the database refuses.
pub async fn spend(app: &App, token: &Token) -> Result<Option<UserId>, AppError> {
    let now = app.now_ms();
    let user = sqlx::query_scalar("UPDATE sign_in_links SET used_ms = $1 WHERE token_hash = $2 AND used_ms IS NULL AND expires_ms > $1 RETURNING user_id")
        .bind(now)
        .bind(token.hash().bytes().to_vec())
        .fetch_optional(&app.db)
        .await?;
    Ok(user)
}
