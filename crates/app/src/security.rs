//! What holds for every request: known host, own origin, bounded time; and for every answer: the headers.
//!
//! Referrer-Policy is `same-origin`, not `no-referrer`: under the latter a browser sends `Origin: null` with our own forms, and the origin
//! check below would have nothing to go by. Other sites see no referrer either way.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::AppError;
use crate::pass;
use crate::state::App;

/// A form is at most this long, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;

/// No page takes longer than this to be asked for and answered.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'";

const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Guards every route; the outermost layer.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = match check(&app, &request) {
        Ok(()) => tokio::time::timeout(REQUEST_TIME_MAX, next.run(request))
            .await
            .unwrap_or_else(|_| AppError::TooSlow.into_response()),
        Err(refused) => {
            tracing::warn!(why = %refused, "a request was refused at the door");
            refused.into_response()
        }
    };
    set_headers(response.headers_mut(), &app);
    response
}

fn check(app: &App, request: &Request) -> Result<(), AppError> {
    if matches!(request.uri().path(), "/livez" | "/readyz") {
        return Ok(());
    }
    // Not every database keeps NUL in text; forms are cleaned of it.
    if request.uri().to_string().contains("%00") {
        return Err(AppError::NotFound("No address of ours has a NUL in it."));
    }
    let host = text(request.headers(), header::HOST)
        .or_else(|| request.uri().authority().map(|a| a.as_str()))
        .unwrap_or("");
    if !app.config.serves_host(host) {
        return Err(AppError::ForeignHost);
    }
    // A pass is proof enough: what brings one is not let in by anything that a browser adds by itself.
    if changes_something(request)
        && !is_from_us(app, request.headers(), host)
        && pass::brought(request.uri()).is_none()
    {
        return Err(AppError::ForeignOrigin);
    }
    Ok(())
}

/// Anything but reading, and every WebSocket: browsers open those across sites and send the cookies along.
fn changes_something(request: &Request) -> bool {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    !reads
        || request.headers().contains_key(header::UPGRADE)
        || request.headers().contains_key(header::SEC_WEBSOCKET_KEY)
}

/// The origin must be this very host. Without an origin nothing is accepted: every browser sends one with a POST and a WebSocket.
fn is_from_us(app: &App, headers: &HeaderMap, host: &str) -> bool {
    let Some(origin) = text(headers, header::ORIGIN) else {
        return false;
    };
    let same_site = text(headers, HeaderName::from_static("sec-fetch-site"))
        .is_none_or(|site| site == "same-origin");
    let scheme = if app.config.server.is_https() {
        "https://"
    } else {
        "http://"
    };
    same_site
        && origin
            .strip_prefix(scheme)
            .is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// What pages may load, and whom they may speak with: the sockets of other nodes too, where there are any.
fn content_security_policy(app: &App) -> HeaderValue {
    let mut policy = CONTENT_SECURITY_POLICY.to_owned();
    for url in app.other_nodes() {
        policy.push(' ');
        policy.push_str(&pass::socket_origin(&url));
    }
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(CONTENT_SECURITY_POLICY))
}

fn set_headers(headers: &mut HeaderMap, app: &App) {
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        content_security_policy(app),
    );
    for (name, value) in HEADERS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if app.config.server.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    // Pages hold what only this person may see, and the back button must not show it after signing out.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
