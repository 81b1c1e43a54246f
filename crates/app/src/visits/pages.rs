//! What the templates of `templates/visit` are filled with.

use askama::Template;

use crate::appointments::Appointment;
use crate::assets;
use crate::error::AppError;
use crate::ids::AppointmentId;
use crate::money;
use crate::page::{Chrome, Here};
use crate::sign_in::Staff;
use crate::state::App;
use crate::visits::guest::{Closed, Guest};
use crate::visits::window::Window;
use crate::when;

/// Where a visit link leads.
#[derive(Template)]
#[template(path = "visit/enter.html")]
pub(super) struct Enter {
    assets: &'static str,
    practice: String,
}

impl Enter {
    pub(super) fn new(practice: String) -> Self {
        Self {
            assets: assets::base(),
            practice,
        }
    }
}

/// A visit that cannot be held, and why (A3).
#[derive(Template)]
#[template(path = "visit/closed.html")]
pub(super) struct ClosedPage {
    assets: &'static str,
    practice: String,
    title: &'static str,
    words: &'static str,
}

impl ClosedPage {
    pub(super) fn new(practice: String, why: Closed) -> Self {
        Self {
            assets: assets::base(),
            practice,
            title: why.title(),
            words: why.words(),
        }
    }
}

/// A patient's visit.
#[derive(Template)]
#[template(path = "visit/patient.html")]
pub(super) struct Patient {
    assets: &'static str,
    practice: String,
    socket: String,
    you: String,
    practitioner: String,
    day: String,
    at: String,
    zone: String,
    now_ms: i64,
    starts_ms: i64,
    ends_ms: i64,
    opens_ms: i64,
    practitioner_side: bool,
    can_ring: bool,
    devices_open: bool,
    back: String,
}

impl Patient {
    pub(super) async fn new(app: &App, guest: &Guest) -> Result<Self, AppError> {
        let practice = sqlx::query_scalar("SELECT name FROM practices WHERE id = $1")
            .bind(guest.practice)
            .fetch_one(&app.db)
            .await?;
        let a = &guest.appointment;
        let (now, starts) = (when::zoned(app.now_ms(), &a.zone), a.starts());
        let today = now.date() == starts.date();
        Ok(Self {
            assets: assets::base(),
            practice,
            socket: format!("/visit/{}/socket", guest.place.visit_key),
            you: given_name(&guest.place.name),
            practitioner: a.practitioner_name.clone(),
            day: if today {
                "today".to_owned()
            } else {
                format!("on {}", when::long_day(starts.date()))
            },
            at: when::clock(&starts),
            zone: zone_words(&a.zone_name),
            now_ms: app.now_ms(),
            starts_ms: a.starts_ms,
            ends_ms: a.ends_ms,
            opens_ms: guest.window.check_in_ms,
            practitioner_side: false,
            can_ring: false,
            devices_open: false,
            back: String::new(),
        })
    }
}

/// The practitioner's visit.
#[derive(Template)]
#[template(path = "visit/practitioner.html")]
pub(super) struct Practitioner {
    chrome: Chrome,
    appointment: AppointmentId,
    names: String,
    when: String,
    zone: String,
    you: String,
    now_ms: i64,
    starts_ms: i64,
    ends_ms: i64,
    opens_ms: i64,
    back: String,
    cost: String,
    cost_how: String,
    available: i64,
    shortage: Option<String>,
    practitioner_side: bool,
    can_ring: bool,
    devices_open: bool,
}

impl Practitioner {
    pub(super) async fn new(
        app: &App,
        staff: &Staff,
        a: &Appointment,
        window: Window,
    ) -> Result<Self, AppError> {
        let chrome = Chrome::new(app, staff, Here::Calendar).await?;
        let available = chrome.credits.available;
        let can_ring = chrome.can_call();
        let estimate = money::estimate(app, a);
        let to_start = estimate.as_ref().map_or(0, |estimate| estimate.to_start);
        Ok(Self {
            chrome,
            appointment: a.id,
            names: a.names(),
            when: when::range(&a.starts(), &a.ends()),
            zone: a.zone_name.clone(),
            you: staff.name.clone(),
            now_ms: app.now_ms(),
            starts_ms: a.starts_ms,
            ends_ms: a.ends_ms,
            opens_ms: window.join_ms,
            back: crate::appointments::path(a.id),
            cost: estimate
                .as_ref()
                .map_or_else(|| "0 credits".to_owned(), |estimate| estimate.cost.clone()),
            cost_how: estimate
                .map_or_else(|| "Nobody is booked".to_owned(), |estimate| estimate.how),
            available,
            shortage: shortage(available, to_start),
            practitioner_side: true,
            can_ring,
            devices_open: true,
        })
    }
}

/// M7, M8: says before Join what the ledger would say after it.
fn shortage(available: i64, to_start: u64) -> Option<String> {
    let short = i64::try_from(to_start).is_ok_and(|needed| available < needed);
    short.then(|| format!("Starting needs {to_start} credits and {available} are available. Ask an administrator to top up."))
}

/// `Sam` of `Sam Okafor`: patients are greeted by their given name.
fn given_name(name: &str) -> String {
    name.split_whitespace().next().unwrap_or(name).to_owned()
}

/// `Sydney time` of `Australia/Sydney`.
fn zone_words(zone: &str) -> String {
    let city = zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
    format!("{city} time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m7_a_shortage_is_said_before_join() {
        assert_eq!(shortage(6, 6), None);
        assert!(
            shortage(5, 6)
                .unwrap()
                .starts_with("Starting needs 6 credits and 5 are available.")
        );
    }

    #[test]
    fn zones_are_cities() {
        assert_eq!(zone_words("Australia/Sydney"), "Sydney time");
        assert_eq!(zone_words("America/New_York"), "New York time");
        assert_eq!(given_name("Sam Okafor"), "Sam");
    }
}
