//! Video visits: the patient's link and page, the practitioner's page. What is alive in them is in `live`.

pub mod guest;
pub mod links;
mod pages;
pub mod window;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

pub use self::guest::{Closed, Door, Guest};
pub use self::window::{CheckIn, Join, Window};
use crate::appointments::{self, Appointment, Location};
use crate::error::AppError;
use crate::ids::AppointmentId;
use crate::sign_in::Staff;
use crate::state::App;
use crate::token::Token;
use crate::{cookie, page};

/// The pages of visits.
pub fn router() -> Router<App> {
    Router::new()
        .route("/visit", get(enter).post(exchange))
        .route("/visit/{key}", get(patient))
        .route("/appointments/{id}/visit", get(practitioner))
}

/// Where a visit link leads. Opening it does nothing yet: mail scanners do that (A2).
async fn enter(State(app): State<App>) -> Result<Response, AppError> {
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM practices LIMIT 2")
        .fetch_all(&app.db)
        .await?;
    let practice = match names.as_slice() {
        [only] => only.clone(),
        _ => "Housecall".to_owned(),
    };
    Ok(page::html(&pages::Enter::new(practice))?.into_response())
}

/// What the page of a link sends: the part behind `#`.
#[derive(Deserialize)]
struct Exchange {
    token: String,
}

#[derive(Serialize)]
struct Go {
    go: String,
}

#[derive(Serialize)]
struct Refused {
    message: &'static str,
}

async fn exchange(
    State(app): State<App>,
    Json(exchange): Json<Exchange>,
) -> Result<Response, AppError> {
    let opened = match Token::from_text(&exchange.token) {
        Some(link) => links::open(&app, &link).await?,
        None => None,
    };
    let named = opened.and_then(|opened| Some((guest::cookie_name(&app, &opened.key)?, opened)));
    let Some((name, opened)) = named else {
        let message = "This link is not complete or not known. Open it again from your message, whole, or ring the practice for a new one.";
        return Ok((StatusCode::NOT_FOUND, Json(Refused { message })).into_response());
    };
    let cookie = cookie::set(
        &name,
        &opened.cookie,
        opened.seconds,
        cookie::SameSite::Strict,
    );
    Ok((
        [(header::SET_COOKIE, cookie)],
        Json(Go {
            go: format!("/visit/{}", opened.key),
        }),
    )
        .into_response())
}

async fn patient(
    State(app): State<App>,
    Path(key): Path<String>,
    request: Request,
) -> Result<Response, AppError> {
    let (parts, _) = request.into_parts();
    match guest::door(&app, &parts, &key).await? {
        Door::Open(guest) => {
            Ok(page::html(&pages::Patient::new(&app, &guest).await?)?.into_response())
        }
        Door::Closed { practice, why } => Ok((
            StatusCode::GONE,
            page::html(&pages::ClosedPage::new(practice, why))?,
        )
            .into_response()),
        Door::NoCookie => Ok(Redirect::to("/visit").into_response()),
    }
}

async fn practitioner(
    State(app): State<App>,
    staff: Staff,
    Path(id): Path<AppointmentId>,
) -> Result<Response, AppError> {
    let appointment = for_practitioner(&app, &staff, id).await?;
    let window = Window::of(&appointment, &app.config.visits);
    if !window.join(app.now_ms(), &staff.zone).is_permitted() {
        // The panel beside the calendar says when the waiting room opens, or that it is over.
        return Ok(Redirect::to(&appointments::path(id)).into_response());
    }
    Ok(
        page::html(&pages::Practitioner::new(&app, &staff, &appointment, window).await?)?
            .into_response(),
    )
}

/// Returns the appointment whose room this member of staff may open: telehealth, not cancelled, and their own (A1).
///
/// # Errors
/// When it is not; administrators, too, are refused.
pub async fn for_practitioner(
    app: &App,
    staff: &Staff,
    id: AppointmentId,
) -> Result<Appointment, AppError> {
    let appointment = appointments::find(&app.db, staff.practice, id).await?;
    let appointment = appointment.ok_or(AppError::NotFound(
        "There is no such appointment in this practice.",
    ))?;
    if appointment.practitioner != staff.user || !staff.is_practitioner() {
        tracing::warn!(
            user = staff.user.0,
            appointment = id.0,
            "somebody else's room was asked for"
        );
        return Err(AppError::NotPermitted(
            "The room of a visit opens only for the practitioner who is booked.",
        ));
    }
    if appointment.cancelled || appointment.location != Location::Telehealth {
        return Err(AppError::NotFound(
            "This appointment is not held on video, or it was cancelled.",
        ));
    }
    Ok(appointment)
}
