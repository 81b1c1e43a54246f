use axum::http::StatusCode;
use housecall_store::on_each_database;
use housecall_store::testing::Base;

use super::{Browser, Clinic, appointment_fields};
use crate::appointments::{self, Appointment};
use crate::ids::{AppointmentId, PracticeId};

on_each_database! {
    v2_a_fourth_patient_is_refused_when_saving,
    v2_the_tables_have_no_fourth_seat_either,
    the_same_patient_twice_is_refused,
    whoever_stays_keeps_seat_and_place,
    a_moved_appointment_is_shown_on_its_new_day,
    a_cancelled_appointment_stays_and_cannot_be_changed,
    p1_notes_on_a_phone_consultation_are_the_practitioners,
    p2_without_an_active_number_there_is_no_call_icon,
    another_practice_sees_and_changes_nothing,
    a4_what_was_done_is_written_down_and_stays,
}

async fn find(clinic: &Clinic, id: AppointmentId) -> Appointment {
    appointments::find(&clinic.app.db, PracticeId(1), id)
        .await
        .unwrap()
        .unwrap()
}

async fn fields_with(clinic: &Clinic, location: &str, names: &[&str]) -> Vec<(String, String)> {
    let mut fields = appointment_fields(location);
    for name in names {
        fields.push(("patient".to_owned(), clinic.patient(name).await.to_string()));
    }
    fields
}

async fn change(
    clinic: &Clinic,
    staff: &mut Browser,
    id: AppointmentId,
    names: &[&str],
) -> StatusCode {
    let fields = fields_with(clinic, "telehealth", names).await;
    staff
        .post(&format!("/appointments/{id}"), &fields)
        .await
        .status
}

async fn v2_a_fourth_patient_is_refused_when_saving(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let before = clinic.count("appointments").await;
    let fields = fields_with(
        &clinic,
        "telehealth",
        &["Sam Okafor", "Ruth Okafor", "Lee Park", "Ivy Tran"],
    )
    .await;
    let reply = staff.post("/appointments", &fields).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        reply
            .body
            .contains("An appointment has room for three patients.")
    );
    assert!(reply.body.contains("Nothing was saved yet."));
    assert_eq!(clinic.count("appointments").await, before);
    let id = clinic
        .book(&mut staff, &["Sam Okafor", "Ruth Okafor", "Lee Park"])
        .await;
    assert_eq!(
        change(
            &clinic,
            &mut staff,
            id,
            &["Sam Okafor", "Ruth Okafor", "Lee Park", "Ivy Tran"]
        )
        .await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(find(&clinic, id).await.booked(), 3);
}

async fn v2_the_tables_have_no_fourth_seat_either(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic
        .book(&mut staff, &["Sam Okafor", "Ruth Okafor", "Lee Park"])
        .await;
    let insert = "INSERT INTO participants (appointment_id, seat, patient_id, visit_key) VALUES ($1, $2, $3, 'k')";
    for seat in [0, 1, 4] {
        let refused = sqlx::query(insert)
            .bind(id)
            .bind(seat)
            .bind(clinic.patient("Ivy Tran").await)
            .execute(&clinic.app.db)
            .await;
        assert!(refused.is_err(), "seat {seat}");
    }
}

async fn the_same_patient_twice_is_refused(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let fields = fields_with(&clinic, "telehealth", &["Sam Okafor", "Sam Okafor"]).await;
    let reply = staff.post("/appointments", &fields).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.body.contains("there twice"));
}

async fn whoever_stays_keeps_seat_and_place(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic
        .book(&mut staff, &["Sam Okafor", "Ruth Okafor"])
        .await;
    let before = find(&clinic, id).await;
    assert_eq!(
        change(&clinic, &mut staff, id, &["Lee Park", "Ruth Okafor"]).await,
        StatusCode::SEE_OTHER
    );
    let after = find(&clinic, id).await;
    assert_eq!(after.patients[1], before.patients[1], "Ruth keeps seat 2");
    assert_eq!(
        after.patients[0].as_ref().unwrap().name,
        "Lee Park",
        "Lee takes the free seat 1"
    );
    assert_ne!(
        after.patients[0].as_ref().unwrap().visit_key,
        before.patients[0].as_ref().unwrap().visit_key
    );
}

async fn a_moved_appointment_is_shown_on_its_new_day(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Kim Alvar"]).await;
    let mut fields = fields_with(&clinic, "telehealth", &["Kim Alvar"]).await;
    fields[0].1 = "2026-12-03".to_owned();
    assert_eq!(
        staff
            .post(&format!("/appointments/{id}"), &fields)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    let page = staff.get(&format!("/calendar?open={id}")).await.body;
    assert!(page.contains("30 November – 6 December 2026"));
    assert!(page.contains("Thu 3 Dec, 11:00–11:30"));
}

async fn a_cancelled_appointment_stays_and_cannot_be_changed(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
    assert_eq!(
        staff
            .post(&format!("/appointments/{id}/cancel"), &[])
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    assert!(
        staff
            .get(&format!("/calendar?open={id}"))
            .await
            .body
            .contains("Cancelled")
    );
    assert_eq!(
        change(&clinic, &mut staff, id, &["Sam Okafor"]).await,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        staff
            .post(&format!("/appointments/{id}/cancel"), &[])
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        staff.get(&format!("/appointments/{id}/edit")).await.status,
        StatusCode::NOT_FOUND
    );
}

async fn p1_notes_on_a_phone_consultation_are_the_practitioners(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut doctor = clinic.practitioner().await;
    let mut office = clinic.administrator().await;
    let fields = fields_with(&clinic, "phone", &["Lee Park"]).await;
    let location = doctor
        .post("/appointments", &fields)
        .await
        .location()
        .to_owned();
    let id = location.split_once("open=").unwrap().1.to_owned();
    let note = [(
        "body".to_owned(),
        "Sleeps better.\n<b>Repeat in March.</b>".to_owned(),
    )];
    assert_eq!(
        doctor
            .post(&format!("/appointments/{id}/notes"), &note)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        office
            .post(&format!("/appointments/{id}/notes"), &note)
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(clinic.count("notes").await, 1);
    let seen = doctor.get(&location).await.body;
    assert!(
        seen.contains("Sleeps better.") && !seen.contains("<b>Repeat"),
        "shown, and only as text"
    );
    assert!(!office.get(&location).await.body.contains("Sleeps better."));
    let empty = [("body".to_owned(), "  ".to_owned())];
    assert_eq!(
        doctor
            .post(&format!("/appointments/{id}/notes"), &empty)
            .await
            .status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

async fn p2_without_an_active_number_there_is_no_call_icon(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    assert!(
        staff
            .get("/people/patients/1")
            .await
            .body
            .contains("data-call-person=\"patient:1\"")
    );
    sqlx::query("UPDATE dedicated_numbers SET state = 'suspended'")
        .execute(&clinic.app.db)
        .await
        .unwrap();
    for path in ["/people/patients/1", "/people"] {
        let page = staff.get(path).await.body;
        assert!(
            !page.contains("data-call-person") && !page.contains("call-panel"),
            "{path}"
        );
    }
}

async fn another_practice_sees_and_changes_nothing(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut ours = clinic.practitioner().await;
    let id = clinic.book(&mut ours, &["Sam Okafor"]).await;
    let db = &clinic.app.db;
    sqlx::query("INSERT INTO practices (id, name, zone, country, created_ms) VALUES (2, 'Other', 'Europe/Zurich', 'CH', 0)").execute(db).await.unwrap();
    sqlx::query("INSERT INTO users (id, practice_id, email, name, role, created_ms) VALUES (9, 2, 'eve@other.example', 'Dr Eve', 'practitioner', 0)").execute(db).await.unwrap();
    let mut eve = clinic.signed_in("eve@other.example").await;
    for path in [
        "/calendar",
        "/people",
        &format!("/calendar?open={id}"),
        "/appointments/new",
        "/reports/phone",
    ] {
        let page = eve.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(
            !page.body.contains("Okafor") && !page.body.contains("Dana"),
            "{path}"
        );
    }
    for path in [
        "/people/patients/1".to_owned(),
        "/people/patients/1/edit".to_owned(),
        format!("/appointments/{id}/edit"),
        format!("/appointments/{id}/visit"),
    ] {
        assert_eq!(eve.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let patient = [(
        "patient".to_owned(),
        clinic.patient("Sam Okafor").await.to_string(),
    )];
    assert_eq!(
        eve.post(&format!("/appointments/{id}/links"), &patient)
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        eve.post(&format!("/appointments/{id}/cancel"), &[])
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    let mut fields = fields_with(&clinic, "telehealth", &["Sam Okafor"]).await;
    assert_eq!(
        eve.post("/appointments", &fields).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "not her practitioner"
    );
    fields.retain(|(name, _)| name != "practitioner");
    fields.push(("practitioner".to_owned(), "9".to_owned()));
    assert_eq!(
        eve.post("/appointments", &fields).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "not her patient"
    );
    let mut name = vec![("name".to_owned(), "Changed".to_owned())];
    name.push(("label".to_owned(), String::new()));
    assert_eq!(
        eve.post("/people/patients/1/edit", &name).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(find(&clinic, id).await.names(), "Sam Okafor");
}

async fn a4_what_was_done_is_written_down_and_stays(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
    let line: (String, String) =
        sqlx::query_as("SELECT actor, action FROM audit_log WHERE subject = $1")
            .bind(format!("appointment:{id}"))
            .fetch_one(&clinic.app.db)
            .await
            .unwrap();
    assert_eq!(line, ("user:1".to_owned(), "appointment.book".to_owned()));
    for statement in [
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
    ] {
        let refused = sqlx::query(statement)
            .execute(&clinic.app.db)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}
