//! The form of an appointment: what it shows, what it reads, and what can be wrong with it.

use askama::Template;
use axum::response::{IntoResponse, Response};
use jiff::civil::{Date, Time};
use serde::Deserialize;

use crate::appointments::model::{Appointment, Booked, Draft, Location, MINUTES_MAX};
use crate::error::AppError;
use crate::form::Form;
use crate::ids::{AppointmentId, PatientId, UserId};
use crate::page::{self, Chrome, Here};
use crate::sign_in::Staff;
use crate::state::App;
use crate::when;

/// What the address of a new appointment may say already.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    on: String,
    #[serde(default)]
    patient: String,
}

/// The fields as text, whatever was typed.
pub(super) struct Values {
    date: String,
    time: String,
    minutes: String,
    location: String,
    room: String,
    practitioner: String,
    title: String,
    patients: Vec<String>,
}

/// A choice of a list.
#[derive(sqlx::FromRow)]
struct Choice {
    id: i64,
    name: String,
    detail: Option<String>,
}

#[derive(Template)]
#[template(path = "appointments/form.html")]
struct FormPage {
    chrome: Chrome,
    id: Option<AppointmentId>,
    action: String,
    back: String,
    values: Values,
    practitioners: Vec<Choice>,
    patients: Vec<Choice>,
    zone: String,
    wrong: Vec<String>,
}

impl Values {
    /// A new appointment: the asked day, the next full hour, a telehealth of 30 minutes.
    pub(super) fn fresh(app: &App, staff: &Staff, asked: &Asked) -> Self {
        let soon = when::zoned(app.now_ms() + 3_600_000, &staff.zone);
        let date = asked.on.parse::<Date>().unwrap_or(soon.date());
        Self {
            date: date.to_string(),
            time: format!("{:02}:00", soon.hour()),
            minutes: "30".to_owned(),
            location: "telehealth".to_owned(),
            room: String::new(),
            practitioner: staff.user.to_string(),
            title: String::new(),
            patients: padded(vec![asked.patient.clone()]),
        }
    }

    /// An appointment as it is booked.
    pub(super) fn of(a: &Appointment, staff: &Staff) -> Self {
        let starts = when::zoned(a.starts_ms, &staff.zone);
        Self {
            date: starts.date().to_string(),
            time: starts.strftime("%H:%M").to_string(),
            minutes: a.minutes().to_string(),
            location: a.location.kind().to_owned(),
            room: a.location.room().unwrap_or("").to_owned(),
            practitioner: a.practitioner.to_string(),
            title: a.title.clone(),
            patients: padded(
                a.participants()
                    .map(|place| place.patient.to_string())
                    .collect(),
            ),
        }
    }

    /// What was typed, to be corrected.
    pub(super) fn typed(posted: &Form) -> Self {
        let text = |name: &str| posted.one(name).to_owned();
        Self {
            date: text("date"),
            time: text("time"),
            minutes: text("minutes"),
            location: text("location"),
            room: text("room"),
            practitioner: text("practitioner"),
            title: text("title"),
            patients: padded(posted.all("patient").take(3).map(str::to_owned).collect()),
        }
    }

    fn is_location(&self, kind: &str) -> bool {
        self.location == kind
    }
}

fn padded(mut patients: Vec<String>) -> Vec<String> {
    patients.resize(3, String::new());
    patients
}

/// Reads a posted form, or says everything that is wrong with it.
pub(super) fn read(staff: &Staff, posted: &Form) -> Result<Draft, Vec<String>> {
    let mut wrong = Vec::new();
    let span = keep(span(staff, posted), &mut wrong);
    let location = keep(location(posted), &mut wrong);
    let title = keep(posted.text("title", "The title", 200), &mut wrong);
    let patients = keep(patients(posted), &mut wrong);
    let practitioner = posted
        .one("practitioner")
        .parse()
        .map(UserId)
        .map_err(|_| "Choose a practitioner.".to_owned());
    let practitioner = keep(practitioner, &mut wrong);
    match (span, location, title, patients, practitioner) {
        (
            Some((starts_ms, ends_ms)),
            Some(location),
            Some(title),
            Some(patients),
            Some(practitioner),
        ) => {
            let zone_name = staff.zone.iana_name().unwrap_or("UTC").to_owned();
            Ok(Draft {
                practitioner,
                starts_ms,
                ends_ms,
                zone_name,
                location,
                title,
                patients,
            })
        }
        _ => Err(wrong),
    }
}

fn keep<T>(result: Result<T, String>, wrong: &mut Vec<String>) -> Option<T> {
    result.map_err(|words| wrong.push(words)).ok()
}

fn span(staff: &Staff, posted: &Form) -> Result<(i64, i64), String> {
    let date: Date = posted
        .one("date")
        .parse()
        .map_err(|_| "Choose a date, such as 2026-11-24.".to_owned())?;
    let time: Time = posted
        .one("time")
        .parse()
        .map_err(|_| "Choose a time, such as 9:30.".to_owned())?;
    let minutes: i64 = posted
        .one("minutes")
        .parse()
        .map_err(|_| "Say how many minutes it lasts.".to_owned())?;
    if !(5..=MINUTES_MAX).contains(&minutes) {
        return Err(format!(
            "An appointment lasts between 5 and {MINUTES_MAX} minutes."
        ));
    }
    if !(2000..=2200).contains(&date.year()) {
        return Err("Choose a date of this century.".to_owned());
    }
    let starts_ms =
        when::at(date, time, &staff.zone).ok_or_else(|| "That time does not exist.".to_owned())?;
    Ok((starts_ms, starts_ms + minutes * 60_000))
}

fn location(posted: &Form) -> Result<Location, String> {
    match posted.one("location") {
        "telehealth" => Ok(Location::Telehealth),
        "phone" => Ok(Location::Phone),
        "in_person" => match posted.text("room", "The room", 100)? {
            room if room.is_empty() => Err("Name the room of an appointment in person.".to_owned()),
            room => Ok(Location::InPerson(room)),
        },
        _ => Err("Choose where: Telehealth, Phone consultation or a room.".to_owned()),
    }
}

fn patients(posted: &Form) -> Result<Booked, String> {
    let ids: Result<Vec<PatientId>, _> = posted
        .all("patient")
        .map(|id| id.parse().map(PatientId))
        .collect();
    let ids = ids.map_err(|_| "Choose patients from the list.".to_owned())?;
    Booked::seat(ids).map_err(|refused| refused.to_string())
}

/// Renders the form.
pub(super) async fn render(
    app: &App,
    staff: &Staff,
    id: Option<AppointmentId>,
    values: Values,
    wrong: Vec<String>,
) -> Result<Response, AppError> {
    let practitioners = sqlx::query_as("SELECT id, name, NULL AS detail FROM users WHERE practice_id = $1 AND role = 'practitioner' ORDER BY name")
        .bind(staff.practice)
        .fetch_all(&app.db)
        .await?;
    let patients = sqlx::query_as("SELECT id, name, born AS detail FROM patients WHERE practice_id = $1 ORDER BY lower(name), id LIMIT 5000")
        .bind(staff.practice)
        .fetch_all(&app.db)
        .await?;
    let page = FormPage {
        chrome: Chrome::new(app, staff, Here::Calendar).await?,
        action: id.map_or_else(
            || "/appointments".to_owned(),
            |id| format!("/appointments/{id}"),
        ),
        back: id.map_or_else(|| "/calendar".to_owned(), super::path),
        zone: staff.zone.iana_name().unwrap_or("UTC").to_owned(),
        id,
        values,
        practitioners,
        patients,
        wrong,
    };
    Ok(page::html(&page)?.into_response())
}
