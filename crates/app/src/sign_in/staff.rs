//! Who is signed in.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;
use jiff::tz::TimeZone;

use crate::error::AppError;
use crate::ids::{PracticeId, UserId};
use crate::sign_in::sessions;
use crate::state::App;
use crate::token::TokenHash;
use crate::{cookie, pass};

/// A signed-in member of staff. As a handler's argument it lets nobody else in.
#[derive(Clone)]
pub struct Staff {
    /// Who.
    pub user: UserId,
    /// Of which practice: every query of a handler is bound to it.
    pub practice: PracticeId,
    /// The person's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The practice's name.
    pub practice_name: String,
    /// The practice's country, two letters: the destination policy's home.
    pub country: String,
    /// The practice's time zone.
    pub zone: TimeZone,
    /// By which session they are signed in.
    pub(crate) session: TokenHash,
}

/// What a member of staff may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Holds consultations.
    Practitioner,
    /// Runs the practice; opens no room (A1).
    Administrator,
}

impl Role {
    /// Reads the stored name; anything unknown may do the least.
    pub fn from_name(name: &str) -> Self {
        if name == "practitioner" {
            Self::Practitioner
        } else {
            Self::Administrator
        }
    }

    /// Returns the word a person reads.
    pub fn words(self) -> &'static str {
        match self {
            Self::Practitioner => "Practitioner",
            Self::Administrator => "Administrator",
        }
    }
}

impl Staff {
    /// True for practitioners: they see clinical notes and hold consultations.
    pub fn is_practitioner(&self) -> bool {
        self.role == Role::Practitioner
    }

    /// Returns the name for the audit log.
    pub fn actor(&self) -> String {
        format!("user:{}", self.user)
    }
}

impl FromRequestParts<App> for Staff {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        if let Some(staff) = signed_in(parts, app).await? {
            return Ok(staff);
        }
        // A page can be come back to after signing in; a form or a socket cannot.
        let page = parts.method == Method::GET && !parts.headers.contains_key("upgrade");
        let next = page.then(|| {
            parts
                .uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned()
        });
        Err(AppError::SignInNeeded { next })
    }
}

impl OptionalFromRequestParts<App> for Staff {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, AppError> {
        signed_in(parts, app).await
    }
}

async fn signed_in(parts: &Parts, app: &App) -> Result<Option<Staff>, AppError> {
    let name = cookie::name(sessions::COOKIE, app.config.server.is_https());
    match pass::session_of(app, parts, &name).await? {
        Some(session) => sessions::find(app, session).await,
        None => Ok(None),
    }
}
