//! What went wrong, in words for the person who sees it: what happened, what it means, what to do.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use housecall_store::StoreError;

use crate::assets;

/// Why a page is not what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// There is no such page, person or appointment here, or it is not yours to know.
    #[error("not found: {0}")]
    NotFound(&'static str),
    /// You are signed in, and this is not for you (A1).
    #[error("not permitted: {0}")]
    NotPermitted(&'static str),
    /// Sign in first; `next` is where to go afterwards.
    #[error("nobody is signed in")]
    SignInNeeded {
        /// A path of this site.
        next: Option<String>,
    },
    /// What was sent makes no sense; the words say why.
    #[error("invalid request: {0}")]
    Invalid(String),
    /// The request came from another site's page, or says so of no site at all.
    #[error("request from another origin")]
    ForeignOrigin,
    /// The request is for a host name that this server does not serve.
    #[error("request for another host")]
    ForeignHost,
    /// The body is larger than a form can be.
    #[error("request body too large")]
    TooLarge,
    /// The request took too long to arrive.
    #[error("request took too long")]
    TooSlow,
    /// The database refused.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The ledger or the records refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A page could not be written.
    #[error("page: {0}")]
    Render(#[from] askama::Error),
    /// The operating system has no randomness.
    #[error("no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
    /// Nothing new can begin just now: the clinic is stopping, or has no room left.
    #[error("nothing new can begin")]
    Unavailable,
    /// Something else of ours failed.
    #[error("{0}")]
    Internal(String),
}

impl AppError {
    /// The request makes no sense, because `why`: a sentence.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }

    /// The body could not be read: too large, or broken on its way.
    pub fn unreadable(rejection: &axum::extract::rejection::BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ => Self::invalid("The form did not arrive whole."),
        }
    }

    /// Returns the status this becomes.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::NotPermitted(_) | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::SignInNeeded { .. } => StatusCode::UNAUTHORIZED,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Database(_)
            | Self::Store(_)
            | Self::Render(_)
            | Self::Randomness(_)
            | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> Words {
        match self {
            Self::NotFound(what) => Words::new(
                "We cannot find that",
                (*what).to_owned(),
                "It may have been removed, or the address may be mistyped. Go back and choose it from the list.",
            ),
            Self::NotPermitted(why) => Words::new(
                "This is not yours to open",
                (*why).to_owned(),
                "Nothing was changed. If you need it, ask an administrator of your practice.",
            ),
            Self::SignInNeeded { .. } => Words::new(
                "Please sign in",
                "You are signed out, or your session has ended.".to_owned(),
                "Sign in and try again.",
            ),
            Self::Invalid(why) => Words::new(
                "That did not work",
                why.clone(),
                "Nothing was saved. Go back, change it and try again.",
            ),
            Self::ForeignOrigin => Words::new(
                "That request came from somewhere else",
                "For your safety, changes are accepted only from Housecall's own pages.".to_owned(),
                "Nothing was changed. Open Housecall in a new tab and try again there.",
            ),
            Self::ForeignHost => Words::new(
                "This address is not known here",
                "Housecall answers only under the addresses in its configuration.".to_owned(),
                "Open it under its usual address. To serve another, set server.public_url.",
            ),
            Self::TooLarge => Words::new(
                "That is too much at once",
                "A form may be at most 1 MiB.".to_owned(),
                "Nothing was saved. Shorten the text and try again.",
            ),
            Self::Unavailable => Words::new(
                "This cannot begin just now",
                "Housecall is restarting or very busy. What is in progress goes on.".to_owned(),
                "Try again in a minute.",
            ),
            Self::TooSlow => Words::new(
                "That took too long",
                "The connection is very slow or was interrupted.".to_owned(),
                "Nothing was saved. Check the connection and try again.",
            ),
            Self::Database(_)
            | Self::Store(_)
            | Self::Render(_)
            | Self::Randomness(_)
            | Self::Internal(_) => Words::new(
                "Something went wrong on our side",
                "Housecall could not finish what you asked.".to_owned(),
                "Try again in a moment. If it happens again, tell your administrator when it happened.",
            ),
        }
    }
}

struct Words {
    title: &'static str,
    what: String,
    todo: &'static str,
}

impl Words {
    fn new(title: &'static str, what: String, todo: &'static str) -> Self {
        Self { title, what, todo }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    assets: &'a str,
    title: &'a str,
    what: &'a str,
    todo: &'a str,
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        if let Self::SignInNeeded { next: Some(next) } = &self {
            return Redirect::to(&format!("/sign-in?next={}", crate::form::encode(next)))
                .into_response();
        }
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = %self, "a page failed");
        } else {
            tracing::debug!(error = %self, status = status.as_u16(), "a request was refused");
        }
        let words = self.words();
        let page = ErrorPage {
            assets: assets::base(),
            title: words.title,
            what: &words.what,
            todo: words.todo,
        };
        let body = page
            .render()
            .unwrap_or_else(|_| format!("{}. {} {}", words.title, words.what, words.todo));
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        (status, [(header::CONTENT_TYPE, html)], body).into_response()
    }
}
