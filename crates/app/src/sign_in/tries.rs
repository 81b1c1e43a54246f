//! After several failed tries an address has to wait, longer each time: guessing becomes useless, the owner waits a minute at most.

use crate::error::AppError;
use crate::state::App;
use crate::token::TokenHash;

/// This many tries are free.
const FREE: i64 = 5;
/// The longest wait: more would let a stranger lock somebody out.
const WAIT_MS_MAX: i64 = 60_000;
/// Failures are forgotten after a day.
const MEMORY_MS: i64 = 24 * 60 * 60 * 1000;

/// Returns how long this address still has to wait, if at all.
pub(super) async fn wait_ms(app: &App, email: &str) -> Result<Option<i64>, AppError> {
    let next: Option<i64> =
        sqlx::query_scalar("SELECT next_try_ms FROM sign_in_tries WHERE email_hash = $1")
            .bind(key(email))
            .fetch_optional(&app.db)
            .await?;
    Ok(next
        .map(|next| next - app.now_ms())
        .filter(|wait| *wait > 0))
}

/// Notes a failed try.
pub(super) async fn note_failure(app: &App, email: &str) -> Result<(), AppError> {
    let now = app.now_ms();
    sqlx::query("DELETE FROM sign_in_tries WHERE last_ms < $1")
        .bind(now - MEMORY_MS)
        .execute(&app.db)
        .await?;
    let failures: i64 = sqlx::query_scalar(
        "INSERT INTO sign_in_tries (email_hash, failures, next_try_ms, last_ms) VALUES ($1, 1, 0, $2)
         ON CONFLICT (email_hash) DO UPDATE SET failures = sign_in_tries.failures + 1, last_ms = $2 RETURNING failures",
    )
    .bind(key(email))
    .bind(now)
    .fetch_one(&app.db)
    .await?;
    sqlx::query("UPDATE sign_in_tries SET next_try_ms = $1 WHERE email_hash = $2")
        .bind(now + delay_ms(failures))
        .bind(key(email))
        .execute(&app.db)
        .await?;
    Ok(())
}

/// Forgets the failures of an address that got in.
pub(super) async fn forget(app: &App, email: &str) -> Result<(), AppError> {
    sqlx::query("DELETE FROM sign_in_tries WHERE email_hash = $1")
        .bind(key(email))
        .execute(&app.db)
        .await?;
    Ok(())
}

fn delay_ms(failures: i64) -> i64 {
    let beyond = u32::try_from((failures - FREE).max(0)).unwrap_or(u32::MAX);
    if beyond == 0 {
        0
    } else {
        1000_i64
            .saturating_mul(2_i64.saturating_pow(beyond))
            .min(WAIT_MS_MAX)
    }
}

fn key(email: &str) -> Vec<u8> {
    TokenHash::of(&email.to_lowercase()).bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::delay_ms;

    #[test]
    fn waits_double_up_to_a_minute() {
        assert_eq!(
            [1, 5, 6, 7, 10, 11, i64::MAX].map(delay_ms),
            [0, 0, 2000, 4000, 32_000, 60_000, 60_000]
        );
    }
}
