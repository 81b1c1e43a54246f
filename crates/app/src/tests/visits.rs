use axum::http::{Method, Request, StatusCode};
use housecall_store::on_each_database;
use housecall_store::testing::Base;

use super::{Clinic, appointment_fields};

on_each_database! {
    a2_opening_a_link_consumes_nothing,
    a2_links_are_stored_as_hashes_and_travel_in_no_address,
    what_is_not_a_link_says_so,
    two_patients_may_share_a_browser,
    a1_one_patients_cookie_opens_no_other_place,
    a3_a_moved_appointment_keeps_its_link,
    a3_links_of_visits_that_are_not_held_on_video_say_so,
    a3_a_removed_patients_links_die_and_nobody_elses,
    v10_replaced_links_point_to_the_newer_one,
    v5_a_visit_is_over_four_hours_after_its_end,
    v2_a_link_for_somebody_who_is_not_booked_is_refused,
    a1_only_the_booked_practitioner_opens_the_room,
    v5_the_practitioner_may_start_early_today_but_not_another_day,
    v6_the_price_and_how_it_was_reached_are_shown_before_join,
    sockets_are_closed_to_whoever_has_no_cookie,
}

async fn a2_opening_a_link_consumes_nothing(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
    let link = clinic.link(&mut staff, id, "Sam Okafor").await;
    assert!(
        link.starts_with("http://localhost:8080/visit#"),
        "the secret is in the fragment"
    );
    for _ in 0..3 {
        assert_eq!(
            clinic.browser().get("/visit").await.status,
            StatusCode::OK,
            "what a mail scanner fetches"
        );
        let page = clinic.browser().open_visit(&link).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("Hello Sam") && page.body.contains("Dr Dana Reed"));
    }
}

async fn a2_links_are_stored_as_hashes_and_travel_in_no_address(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
    let link = clinic.link(&mut staff, id, "Sam Okafor").await;
    let token = link.split_once('#').unwrap().1;
    assert_eq!(token.len(), 43);
    let hashed: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM visit_links WHERE length(token_hash) = 32 AND appointment_id = $1",
    )
    .bind(id)
    .fetch_one(&clinic.app.db)
    .await
    .unwrap();
    assert_eq!(hashed, 1);
    let mut patient = clinic.browser();
    let page = patient.open_visit(&link).await;
    assert!(!page.body.contains(token));
    let (name, value) = patient.cookies.first_key_value().unwrap();
    assert!(
        name.starts_with("visit-") && value != token,
        "a cookie of its own"
    );
}

async fn what_is_not_a_link_says_so(base: &Base) {
    let clinic = Clinic::open(base).await;
    for token in [
        "",
        "short",
        "../../etc/passwd",
        &"A".repeat(43),
        &"x".repeat(100_000),
    ] {
        let reply = clinic.browser().exchange("/visit", token).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        assert!(reply.body.contains("message"));
    }
    assert_eq!(
        clinic
            .browser()
            .get("/visit/0123456789abcdef")
            .await
            .location(),
        "/visit"
    );
}

async fn two_patients_may_share_a_browser(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic
        .book(&mut staff, &["Sam Okafor", "Ruth Okafor"])
        .await;
    let mut shared = clinic.browser();
    for name in ["Sam", "Ruth", "Sam"] {
        let link = clinic.link(&mut staff, id, &format!("{name} Okafor")).await;
        assert!(
            shared
                .open_visit(&link)
                .await
                .body
                .contains(&format!("Hello {name}"))
        );
    }
    assert_eq!(shared.cookies.len(), 2);
}

async fn a1_one_patients_cookie_opens_no_other_place(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic
        .book(&mut staff, &["Sam Okafor", "Ruth Okafor"])
        .await;
    let mut sam = clinic.browser();
    sam.open_visit(&clinic.link(&mut staff, id, "Sam Okafor").await)
        .await;
    let mut ruth = clinic.browser();
    ruth.open_visit(&clinic.link(&mut staff, id, "Ruth Okafor").await)
        .await;
    let place = ruth.cookies.first_key_value().unwrap().0.clone();
    let stolen = sam.cookies.first_key_value().unwrap().1.clone();
    sam.cookies.insert(place.clone(), stolen);
    let key = place.strip_prefix("visit-").unwrap();
    assert_eq!(sam.get(&format!("/visit/{key}")).await.location(), "/visit");
}

async fn a3_a_moved_appointment_keeps_its_link(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
    let link = clinic.link(&mut staff, id, "Sam Okafor").await;
    let mut fields = appointment_fields("telehealth");
    fields[0].1 = "2026-11-27".to_owned();
    fields[1].1 = "15:20".to_owned();
    fields.push((
        "patient".to_owned(),
        clinic.patient("Sam Okafor").await.to_string(),
    ));
    staff.post(&format!("/appointments/{id}"), &fields).await;
    let page = clinic.browser().open_visit(&link).await.body;
    assert!(
        page.contains("on Friday 27 November") && page.contains("15:20"),
        "{page}"
    );
}

async fn a3_links_of_visits_that_are_not_held_on_video_say_so(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    for (location, title) in [
        ("phone", "This visit is by phone now"),
        ("in_person", "This visit is at the clinic now"),
        ("cancel", "This visit was cancelled"),
    ] {
        let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
        let link = clinic.link(&mut staff, id, "Sam Okafor").await;
        if location == "cancel" {
            staff.post(&format!("/appointments/{id}/cancel"), &[]).await;
        } else {
            let mut fields = appointment_fields(location);
            fields.push((
                "patient".to_owned(),
                clinic.patient("Sam Okafor").await.to_string(),
            ));
            staff.post(&format!("/appointments/{id}"), &fields).await;
        }
        let page = clinic.browser().open_visit(&link).await;
        assert_eq!(page.status, StatusCode::GONE);
        assert!(page.body.contains(title), "{title}: {}", page.body);
    }
}

async fn a3_a_removed_patients_links_die_and_nobody_elses(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic
        .book(&mut staff, &["Sam Okafor", "Ruth Okafor"])
        .await;
    let sam = clinic.link(&mut staff, id, "Sam Okafor").await;
    let ruth = clinic.link(&mut staff, id, "Ruth Okafor").await;
    let mut open = clinic.browser();
    open.open_visit(&sam).await;
    let mut fields = appointment_fields("telehealth");
    fields.push((
        "patient".to_owned(),
        clinic.patient("Ruth Okafor").await.to_string(),
    ));
    staff.post(&format!("/appointments/{id}"), &fields).await;
    assert!(
        open.open_visit(&sam)
            .await
            .body
            .contains("This link no longer opens a visit")
    );
    assert!(
        clinic
            .browser()
            .open_visit(&ruth)
            .await
            .body
            .contains("Hello Ruth")
    );
    fields.push((
        "patient".to_owned(),
        clinic.patient("Sam Okafor").await.to_string(),
    ));
    staff.post(&format!("/appointments/{id}"), &fields).await;
    assert_eq!(
        clinic.browser().open_visit(&sam).await.status,
        StatusCode::GONE,
        "booked again: a new link, the old one stays dead"
    );
    let fresh = clinic.link(&mut staff, id, "Sam Okafor").await;
    assert!(
        clinic
            .browser()
            .open_visit(&fresh)
            .await
            .body
            .contains("Hello Sam")
    );
}

async fn v10_replaced_links_point_to_the_newer_one(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
    let old = clinic.link(&mut staff, id, "Sam Okafor").await;
    let patient = [(
        "patient".to_owned(),
        clinic.patient("Sam Okafor").await.to_string(),
    )];
    let page = staff
        .post(&format!("/appointments/{id}/links/replace"), &patient)
        .await;
    let fresh = page
        .body
        .split('"')
        .find(|piece| piece.contains("/visit#"))
        .unwrap()
        .to_owned();
    assert!(
        clinic
            .browser()
            .open_visit(&old)
            .await
            .body
            .contains("There is a newer link for this visit")
    );
    assert!(
        clinic
            .browser()
            .open_visit(&fresh)
            .await
            .body
            .contains("Hello Sam")
    );
}

async fn v5_a_visit_is_over_four_hours_after_its_end(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
    let link = clinic.link(&mut staff, id, "Sam Okafor").await;
    clinic.wait_minutes(60 + 30 + 239);
    assert_eq!(
        clinic.browser().open_visit(&link).await.status,
        StatusCode::OK
    );
    clinic.wait_minutes(1);
    assert!(
        clinic
            .browser()
            .open_visit(&link)
            .await
            .body
            .contains("This visit is over")
    );
}

async fn v2_a_link_for_somebody_who_is_not_booked_is_refused(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let id = clinic.book(&mut staff, &["Sam Okafor"]).await;
    let patient = [(
        "patient".to_owned(),
        clinic.patient("Ivy Tran").await.to_string(),
    )];
    assert_eq!(
        staff
            .post_for_json(&format!("/appointments/{id}/links"), &patient)
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

async fn a1_only_the_booked_practitioner_opens_the_room(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut doctor = clinic.practitioner().await;
    let id = clinic.book(&mut doctor, &["Sam Okafor"]).await;
    let path = format!("/appointments/{id}/visit");
    sqlx::query("INSERT INTO users (practice_id, email, name, role, created_ms) VALUES (1, 'ola@harbour.example', 'Dr Ola Berg', 'practitioner', 0)").execute(&clinic.app.db).await.unwrap();
    assert_eq!(doctor.get(&path).await.status, StatusCode::OK);
    let office = clinic.administrator().await.get(&path).await;
    assert_eq!(office.status, StatusCode::FORBIDDEN);
    assert!(
        office
            .body
            .contains("opens only for the practitioner who is booked")
    );
    assert_eq!(
        clinic
            .signed_in("ola@harbour.example")
            .await
            .get(&path)
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert!(
        clinic
            .browser()
            .get(&path)
            .await
            .location()
            .starts_with("/sign-in?next=")
    );
    let link = clinic
        .link(&mut clinic.administrator().await, id, "Sam Okafor")
        .await;
    assert_eq!(
        clinic.browser().open_visit(&link).await.status,
        StatusCode::OK,
        "administrators may resend a link"
    );
}

async fn v5_the_practitioner_may_start_early_today_but_not_another_day(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut doctor = clinic.practitioner().await;
    let id = clinic.book(&mut doctor, &["Sam Okafor"]).await;
    let path = format!("/appointments/{id}/visit");
    assert_eq!(
        doctor.get(&path).await.status,
        StatusCode::OK,
        "an hour early, today"
    );
    let mut fields = appointment_fields("telehealth");
    fields[0].1 = "2026-11-25".to_owned();
    fields.push((
        "patient".to_owned(),
        clinic.patient("Sam Okafor").await.to_string(),
    ));
    doctor.post(&format!("/appointments/{id}"), &fields).await;
    assert_eq!(
        doctor.get(&path).await.location(),
        format!("/calendar?open={id}")
    );
    assert!(
        doctor
            .get(&format!("/calendar?open={id}"))
            .await
            .body
            .contains("The waiting room opens on Wednesday 25 November, 10:50.")
    );
}

async fn v6_the_price_and_how_it_was_reached_are_shown_before_join(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut doctor = clinic.practitioner().await;
    let id = clinic
        .book(&mut doctor, &["Sam Okafor", "Ruth Okafor"])
        .await;
    for path in [
        format!("/appointments/{id}/visit"),
        format!("/calendar?open={id}"),
    ] {
        let page = doctor.get(&path).await.body;
        assert!(
            page.contains("4 to 8 credits") && page.contains("30 min is 2 blocks"),
            "{path}"
        );
    }
}

async fn sockets_are_closed_to_whoever_has_no_cookie(base: &Base) {
    let clinic = Clinic::open(base).await;
    for path in [
        "/visit/0123456789abcdef/socket",
        "/appointments/1/visit/socket",
        "/calls/socket",
    ] {
        let request = Request::builder()
            .method(Method::GET)
            .uri(path)
            .header("origin", super::ORIGIN)
            .header("upgrade", "websocket")
            .header("connection", "upgrade")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let status = clinic
            .browser()
            .send(request, axum::body::Body::empty())
            .await
            .status;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
}
