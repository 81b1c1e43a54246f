//! Who is in the demonstration's address book, and what their phones do.

use sqlx::AnyConnection;

use crate::error::AppError;
use crate::ids::{ContactId, PatientId, PracticeId};

/// A patient: name, born, number, and what the phone does. The label says it, so that whoever tries the demonstration knows what to expect.
pub(super) const PATIENTS: [(&str, &str, &str, &str); 14] = [
    ("Ivy Tran", "1988-03-14", "+61491570006", "Mobile (echoes)"),
    (
        "Sam Okafor",
        "1979-08-02",
        "+61491570156",
        "Mobile (speaks)",
    ),
    (
        "Ruth Okafor",
        "1981-12-19",
        "+61491570157",
        "Mobile (steady tone)",
    ),
    ("Pat Doyle", "1966-01-30", "+61491570158", "Mobile (busy)"),
    (
        "Lee Park",
        "1951-05-04",
        "+61491570159",
        "Mobile (never answers)",
    ),
    (
        "Theo Blake",
        "1994-10-11",
        "+61491570110",
        "Mobile (declines)",
    ),
    (
        "Kim Alvar",
        "2001-07-23",
        "+61491570313",
        "Mobile (not in use)",
    ),
    (
        "Mia Chen",
        "1972-02-27",
        "+61491570737",
        "Mobile (announcement first)",
    ),
    (
        "Jo Marsh",
        "1959-09-09",
        "+61491571266",
        "Mobile (hangs up soon)",
    ),
    (
        "Ana Ruiz",
        "1985-06-16",
        "+61491571491",
        "Mobile (reads digits back)",
    ),
    (
        "Linh Nguyen",
        "1990-04-05",
        "+61491570006",
        "Mobile (echoes)",
    ),
    (
        "Bao Nguyen",
        "1987-11-28",
        "+61491570156",
        "Mobile (speaks)",
    ),
    (
        "Mai Nguyen",
        "2014-01-08",
        "+61491574118",
        "Home (presses keys)",
    ),
    (
        "Noa Levi",
        "1976-10-03",
        "+61491571804",
        "Mobile (puts you on hold)",
    ),
];

const CONTACTS: [(&str, &str, &str, &str); 2] = [
    (
        "Dr Omi Sato",
        "City Pathology",
        "+61491570156",
        "Work (speaks)",
    ),
    (
        "Harbour Pharmacy",
        "42 Harbour Street",
        "+61491570158",
        "Counter (busy)",
    ),
];

/// Writes everybody down.
pub(super) async fn write_down(
    tx: &mut AnyConnection,
    practice: PracticeId,
    now_ms: i64,
) -> Result<(), AppError> {
    for (name, born, number, label) in PATIENTS {
        let id: PatientId = sqlx::query_scalar(
            "INSERT INTO patients (practice_id, name, born, email, created_ms) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        )
        .bind(practice)
        .bind(name)
        .bind(born)
        .bind(email(name))
        .bind(now_ms)
        .fetch_one(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO phone_numbers (patient_id, label, number) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(label)
            .bind(number)
            .execute(&mut *tx)
            .await?;
    }
    for (name, organisation, number, label) in CONTACTS {
        let id: ContactId = sqlx::query_scalar(
            "INSERT INTO contacts (practice_id, name, organisation, created_ms) VALUES ($1, $2, $3, $4) RETURNING id",
        )
        .bind(practice)
        .bind(name)
        .bind(organisation)
        .bind(now_ms)
        .fetch_one(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO phone_numbers (contact_id, label, number) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(label)
            .bind(number)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

fn email(name: &str) -> String {
    format!("{}@example.com", name.to_lowercase().replace(' ', "."))
}
