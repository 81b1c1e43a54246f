//! Who did what (A4). Identifiers only: no names, no health information.

use sqlx::{Any, Executor};

use crate::ids::PracticeId;

/// Writes one line of the audit log; nothing ever changes or removes one.
///
/// # Errors
/// When the database refuses: the caller's own write should then fail too.
pub async fn write<'e>(
    db: impl Executor<'e, Database = Any>,
    entry: Entry<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO audit_log (at_ms, practice_id, actor, action, subject) VALUES ($1, $2, $3, $4, $5)")
        .bind(entry.at_ms)
        .bind(entry.practice)
        .bind(entry.actor)
        .bind(entry.action)
        .bind(entry.subject)
        .execute(db)
        .await?;
    Ok(())
}

/// One line.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// When, unix milliseconds.
    pub at_ms: i64,
    /// In which practice, where that is known.
    pub practice: Option<PracticeId>,
    /// Who: `user:1`, `patient:4`, `nobody`.
    pub actor: String,
    /// What, as a verb: `appointment.cancel`.
    pub action: &'a str,
    /// To what: `appointment:9`.
    pub subject: String,
}
