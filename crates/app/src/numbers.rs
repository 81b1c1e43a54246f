//! The practice's dedicated numbers: the caller id of its calls (N2, P2, P3).

use housecall::Country;
use sqlx::AnyPool;

use crate::error::AppError;
use crate::ids::{PracticeId, UserId};
use crate::sign_in::{Role, Staff};

/// A number the practice calls from.
#[derive(Clone, Debug, Eq, PartialEq, sqlx::FromRow)]
pub struct DedicatedNumber {
    /// E.164, such as `+61255500142`.
    pub number: String,
    /// Whose it is; none: the whole practice's.
    pub practitioner_id: Option<UserId>,
    /// That practitioner's name.
    pub practitioner: Option<String>,
}

impl DedicatedNumber {
    /// Returns the number as people write it.
    pub fn shown(&self) -> String {
        shown(&self.number)
    }
}

/// Returns the active numbers a member of staff may call from: practitioners their own and the practice's, administrators all.
///
/// # Errors
/// When the database refuses.
pub async fn to_call_from(db: &AnyPool, staff: &Staff) -> Result<Vec<DedicatedNumber>, AppError> {
    let mut numbers = active(db, staff.practice).await?;
    if staff.role == Role::Practitioner {
        numbers.retain(|number| {
            number
                .practitioner_id
                .is_none_or(|owner| owner == staff.user)
        });
    }
    Ok(numbers)
}

/// Returns the active numbers of a practice.
///
/// # Errors
/// When the database refuses.
pub async fn active(db: &AnyPool, practice: PracticeId) -> Result<Vec<DedicatedNumber>, AppError> {
    let numbers = sqlx::query_as(
        "SELECT d.number, d.practitioner_id, u.name AS practitioner FROM dedicated_numbers d LEFT JOIN users u ON u.id = d.practitioner_id
         WHERE d.practice_id = $1 AND d.state = 'active' ORDER BY d.practitioner_id IS NOT NULL, d.id",
    )
    .bind(practice)
    .fetch_all(db)
    .await?;
    Ok(numbers)
}

/// Returns the active number that the whole installation calls from first: a practice's own before its practitioners'.
///
/// # Errors
/// When the database refuses.
pub async fn first(db: &AnyPool) -> Result<Option<String>, AppError> {
    let select = "SELECT number FROM dedicated_numbers WHERE state = 'active' ORDER BY practice_id, practitioner_id IS NOT NULL, id LIMIT 1";
    Ok(sqlx::query_scalar(select).fetch_optional(db).await?)
}

/// Returns the country whose numbers are written without a prefix: the first practice's.
///
/// # Errors
/// When the database refuses.
pub async fn country(db: &AnyPool) -> Result<Country, AppError> {
    let select = "SELECT country FROM practices ORDER BY id LIMIT 1";
    let code: Option<String> = sqlx::query_scalar(select).fetch_optional(db).await?;
    Ok(code
        .and_then(|code| Country::from_iso(&code))
        .unwrap_or(Country::Au))
}

/// Returns an Australian E.164 number as people write it, and any other as it is.
///
/// ```
/// assert_eq!(housecall_app::numbers::shown("+61255500142"), "02 5550 0142");
/// assert_eq!(housecall_app::numbers::shown("+61491570156"), "0491 570 156");
/// assert_eq!(housecall_app::numbers::shown("+14155550100"), "+14155550100");
/// ```
pub fn shown(number: &str) -> String {
    let Some(rest) = number
        .strip_prefix("+61")
        .filter(|rest| rest.len() == 9 && rest.bytes().all(|b| b.is_ascii_digit()))
    else {
        return number.to_owned();
    };
    let (first, second) = if rest.starts_with('4') {
        (3, 3)
    } else {
        (1, 4)
    };
    let (area, rest) = rest.split_at(first);
    let (middle, last) = rest.split_at(second);
    format!("0{area} {middle} {last}")
}
