//! People: patients and professional contacts, found, shown, written down, rung.

mod form;
mod model;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

pub use self::model::{
    LISTED_MAX, Listed, PhoneNumber, Profile, Which, find, number, path, search,
};
use crate::appointments::{self, Appointment};
use crate::error::AppError;
use crate::form::Form;
use crate::ids::{AppointmentId, ContactId, PatientId, Person};
use crate::page::{self, Chrome, Here};
use crate::sign_in::Staff;
use crate::state::App;
use crate::when;

/// The pages of people.
pub fn router() -> Router<App> {
    Router::new()
        .route("/people", get(list))
        .route("/people/patients/new", get(new_patient).post(add_patient))
        .route("/people/contacts/new", get(new_contact).post(add_contact))
        .route(
            "/people/patients/{id}",
            get(async |app: State<App>, staff: Staff, Path(id): Path<i64>| {
                show(app, staff, Person::Patient(PatientId(id))).await
            }),
        )
        .route(
            "/people/contacts/{id}",
            get(async |app: State<App>, staff: Staff, Path(id): Path<i64>| {
                show(app, staff, Person::Contact(ContactId(id))).await
            }),
        )
        .route(
            "/people/patients/{id}/edit",
            get(edit_patient).post(change_patient),
        )
        .route(
            "/people/contacts/{id}/edit",
            get(edit_contact).post(change_contact),
        )
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    which: String,
}

#[derive(Template)]
#[template(path = "people/list.html")]
struct ListPage {
    chrome: Chrome,
    q: String,
    which: String,
    people: Vec<Listed>,
    more: bool,
}

impl Listed {
    fn initials(&self) -> String {
        page::initials(&self.name)
    }

    fn is_patient(&self) -> bool {
        self.kind == "patient"
    }
}

async fn list(
    State(app): State<App>,
    staff: Staff,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, AppError> {
    let q: String = asked.q.trim().chars().take(100).collect();
    let (which, name) = match asked.which.as_str() {
        "patients" => (Which::Patients, "patients"),
        "contacts" => (Which::Contacts, "contacts"),
        _ => (Which::Everybody, ""),
    };
    let mut people = search(&app.db, staff.practice, which, &q).await?;
    let more = people.len() > LISTED_MAX;
    people.truncate(LISTED_MAX);
    page::html(&ListPage {
        chrome: Chrome::new(&app, &staff, Here::People).await?,
        q,
        which: name.to_owned(),
        people,
        more,
    })
}

#[derive(Template)]
#[template(path = "people/profile.html")]
struct ProfilePage {
    chrome: Chrome,
    profile: Profile,
    initials: String,
    about: String,
    patient: Option<PatientId>,
    appointments: Vec<Visit>,
}

/// One line of a patient's appointments.
struct Visit {
    id: AppointmentId,
    when: String,
    place: String,
    class: &'static str,
    practitioner: String,
    standing: &'static str,
}

async fn show(State(app): State<App>, staff: Staff, person: Person) -> Result<Response, AppError> {
    let profile = find(&app.db, staff.practice, person)
        .await?
        .ok_or(NO_SUCH_PERSON)?;
    let (patient, appointments) = match person {
        Person::Patient(id) => (
            Some(id),
            appointments::of_patient(&app.db, staff.practice, id).await?,
        ),
        Person::Contact(_) => (None, Vec::new()),
    };
    let page = ProfilePage {
        chrome: Chrome::new(&app, &staff, Here::People).await?,
        initials: page::initials(&profile.name),
        about: about(&profile),
        patient,
        appointments: appointments
            .iter()
            .map(|a| visit(a, &app, &staff))
            .collect(),
        profile,
    };
    Ok(page::html(&page)?.into_response())
}

const NO_SUCH_PERSON: AppError = AppError::NotFound("There is no such person in this practice.");

/// `Patient · born 4 May 1951`, `Contact · City Pathology`.
fn about(profile: &Profile) -> String {
    let born = profile
        .born
        .as_deref()
        .and_then(|born| born.parse::<jiff::civil::Date>().ok());
    let detail = born
        .map(|born| format!("born {}", born.strftime("%-d %B %Y")))
        .or_else(|| profile.organisation.clone());
    detail.map_or_else(
        || profile.kind().to_owned(),
        |detail| format!("{} · {detail}", profile.kind()),
    )
}

fn visit(a: &Appointment, app: &App, staff: &Staff) -> Visit {
    let now = app.now_ms();
    let (starts, ends) = (
        when::zoned(a.starts_ms, &staff.zone),
        when::zoned(a.ends_ms, &staff.zone),
    );
    Visit {
        id: a.id,
        when: when::range(&starts, &ends),
        place: a.location.words().to_owned(),
        class: a.location.class(),
        practitioner: a.practitioner_name.clone(),
        standing: match () {
            () if a.cancelled => "Cancelled",
            () if a.ends_ms <= now => "Past",
            () if a.starts_ms <= now => "Now",
            () => "Booked",
        },
    }
}

async fn new_patient(app: State<App>, staff: Staff) -> Result<Response, AppError> {
    form::show(&app, &staff, form::Kind::Patient, None).await
}

async fn new_contact(app: State<App>, staff: Staff) -> Result<Response, AppError> {
    form::show(&app, &staff, form::Kind::Contact, None).await
}

async fn edit_patient(
    app: State<App>,
    staff: Staff,
    Path(id): Path<i64>,
) -> Result<Response, AppError> {
    form::show(&app, &staff, form::Kind::Patient, Some(id)).await
}

async fn edit_contact(
    app: State<App>,
    staff: Staff,
    Path(id): Path<i64>,
) -> Result<Response, AppError> {
    form::show(&app, &staff, form::Kind::Contact, Some(id)).await
}

async fn add_patient(app: State<App>, staff: Staff, posted: Form) -> Result<Response, AppError> {
    save(&app, &staff, form::Kind::Patient, None, &posted).await
}

async fn add_contact(app: State<App>, staff: Staff, posted: Form) -> Result<Response, AppError> {
    save(&app, &staff, form::Kind::Contact, None, &posted).await
}

async fn change_patient(
    app: State<App>,
    staff: Staff,
    Path(id): Path<i64>,
    posted: Form,
) -> Result<Response, AppError> {
    save(&app, &staff, form::Kind::Patient, Some(id), &posted).await
}

async fn change_contact(
    app: State<App>,
    staff: Staff,
    Path(id): Path<i64>,
    posted: Form,
) -> Result<Response, AppError> {
    save(&app, &staff, form::Kind::Contact, Some(id), &posted).await
}

async fn save(
    app: &App,
    staff: &Staff,
    kind: form::Kind,
    id: Option<i64>,
    posted: &Form,
) -> Result<Response, AppError> {
    match form::read(posted) {
        Ok(draft) => {
            let person = form::save(app, staff, kind, id, &draft).await?;
            Ok(Redirect::to(&path(person)).into_response())
        }
        Err(wrong) => form::refuse(app, staff, kind, id, posted, wrong).await,
    }
}
