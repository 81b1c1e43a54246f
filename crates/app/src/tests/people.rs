use axum::http::StatusCode;
use housecall_store::on_each_database;
use housecall_store::testing::Base;

use super::{Clinic, fields};

on_each_database! {
    people_are_found_by_name_organisation_and_number,
    what_is_searched_for_is_text_and_no_pattern,
    a_patient_is_written_down_and_changed,
    what_is_wrong_is_said_and_what_was_typed_stays,
}

async fn people_are_found_by_name_organisation_and_number(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    for (search, found, not) in [
        ("okaf", "Sam Okafor", "Ivy Tran"),
        ("pathology", "Dr Omi Sato", "Sam Okafor"),
        ("0491 570 159", "Lee Park", "Sam Okafor"),
        ("570159", "Lee Park", "Ivy Tran"),
    ] {
        let page = staff
            .get(&format!("/people?q={}", crate::form::encode(search)))
            .await
            .body;
        assert!(page.contains(found) && !page.contains(not), "{search}");
    }
    let contacts = staff.get("/people?which=contacts").await.body;
    assert!(contacts.contains("Harbour Pharmacy") && !contacts.contains("Lee Park"));
}

async fn what_is_searched_for_is_text_and_no_pattern(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    for search in ["%25", "_", "!", "sam%25okafor", "%27"] {
        let page = staff.get(&format!("/people?q={search}")).await;
        assert_eq!(page.status, StatusCode::OK, "{search}");
        assert!(!page.body.contains("Sam Okafor"), "{search}");
    }
    assert!(staff.get("/people?q=SAM").await.body.contains("Sam Okafor"));
    let insert = "INSERT INTO patients (practice_id, name, created_ms) VALUES (1, 'Élise Brun', 0)";
    let inserted = sqlx::query(insert).execute(&clinic.app.db).await;
    inserted.unwrap();
    let page = staff.get("/people?q=%C3%89lise").await.body;
    assert!(page.contains("Élise Brun"));
    // One of the databases keeps no NUL in text.
    let nul = staff.get("/people?q=sam%00").await;
    assert_eq!(nul.status, StatusCode::NOT_FOUND);
}

async fn a_patient_is_written_down_and_changed(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.administrator().await;
    let new = fields(&[
        ("name", "Nia <Vance>"),
        ("born", "1990-01-02"),
        ("email", "nia@example.com"),
        ("label", "Mobile"),
        ("number", "0491 570 006"),
        ("label", ""),
        ("number", ""),
    ]);
    let path = staff
        .post("/people/patients/new", &new)
        .await
        .location()
        .to_owned();
    let page = staff.get(&path).await.body;
    assert!(page.contains("born 2 January 1990") && page.contains("0491 570 006"));
    assert!(!page.contains("<Vance>"), "names are text");
    let changed = fields(&[
        ("name", "Nia Vance"),
        ("label", "Home"),
        ("number", "(02) 5550 0100"),
    ]);
    assert_eq!(
        staff.post(&format!("{path}/edit"), &changed).await.status,
        StatusCode::SEE_OTHER
    );
    let page = staff.get(&path).await.body;
    assert!(
        page.contains("(02) 5550 0100") && !page.contains("0491 570 006") && !page.contains("1990")
    );
}

async fn what_is_wrong_is_said_and_what_was_typed_stays(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.administrator().await;
    let before = clinic.count("patients").await;
    let wrong = fields(&[
        ("name", ""),
        ("email", "nobody"),
        ("label", "Mobile"),
        ("number", "ring me"),
    ]);
    let reply = staff.post("/people/patients/new", &wrong).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in [
        "Write the name.",
        "not an email address",
        "3 to 15 digits",
        "value=\"ring me\"",
        "value=\"nobody\"",
    ] {
        assert!(reply.body.contains(words), "{words}");
    }
    assert_eq!(clinic.count("patients").await, before);
}
