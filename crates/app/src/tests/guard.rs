use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use housecall_store::on_each_database;
use housecall_store::testing::Base;

use super::{Clinic, HOST, ORIGIN};
use crate::config::{Config, Server};
use crate::security::BODY_MAX;

on_each_database! {
    csrf_only_our_own_origin_changes_anything,
    asvs_4_4_2_a_websocket_from_another_origin_is_refused,
    another_host_is_not_served,
    asvs_3_4_every_answer_carries_the_headers,
    asvs_3_3_over_tls_cookies_belong_to_this_host_alone,
    no_page_has_inline_code_or_style_or_asks_anybody_else,
    every_file_a_page_names_is_served,
    bodies_are_bounded,
    hostile_requests_are_answered_and_change_nothing,
    not_ready_while_draining,
}

/// Every page that a practitioner or a patient can see without the engine.
async fn pages(clinic: &Clinic) -> Vec<(String, String)> {
    let mut staff = clinic.practitioner().await;
    let id = clinic
        .book(&mut staff, &["Sam Okafor", "Ruth Okafor"])
        .await;
    clinic.wait_minutes(55);
    let mut pages = Vec::new();
    for path in [
        "/sign-in/link",
        "/visit",
        "/calendar",
        "/people",
        "/people?q=nobody+here",
        "/people/patients/1",
        "/people/contacts/1",
        "/people/patients/1/edit",
        "/people/contacts/new",
        "/appointments/new",
        "/reports/phone",
        "/reports/video",
        "/me",
        "/nothing",
    ] {
        pages.push((path.to_owned(), staff.get(path).await.body));
    }
    for path in [
        format!("/calendar?open={id}"),
        format!("/appointments/{id}/edit"),
        format!("/appointments/{id}/visit"),
    ] {
        let reply = staff.get(&path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        pages.push((path, reply.body));
    }
    pages.push((
        "/sign-in".to_owned(),
        clinic.browser().get("/sign-in").await.body,
    ));
    let link = clinic.link(&mut staff, id, "Sam Okafor").await;
    pages.push((
        "a patient's visit".to_owned(),
        clinic.browser().open_visit(&link).await.body,
    ));
    pages
}

async fn csrf_only_our_own_origin_changes_anything(base: &Base) {
    let clinic = Clinic::open(base).await;
    let allowed = StatusCode::SEE_OTHER;
    let refused = StatusCode::FORBIDDEN;
    let cases = [
        (Some(ORIGIN), None, allowed),
        (Some(ORIGIN), Some("same-origin"), allowed),
        (Some("http://LOCALHOST:8080"), None, allowed),
        (Some(ORIGIN), Some("cross-site"), refused),
        (Some(ORIGIN), Some("same-site"), refused),
        (Some("http://localhost:8081"), None, refused),
        (Some("https://localhost:8080"), None, refused),
        (Some("http://localhost:8080.evil.test"), None, refused),
        (Some("http://evil.test"), None, refused),
        (Some("null"), None, refused),
        (Some(""), None, refused),
        (None, None, refused),
        (None, Some("same-origin"), refused),
    ];
    for (origin, site, expected) in cases {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let mut request = Request::builder().method(method).uri("/sign-out");
            if let Some(origin) = origin {
                request = request.header(header::ORIGIN, origin);
            }
            if let Some(site) = site {
                request = request.header("sec-fetch-site", site);
            }
            let status = clinic.browser().send(request, Body::empty()).await.status;
            let expected = if expected == allowed && method != "POST" {
                StatusCode::METHOD_NOT_ALLOWED
            } else {
                expected
            };
            assert_eq!(status, expected, "{method} {origin:?} {site:?}");
        }
    }
}

async fn asvs_4_4_2_a_websocket_from_another_origin_is_refused(base: &Base) {
    let clinic = Clinic::open(base).await;
    for (origin, refused) in [
        (Some("http://evil.test"), true),
        (Some("null"), true),
        (None, true),
        (Some(ORIGIN), false),
    ] {
        let mut request = Request::get("/calls/socket")
            .header("upgrade", "websocket")
            .header("connection", "upgrade")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let status = clinic
            .practitioner()
            .await
            .send(request, Body::empty())
            .await
            .status;
        assert_eq!(
            status == StatusCode::FORBIDDEN,
            refused,
            "{origin:?}: {status}"
        );
    }
}

async fn another_host_is_not_served(base: &Base) {
    let clinic = Clinic::open(base).await;
    for (host, status) in [
        (HOST, StatusCode::OK),
        ("127.0.0.1:8080", StatusCode::OK),
        ("evil.test", StatusCode::MISDIRECTED_REQUEST),
        ("localhost.evil.test:8080", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let request = Request::get("/sign-in").header(header::HOST, host);
        assert_eq!(
            clinic.browser().send(request, Body::empty()).await.status,
            status,
            "{host}"
        );
    }
    let probe = Request::get("/readyz").header(header::HOST, "10.0.0.7:8080");
    assert_eq!(
        clinic.browser().send(probe, Body::empty()).await.status,
        StatusCode::OK
    );
}

async fn asvs_3_4_every_answer_carries_the_headers(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    for path in [
        "/sign-in",
        "/calendar",
        "/nothing",
        "/livez",
        "/assets/live/style.css",
        "/assets/live/nothing.js",
    ] {
        let reply = staff.get(path).await;
        let text = |name: &str| {
            reply
                .headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        };
        assert!(
            text("content-security-policy").contains("script-src 'self'; style-src 'self'"),
            "{path}"
        );
        assert!(
            text("content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(text("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(text("referrer-policy"), "same-origin", "{path}");
        assert!(
            text("permissions-policy").starts_with("camera=(self), microphone=(self)"),
            "{path}"
        );
        let cached = path.ends_with("style.css");
        assert_eq!(
            text("cache-control"),
            if cached { "no-cache" } else { "no-store" },
            "{path}"
        );
    }
}

async fn asvs_3_3_over_tls_cookies_belong_to_this_host_alone(base: &Base) {
    let server = Server {
        public_url: Some("https://clinic.example".to_owned()),
        ..Server::default()
    };
    let clinic = Clinic::with(
        base,
        Config {
            server,
            ..Config::demo()
        },
    )
    .await;
    let link = clinic
        .printed
        .split_whitespace()
        .find(|word| word.contains("/sign-in/link#"))
        .unwrap();
    let token = link.split_once('#').unwrap().1;
    let request = Request::post("/sign-in/link")
        .header(header::HOST, "clinic.example")
        .header(header::ORIGIN, "https://clinic.example")
        .header(header::CONTENT_TYPE, "application/json");
    let reply = clinic
        .browser()
        .send(request, Body::from(format!("{{\"token\":\"{token}\"}}")))
        .await;
    let cookie = reply.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-staff=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    assert!(
        reply
            .headers
            .contains_key(header::STRICT_TRANSPORT_SECURITY)
    );
}

async fn no_page_has_inline_code_or_style_or_asks_anybody_else(base: &Base) {
    let clinic = Clinic::open(base).await;
    for (path, body) in pages(&clinic).await {
        assert!(body.contains("<main"), "{path} is a page");
        for inline in [
            " style=",
            "<style",
            "<script>",
            " onclick=",
            " onload=",
            " onsubmit=",
            "javascript:",
        ] {
            assert!(!body.contains(inline), "{path} has {inline}");
        }
        for elsewhere in ["src=\"http", "href=\"http", "src=\"//", "action=\"http"] {
            assert!(!body.contains(elsewhere), "A5: {path} has {elsewhere}");
        }
    }
}

async fn every_file_a_page_names_is_served(base: &Base) {
    let clinic = Clinic::open(base).await;
    for (path, body) in pages(&clinic).await {
        for piece in body
            .split(['"', '#'])
            .filter(|piece| piece.starts_with("/assets/"))
        {
            assert_eq!(
                clinic.browser().get(piece).await.status,
                StatusCode::OK,
                "{path} names {piece}"
            );
        }
    }
}

async fn bodies_are_bounded(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    for (length, status) in [
        (BODY_MAX + 1, StatusCode::PAYLOAD_TOO_LARGE),
        (BODY_MAX - 5, StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let fields = Body::from(format!("name={}", "a".repeat(length.saturating_sub(5))));
        let request = Request::post("/people/patients/new")
            .header(header::ORIGIN, ORIGIN)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let fields = if length > BODY_MAX {
            Body::from(vec![b'a'; length])
        } else {
            fields
        };
        assert_eq!(
            staff.send(request, fields).await.status,
            status,
            "{length} bytes"
        );
    }
}

async fn hostile_requests_are_answered_and_change_nothing(base: &Base) {
    let clinic = Clinic::open(base).await;
    let mut staff = clinic.practitioner().await;
    let before = clinic.count("appointments").await;
    let forms = [
        "",
        "&&&&",
        "%",
        "=%00",
        "date=%FF&time=%FF&minutes=-9223372036854775808",
        "date=9999-12-31&time=23:59&minutes=720&location=telehealth&practitioner=1",
        "patient=1&patient=2&patient=99999999999999999999",
        &"x=1&".repeat(5000),
        "minutes=1e9&date=2026-02-30&time=25:61",
    ];
    for form in forms {
        for path in ["/appointments", "/appointments/1", "/people/patients/new"] {
            let request = Request::post(path)
                .header(header::ORIGIN, ORIGIN)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let status = staff
                .send(request, Body::from(form.to_owned()))
                .await
                .status;
            assert_eq!(
                status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{path} {form:.60}"
            );
        }
    }
    for path in [
        "/appointments/-1/visit",
        "/appointments/9223372036854775807/edit",
        "/appointments/x/edit",
        "/people/patients/0",
        "/calendar?on=9999-12-31",
        "/calendar?on=-9999-01-01&open=zz",
        "/reports/phone?from=x&to=9999-12-31&minimum=999999999999&page=4294967295",
        "/reports/video?page=-1",
        "/visit/0123456789abcdef",
        "/visit/%2e%2e%2f",
        "/assets/live/%2e%2e/Cargo.toml",
        "/people?q=%25%27%22%3Cscript%3E",
    ] {
        let reply = staff.get(path).await;
        assert!(!reply.status.is_server_error(), "{path}: {}", reply.status);
        assert!(!reply.body.contains("<script>"), "{path}");
    }
    assert_eq!(clinic.count("appointments").await, before);
}

async fn not_ready_while_draining(base: &Base) {
    let clinic = Clinic::open(base).await;
    assert_eq!(clinic.browser().get("/readyz").await.status, StatusCode::OK);
    clinic.app.draining.send_replace(true);
    assert_eq!(
        clinic.browser().get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(clinic.browser().get("/livez").await.status, StatusCode::OK);
}
