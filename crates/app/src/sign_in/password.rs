//! Passwords: argon2id, and words that do not tell whether an address is known.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};

use crate::error::AppError;
use crate::ids::UserId;
use crate::sign_in::tries;
use crate::state::App;

/// Longer passwords are refused unread: hashing them would cost us and gain nobody anything.
const LENGTH_MAX: usize = 1024;

/// Checked when the address is unknown, so that the answer takes as long as for a known one.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

/// What became of a try.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Right(UserId),
    Wrong,
    TooSoon { wait_ms: i64 },
}

/// Checks an address and a password, slowing down after several failed tries.
pub(crate) async fn check(app: &App, email: &str, password: &str) -> Result<Verdict, AppError> {
    if let Some(wait_ms) = tries::wait_ms(app, email).await? {
        return Ok(Verdict::TooSoon { wait_ms });
    }
    let known: Option<(UserId, Option<String>)> =
        sqlx::query_as("SELECT id, password_hash FROM users WHERE lower(email) = lower($1)")
            .bind(email)
            .fetch_optional(&app.db)
            .await?;
    let stored = known.as_ref().and_then(|(_, hash)| hash.clone());
    let right = password.len() <= LENGTH_MAX && verify(app, stored, password).await?;
    match known {
        Some((user, _)) if right => {
            tries::forget(app, email).await?;
            Ok(Verdict::Right(user))
        }
        _ => {
            tries::note_failure(app, email).await?;
            tracing::warn!(known = known.is_some(), "a sign-in failed");
            Ok(Verdict::Wrong)
        }
    }
}

async fn verify(app: &App, stored: Option<String>, password: &str) -> Result<bool, AppError> {
    let permit = app
        .password_checks
        .acquire()
        .await
        .map_err(|e| AppError::Internal(e.to_string()))?;
    let password = password.to_owned();
    let verdict = tokio::task::spawn_blocking(move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODY.clone());
        PasswordHash::new(&stored).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        }) && known
    })
    .await;
    drop(permit);
    verdict.map_err(|e| AppError::Internal(e.to_string()))
}

/// Hashes a password with a salt of its own.
///
/// # Errors
/// When there is no randomness, or argon2 refuses.
pub fn hash(password: &str) -> Result<String, AppError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    let internal = |e: argon2::password_hash::Error| AppError::Internal(e.to_string());
    let salt = SaltString::encode_b64(&salt).map_err(internal)?;
    Ok(Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map_err(internal)?
        .to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_argon2id_with_their_own_salt() {
        let (one, two) = (hash("secret").unwrap(), hash("secret").unwrap());
        assert!(one.starts_with("$argon2id$"));
        assert_ne!(one, two);
    }
}
