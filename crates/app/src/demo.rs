//! The demonstration: a small clinic with something to do right now.
//!
//! Harbour Street Clinic in Sydney, one practitioner, one administrator, and patients whose phones each do something else: the pretend
//! network (`housecall-carrier`) answers for the numbers reserved for fiction. Seeded once; appointments around now are booked again
//! at a start that finds none.

mod people;
mod schedule;

use std::fmt::Write as _;

use housecall::Credits;

use crate::appointments::{self, Appointment, Change, Location};
use crate::error::AppError;
use crate::ids::{PracticeId, UserId};
use crate::sign_in::{links as sign_in_links, password};
use crate::state::App;
use crate::visits::links as visit_links;
use crate::{money, when};

const ZONE: &str = "Australia/Sydney";
const CREDITS: u64 = 400;
/// The practice's number: the caller id of its calls (N2).
const NUMBER: &str = "+61255500142";
/// Known to everybody who reads this; set only when nobody else can reach the pages.
const PASSWORD: &str = "harbour street";

const STAFF: [(&str, &str, &str); 2] = [
    ("Dr Dana Reed", "dana@harbour.example", "practitioner"),
    ("Robin Hale", "robin@harbour.example", "administrator"),
];

/// Seeds the clinic if need be and returns what to print: links to sign in and links of patients.
///
/// # Errors
/// When the database refuses.
pub async fn prepare(app: &App) -> Result<String, AppError> {
    let practice = match practice(app).await? {
        Some(practice) => practice,
        None => seed(app).await?,
    };
    let practitioner = staff(app, practice, "practitioner").await?;
    schedule::book_around_now(app, practice, practitioner).await?;
    announce(app, practice).await
}

async fn practice(app: &App) -> Result<Option<PracticeId>, AppError> {
    Ok(
        sqlx::query_scalar("SELECT id FROM practices ORDER BY id LIMIT 1")
            .fetch_optional(&app.db)
            .await?,
    )
}

async fn staff(app: &App, practice: PracticeId, role: &str) -> Result<UserId, AppError> {
    let select = "SELECT id FROM users WHERE practice_id = $1 AND role = $2 ORDER BY id LIMIT 1";
    Ok(sqlx::query_scalar(select)
        .bind(practice)
        .bind(role)
        .fetch_one(&app.db)
        .await?)
}

async fn seed(app: &App) -> Result<PracticeId, AppError> {
    // Hashing takes its time: nobody waits for it in a transaction.
    let password = app
        .config
        .server
        .bind
        .ip()
        .is_loopback()
        .then(|| password::hash(PASSWORD))
        .transpose()?;
    let mut tx = crate::db::begin(&app.store).await?;
    let practice: PracticeId = sqlx::query_scalar(
        "INSERT INTO practices (name, zone, country, created_ms) VALUES ('Harbour Street Clinic', $1, 'AU', $2) RETURNING id",
    )
    .bind(ZONE)
    .bind(app.now_ms())
    .fetch_one(&mut *tx)
    .await?;
    for (name, email, role) in STAFF {
        sqlx::query(
            "INSERT INTO users (practice_id, email, name, role, password_hash, created_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(practice)
        .bind(email)
        .bind(name)
        .bind(role)
        .bind(&password)
        .bind(app.now_ms())
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query(
        "INSERT INTO dedicated_numbers (practice_id, number, state) VALUES ($1, $2, 'active')",
    )
    .bind(practice)
    .bind(NUMBER)
    .execute(&mut *tx)
    .await?;
    people::write_down(&mut tx, practice, app.now_ms()).await?;
    tx.commit().await?;
    grant(app, practice).await?;
    Ok(practice)
}

async fn grant(app: &App, practice: PracticeId) -> Result<(), AppError> {
    let account = money::account(practice);
    let granted = app
        .store
        .grant(
            "demo credits",
            &account,
            Credits(CREDITS),
            "credits of the demonstration",
        )
        .await;
    granted.map_err(|e| AppError::Internal(e.to_string()))?;
    Ok(())
}

/// Issues fresh links, since those of an earlier start are kept only as hashes, and puts them into words.
async fn announce(app: &App, practice: PracticeId) -> Result<String, AppError> {
    let mut words = format!(
        "\nHousecall, a demonstration: {}\n",
        app.config.server.public_url()
    );
    words.push_str("\nSign in (each link works once)\n");
    for (name, email, role) in STAFF {
        let user = staff(app, practice, role).await?;
        let link = sign_in_links::issue(app, user).await?;
        let _ = writeln!(
            words,
            "  {name}, {role}\n    {link}\n    or {email}{}",
            password_words(app)
        );
    }
    let soon = soon(app, practice).await?;
    words.push_str("\nOpen as a patient (in another window)\n");
    for appointment in soon.iter().filter(|a| a.location == Location::Telehealth) {
        announce_patients(app, practice, appointment, &mut words).await?;
    }
    words.push_str("\nRing somebody: open a phone consultation in the calendar, or a profile under People.\n\n");
    Ok(words)
}

fn password_words(app: &App) -> String {
    if app.config.server.bind.ip().is_loopback() {
        format!(" with the password \"{PASSWORD}\"")
    } else {
        String::new()
    }
}

async fn announce_patients(
    app: &App,
    practice: PracticeId,
    appointment: &Appointment,
    words: &mut String,
) -> Result<(), AppError> {
    let change = by_nobody(app, practice);
    for place in appointment.participants() {
        let link = visit_links::issue(app, &change, appointment.id, place.patient).await?;
        let at = when::clock(&appointment.starts());
        let _ = writeln!(words, "  {at} {}\n    {link}", place.name);
    }
    Ok(())
}

/// Returns the appointments of the hours around now.
async fn soon(app: &App, practice: PracticeId) -> Result<Vec<Appointment>, AppError> {
    let now = app.now_ms();
    let mut soon = appointments::between(
        &app.db,
        practice,
        now - schedule::PAST_MS,
        now + schedule::SOON_MS,
    )
    .await?;
    soon.retain(|a| !a.cancelled);
    Ok(soon)
}

fn by_nobody(app: &App, practice: PracticeId) -> Change {
    Change {
        practice,
        actor: "demo".to_owned(),
        at_ms: app.now_ms(),
    }
}
