use axum::http::{StatusCode, header};
use housecall_store::on_each_database;
use housecall_store::testing::Base;

use super::{Browser, Clinic};

on_each_database! {
    a_password_leads_to_where_one_was_going,
    an_address_is_the_same_in_any_case,
    failed_tries_slow_down_and_say_the_same_of_unknown_addresses,
    a_printed_link_signs_in_once,
    asvs_7_2_4_a_session_is_new_at_each_sign_in_and_the_old_one_dies,
    signing_out_ends_the_session_on_the_server,
    sessions_end_unused_after_four_hours_and_used_after_twelve,
    secrets_are_stored_as_hashes_only,
}

async fn try_password(browser: &mut Browser, email: &str, password: &str) -> super::Reply {
    let fields = [
        ("email", email),
        ("password", password),
        ("next", "/people"),
    ]
    .map(|(n, v)| (n.to_owned(), v.to_owned()));
    browser.post("/sign-in", &fields).await
}

async fn an_address_is_the_same_in_any_case(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut browser = clinic.browser();
    let reply = try_password(&mut browser, "Dana@HARBOUR.example", "harbour street").await;
    assert_eq!(reply.location(), "/people");
    let again = "INSERT INTO users (practice_id, email, name, role, created_ms) VALUES (1, 'DANA@harbour.example', 'D', 'practitioner', 0)";
    let refused = sqlx::query(again).execute(&clinic.app.db).await;
    let refused = refused.unwrap_err().into_database_error();
    assert!(refused.is_some_and(|error| error.is_unique_violation()));
}

async fn a_password_leads_to_where_one_was_going(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut browser = clinic.browser();
    assert_eq!(
        browser.get("/people?q=sam").await.location(),
        "/sign-in?next=%2Fpeople%3Fq%3Dsam"
    );
    let reply = try_password(&mut browser, "DANA@harbour.example", "harbour street").await;
    assert_eq!(
        (reply.status, reply.location()),
        (StatusCode::SEE_OTHER, "/people")
    );
    assert_eq!(browser.get("/people").await.status, StatusCode::OK);
}

async fn failed_tries_slow_down_and_say_the_same_of_unknown_addresses(base: &Base) {
    let clinic = Clinic::open(base).await;
    for email in ["dana@harbour.example", "nobody@harbour.example"] {
        let mut browser = clinic.browser();
        for _ in 0..6 {
            let reply = try_password(&mut browser, email, "wrong").await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            assert!(reply.body.contains("do not go together"));
        }
        let right = try_password(&mut browser, email, "harbour street").await;
        assert_eq!(
            right.status,
            StatusCode::TOO_MANY_REQUESTS,
            "even the right one has to wait"
        );
        assert!(right.body.contains("Wait 3 seconds"), "{}", right.body);
    }
    clinic.wait_minutes(1);
    assert_eq!(
        try_password(
            &mut clinic.browser(),
            "dana@harbour.example",
            "harbour street"
        )
        .await
        .status,
        StatusCode::SEE_OTHER
    );
}

async fn a_printed_link_signs_in_once(base: &Base) {
    let clinic = Clinic::open(base).await;
    let link = clinic
        .printed
        .split_whitespace()
        .find(|word| word.contains("/sign-in/link#"))
        .unwrap();
    assert_eq!(
        clinic
            .browser()
            .exchange("/sign-in/link", link)
            .await
            .status,
        StatusCode::OK
    );
    let again = clinic.browser().exchange("/sign-in/link", link).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(again.body.contains("used already"));
}

async fn asvs_7_2_4_a_session_is_new_at_each_sign_in_and_the_old_one_dies(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut browser = clinic.browser();
    try_password(&mut browser, "dana@harbour.example", "harbour street").await;
    let first = browser.cookies.clone();
    try_password(&mut browser, "dana@harbour.example", "harbour street").await;
    assert_ne!(browser.cookies, first);
    let mut old = clinic.browser();
    old.cookies = first;
    assert_eq!(old.get("/calendar").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/calendar").await.status, StatusCode::OK);
}

async fn signing_out_ends_the_session_on_the_server(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut browser = clinic.practitioner().await;
    let kept = browser.cookies.clone();
    let reply = browser.post("/sign-out", &[]).await;
    assert_eq!(reply.location(), "/sign-in?signed_out=1");
    assert!(browser.cookies.is_empty());
    browser.cookies = kept;
    assert_eq!(browser.get("/calendar").await.status, StatusCode::SEE_OTHER);
}

async fn sessions_end_unused_after_four_hours_and_used_after_twelve(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut idle = clinic.practitioner().await;
    let mut busy = clinic.practitioner().await;
    for hour in 1..=12 {
        clinic.wait_minutes(60);
        let expected = if hour < 12 {
            StatusCode::OK
        } else {
            StatusCode::SEE_OTHER
        };
        assert_eq!(busy.get("/calendar").await.status, expected, "hour {hour}");
        if hour == 4 {
            assert_eq!(idle.get("/calendar").await.status, StatusCode::SEE_OTHER);
        }
    }
}

async fn secrets_are_stored_as_hashes_only(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut browser = clinic.browser();
    let reply = try_password(&mut browser, "dana@harbour.example", "harbour street").await;
    let token = &browser.cookies["staff"];
    assert!(
        reply.headers[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("HttpOnly; SameSite=Lax")
    );
    let plain: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM staff_sessions WHERE CAST(token_hash AS TEXT) = $1",
    )
    .bind(token)
    .fetch_one(&clinic.app.db)
    .await
    .unwrap();
    let hashed: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM staff_sessions WHERE length(token_hash) = 32")
            .fetch_one(&clinic.app.db)
            .await
            .unwrap();
    assert_eq!((plain, hashed), (0, 1));
}
