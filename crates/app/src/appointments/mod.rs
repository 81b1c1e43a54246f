//! Appointments: booked, moved, cancelled; with links for patients and notes on phone consultations.

mod form;
pub mod model;
pub mod notes;
pub mod table;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;

pub use self::model::{Appointment, Booked, BookingRefused, Draft, Location, Participant};
pub use self::table::{Change, between, find, of_patient};
use crate::calendar::{self, panel};
use crate::error::AppError;
use crate::form::Form;
use crate::ids::{AppointmentId, PatientId};
use crate::sign_in::Staff;
use crate::state::App;
use crate::visits::links;

/// The pages of appointments.
pub fn router() -> Router<App> {
    Router::new()
        .route("/appointments", post(book))
        .route("/appointments/new", get(show_new))
        .route("/appointments/{id}", get(show).post(change))
        .route("/appointments/{id}/edit", get(show_edit))
        .route("/appointments/{id}/cancel", post(cancel))
        .route("/appointments/{id}/notes", post(add_note))
        .route("/appointments/{id}/links", post(issue_link))
        .route("/appointments/{id}/links/replace", post(replace_links))
}

/// Returns the address of an appointment.
pub fn path(id: AppointmentId) -> String {
    format!("/calendar?open={id}")
}

async fn show(Path(id): Path<AppointmentId>, _staff: Staff) -> Redirect {
    Redirect::to(&path(id))
}

async fn show_new(
    State(app): State<App>,
    staff: Staff,
    Query(asked): Query<form::Asked>,
) -> Result<Response, AppError> {
    let values = form::Values::fresh(&app, &staff, &asked);
    form::render(&app, &staff, None, values, Vec::new()).await
}

async fn show_edit(
    State(app): State<App>,
    staff: Staff,
    Path(id): Path<AppointmentId>,
) -> Result<Response, AppError> {
    let appointment = find(&app.db, staff.practice, id)
        .await?
        .filter(|a| !a.cancelled);
    let appointment = appointment.ok_or(AppError::NotFound(
        "This appointment is cancelled or was never booked here.",
    ))?;
    let values = form::Values::of(&appointment, &staff);
    form::render(&app, &staff, Some(id), values, Vec::new()).await
}

async fn book(State(app): State<App>, staff: Staff, posted: Form) -> Result<Response, AppError> {
    match form::read(&staff, &posted) {
        Ok(draft) => {
            let id = table::book(&app.store, &by(&app, &staff), &draft).await?;
            tracing::info!(appointment = id.0, "an appointment was booked");
            Ok(Redirect::to(&path(id)).into_response())
        }
        Err(wrong) => refuse(&app, &staff, None, &posted, wrong).await,
    }
}

async fn change(
    State(app): State<App>,
    staff: Staff,
    Path(id): Path<AppointmentId>,
    posted: Form,
) -> Result<Response, AppError> {
    match form::read(&staff, &posted) {
        Ok(draft) => {
            table::change(&app.store, &by(&app, &staff), id, &draft).await?;
            tracing::info!(appointment = id.0, "an appointment was changed");
            Ok(Redirect::to(&path(id)).into_response())
        }
        Err(wrong) => refuse(&app, &staff, Some(id), &posted, wrong).await,
    }
}

/// Shows the form again with what was typed and what is wrong with it.
async fn refuse(
    app: &App,
    staff: &Staff,
    id: Option<AppointmentId>,
    posted: &Form,
    wrong: Vec<String>,
) -> Result<Response, AppError> {
    let page = form::render(app, staff, id, form::Values::typed(posted), wrong).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn cancel(
    State(app): State<App>,
    staff: Staff,
    Path(id): Path<AppointmentId>,
) -> Result<Redirect, AppError> {
    table::cancel(&app.store, &by(&app, &staff), id).await?;
    tracing::info!(appointment = id.0, "an appointment was cancelled");
    Ok(Redirect::to(&path(id)))
}

async fn add_note(
    State(app): State<App>,
    staff: Staff,
    Path(id): Path<AppointmentId>,
    posted: Form,
) -> Result<Redirect, AppError> {
    notes::add(&app, &staff, &by(&app, &staff), id, posted.one("body")).await?;
    Ok(Redirect::to(&path(id)))
}

#[derive(Serialize)]
struct Issued {
    link: String,
}

/// Makes a link for one patient. A module asks for JSON and copies it; without scripts the page comes back with the link in it.
async fn issue_link(
    State(app): State<App>,
    staff: Staff,
    Path(id): Path<AppointmentId>,
    headers: HeaderMap,
    posted: Form,
) -> Result<Response, AppError> {
    let patient = patient_of(&posted)?;
    let link = links::issue(&app, &by(&app, &staff), id, patient).await?;
    if headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept == "application/json")
    {
        return Ok(Json(Issued { link }).into_response());
    }
    show_link(&app, &staff, id, (patient, link)).await
}

/// Ends every link of one patient so far and makes another: when one went to the wrong person.
async fn replace_links(
    State(app): State<App>,
    staff: Staff,
    Path(id): Path<AppointmentId>,
    posted: Form,
) -> Result<Response, AppError> {
    let patient = patient_of(&posted)?;
    links::replace_all(&app.store, &by(&app, &staff), id, patient).await?;
    let link = links::issue(&app, &by(&app, &staff), id, patient).await?;
    show_link(&app, &staff, id, (patient, link)).await
}

async fn show_link(
    app: &App,
    staff: &Staff,
    id: AppointmentId,
    issued: (PatientId, String),
) -> Result<Response, AppError> {
    let panel = panel::find(app, staff, id, Some(issued)).await?;
    Ok(
        calendar::render(app, staff, &calendar::Asked::default(), panel)
            .await?
            .into_response(),
    )
}

fn patient_of(posted: &Form) -> Result<PatientId, AppError> {
    posted
        .one("patient")
        .parse()
        .map(PatientId)
        .map_err(|_| AppError::invalid("It was not clear which patient was meant."))
}

fn by(app: &App, staff: &Staff) -> Change {
    Change {
        practice: staff.practice,
        actor: staff.actor(),
        at_ms: app.now_ms(),
    }
}
