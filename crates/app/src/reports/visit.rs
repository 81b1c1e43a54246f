//! The page of one video visit: who was there when, what it cost and why (C3, M10).

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use housecall::SessionId;
use housecall::ports::WallMillis;
use housecall::record::VisitRecord;
use housecall_store::{Entry, Explanation, Patient};
use jiff::tz::TimeZone;

use super::attendance::{Attendance, clock};
use super::entries::Line;
use super::length;
use super::names::Names;
use super::video::Part;
use crate::error::AppError;
use crate::money::account;
use crate::page::{self, Chrome, Here};
use crate::sign_in::Staff;
use crate::state::App;
use crate::when;

#[derive(Template)]
#[template(path = "reports/visit.html")]
struct VisitPage {
    chrome: Chrome,
    patients: Vec<Part>,
    /// Whether any patient came in.
    came: bool,
    appointment: Option<String>,
    practitioner: String,
    started: String,
    ended: String,
    length: String,
    words: String,
    tariff: Option<String>,
    credits: u64,
    picture: Option<Attendance>,
    bill: Vec<Charge>,
    entries: Vec<Line>,
    zone: String,
}

/// One line of the bill.
struct Charge {
    patient: String,
    span: String,
    what: String,
    why: &'static str,
    credits: u64,
}

pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(session): Path<String>,
) -> Result<Html<String>, AppError> {
    let session = SessionId::new(session);
    let visit = app.store.visit(&account(staff.practice), &session).await;
    let visit = visit?.ok_or(AppError::NotFound("visit"))?;
    let entries = app.store.entries(&session).await?;
    let told = app.store.explain(&session).await;
    let told = told.unwrap_or_else(|error| {
        tracing::error!(%error, %session, "a visit cannot be explained");
        None
    });
    let names = Names::of(&app.db, staff.practice).await?;
    let chrome = Chrome::new(&app, &staff, Here::Reports).await?;
    let told = told.as_ref();
    page::html(&VisitPage::of(
        chrome,
        &visit,
        told,
        &entries,
        &names,
        &staff.zone,
    ))
}

impl VisitPage {
    fn of(
        chrome: Chrome,
        visit: &VisitRecord,
        told: Option<&Explanation>,
        entries: &[Entry],
        names: &Names,
        zone: &TimeZone,
    ) -> Self {
        let at = |at: WallMillis| when::second(at.0, zone);
        let practitioner = names.name(&visit.practitioner).to_owned();
        let seats = visit.patients.iter().filter_map(|part| {
            let name = names.name(&part.patient).to_owned();
            Some((Patient::from_seat(part.seat)?, name))
        });
        let seats: Vec<(Patient, String)> = seats.collect();
        let picture =
            told.and_then(|told| Attendance::of(told, visit.elapsed_ms, &practitioner, &seats));
        let appointment = visit.appointment.strip_prefix("appointment:");
        Self {
            chrome,
            patients: visit
                .patients
                .iter()
                .map(|part| Part::of(part, names))
                .collect(),
            came: visit.patients.iter().any(|part| part.admitted),
            appointment: appointment.map(|id| format!("/calendar?open={id}")),
            practitioner,
            started: at(visit.started),
            ended: at(visit.ended),
            length: length(visit.elapsed_ms),
            words: visit.words.clone(),
            tariff: told.map(|told| told.tariff.to_string()),
            credits: visit.credits,
            picture,
            bill: told.map_or_else(Vec::new, |told| charges(told, &seats)),
            entries: entries.iter().map(|entry| Line::of(entry, zone)).collect(),
            zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        }
    }
}

fn charges(told: &Explanation, seats: &[(Patient, String)]) -> Vec<Charge> {
    let name = |patient: Patient| {
        let seat = seats.iter().find(|(seat, _)| *seat == patient);
        let unbooked = || format!("Patient {}", patient.seat());
        seat.map_or_else(unbooked, |(_, name)| name.clone())
    };
    let lines = told.bill.lines().iter();
    lines
        .map(|line| Charge {
            patient: name(line.patient),
            span: format!("{} to {}", clock(line.from.0), clock(line.to.0)),
            what: match line.blocks {
                1 => format!("1 block of {}", line.each),
                many => format!("{many} blocks of {}", line.each),
            },
            why: line.rule.words(),
            credits: line.credits().0,
        })
        .collect()
}
