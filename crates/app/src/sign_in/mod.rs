//! Staff sign in: by password, or by a link that works once.

pub mod links;
pub mod password;
pub mod sessions;
pub mod staff;
mod tries;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

pub use self::staff::{Role, Staff};
use crate::audit::{self, Entry};
use crate::error::AppError;
use crate::form::Form;
use crate::ids::UserId;
use crate::page::{self, Chrome, Here};
use crate::state::App;
use crate::token::Token;
use crate::{assets, cookie};

/// The pages of signing in and out.
pub fn router() -> Router<App> {
    Router::new()
        .route("/sign-in", get(show).post(sign_in))
        .route("/sign-in/link", get(show_link).post(follow_link))
        .route("/sign-out", post(sign_out))
        .route("/me", get(me))
}

#[derive(Template)]
#[template(path = "sign_in/form.html")]
struct SignInPage<'a> {
    assets: &'a str,
    next: &'a str,
    email: &'a str,
    wrong: Option<String>,
    signed_out: bool,
}

#[derive(Template)]
#[template(path = "sign_in/link.html")]
struct LinkPage<'a> {
    assets: &'a str,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
    #[serde(default)]
    signed_out: String,
}

async fn show(Query(asked): Query<Asked>, staff: Option<Staff>) -> Result<Response, AppError> {
    if staff.is_some() {
        return Ok(Redirect::to(own_path(&asked.next)).into_response());
    }
    let page = SignInPage {
        assets: assets::base(),
        next: own_path(&asked.next),
        email: "",
        wrong: None,
        signed_out: !asked.signed_out.is_empty(),
    };
    Ok(page::html(&page)?.into_response())
}

async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, AppError> {
    let next = own_path(form.one("next")).to_owned();
    let email: String = form.one("email").chars().take(254).collect();
    match password::check(&app, &email, form.one("password")).await? {
        password::Verdict::Right(user) => {
            let cookie = begin(&app, &headers, user, "sign_in.password").await?;
            Ok((cookie, Redirect::to(&next)).into_response())
        }
        password::Verdict::Wrong => refuse(
            StatusCode::UNAUTHORIZED,
            &email,
            &next,
            "That email address and password do not go together. Check both and try again."
                .to_owned(),
        ),
        password::Verdict::TooSoon { wait_ms } => {
            let seconds = wait_ms.div_euclid(1000) + 1;
            refuse(
                StatusCode::TOO_MANY_REQUESTS,
                &email,
                &next,
                format!("There were several failed tries. Wait {seconds} seconds and try again."),
            )
        }
    }
}

fn refuse(
    status: StatusCode,
    email: &str,
    next: &str,
    words: String,
) -> Result<Response, AppError> {
    let page = SignInPage {
        assets: assets::base(),
        next,
        email,
        wrong: Some(words),
        signed_out: false,
    };
    Ok((status, page::html(&page)?).into_response())
}

async fn show_link() -> Result<Response, AppError> {
    Ok(page::html(&LinkPage {
        assets: assets::base(),
    })?
    .into_response())
}

/// Who is signed in, what is left of the credits, and the way out: the foot of a phone has no room for it.
#[derive(Template)]
#[template(path = "sign_in/me.html")]
struct MePage {
    chrome: Chrome,
    initials: String,
}

async fn me(State(app): State<App>, staff: Staff) -> Result<Response, AppError> {
    let page = MePage {
        initials: page::initials(&staff.name),
        chrome: Chrome::new(&app, &staff, Here::Me).await?,
    };
    Ok(page::html(&page)?.into_response())
}

/// What the page of a link sends: the part behind `#`.
#[derive(Deserialize)]
struct Exchange {
    token: String,
}

/// Where to go next.
#[derive(Serialize)]
struct Go {
    go: &'static str,
}

#[derive(Serialize)]
struct Refused {
    message: &'static str,
}

async fn follow_link(
    State(app): State<App>,
    headers: HeaderMap,
    Json(exchange): Json<Exchange>,
) -> Result<Response, AppError> {
    let user = match Token::from_text(&exchange.token) {
        Some(token) => links::spend(&app, &token).await?,
        None => None,
    };
    let Some(user) = user else {
        let message = "This link has been used already or has expired. Sign in with your email address and password, or ask for a new link.";
        return Ok((StatusCode::GONE, Json(Refused { message })).into_response());
    };
    let cookie = begin(&app, &headers, user, "sign_in.link").await?;
    Ok((cookie, Json(Go { go: "/calendar" })).into_response())
}

/// Begins a session with a new token (ASVS 7.2.4), ending the one this browser had.
async fn begin(
    app: &App,
    headers: &HeaderMap,
    user: UserId,
    action: &'static str,
) -> Result<[(header::HeaderName, HeaderValue); 1], AppError> {
    let name = cookie::name(sessions::COOKIE, app.config.server.is_https());
    if let Some(old) = cookie::read(headers, &name) {
        sessions::end(app, &old).await?;
    }
    let token = sessions::begin(app, user).await?;
    note(app, user, action).await?;
    Ok([(
        header::SET_COOKIE,
        cookie::set(
            &name,
            &token,
            sessions::LIFETIME_MS / 1000,
            cookie::SameSite::Lax,
        ),
    )])
}

async fn sign_out(
    State(app): State<App>,
    staff: Option<Staff>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let name = cookie::name(sessions::COOKIE, app.config.server.is_https());
    if let Some(token) = cookie::read(&headers, &name) {
        sessions::end(&app, &token).await?;
    }
    if let Some(staff) = staff {
        note(&app, staff.user, "sign_out").await?;
    }
    Ok((
        [(header::SET_COOKIE, cookie::end(&name))],
        Redirect::to("/sign-in?signed_out=1"),
    )
        .into_response())
}

async fn note(app: &App, user: UserId, action: &str) -> Result<(), AppError> {
    let entry = Entry {
        at_ms: app.now_ms(),
        practice: None,
        actor: format!("user:{user}"),
        action,
        subject: format!("user:{user}"),
    };
    Ok(audit::write(&app.db, entry).await?)
}

/// Returns `next` if it is a path of this site, and the calendar otherwise: `//evil.test` and `/\evil.test` are other sites.
fn own_path(next: &str) -> &str {
    let rest = next.strip_prefix('/');
    let own = rest.is_some_and(|rest| !rest.starts_with(['/', '\\']))
        && !next.contains(|c: char| c.is_control() || c == '\\');
    if own && !next.starts_with("/sign-in") {
        next
    } else {
        "/calendar"
    }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn next_never_leads_to_another_site() {
        for evil in [
            "//evil.test",
            "/\\evil.test",
            "https://evil.test",
            "",
            "javascript:alert(1)",
            "/a\n/b",
            "/x\\y",
            "/sign-in?next=/sign-in",
        ] {
            assert_eq!(own_path(evil), "/calendar", "{evil:?}");
        }
        assert_eq!(
            own_path("/appointments/3/visit?x=1"),
            "/appointments/3/visit?x=1"
        );
    }
}
