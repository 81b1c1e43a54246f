//! The calendar: a week, or a day of it on a phone, and beside it the chosen appointment.

mod grid;
pub mod panel;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Html;
use axum::routing::get;
use jiff::civil::{Date, Time};
use jiff::{Span, ToSpan};
use serde::Deserialize;

use self::grid::Day;
use self::panel::Panel;
use crate::appointments;
use crate::error::AppError;
use crate::ids::AppointmentId;
use crate::page::{self, Chrome, Here};
use crate::sign_in::Staff;
use crate::state::App;
use crate::when;

/// The calendar's page.
pub fn router() -> Router<App> {
    Router::new().route("/calendar", get(show))
}

/// What the address asks for; whatever makes no sense counts as absent.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// A day of the week to show: `2026-11-24`.
    #[serde(default)]
    pub on: String,
    /// The appointment to open.
    #[serde(default)]
    pub open: String,
}

#[derive(Template)]
#[template(path = "calendar/week.html")]
struct CalendarPage {
    chrome: Chrome,
    title: String,
    zone: String,
    previous: String,
    next: String,
    today: String,
    chosen: String,
    seven: bool,
    first_hour: i8,
    span: i8,
    hours: Vec<i8>,
    days: Vec<Day>,
    count: usize,
    panel: Option<Panel>,
}

async fn show(
    State(app): State<App>,
    staff: Staff,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, AppError> {
    let panel = match asked.open.parse().map(AppointmentId) {
        Ok(id) => panel::find(&app, &staff, id, None).await?,
        Err(_) => None,
    };
    render(&app, &staff, &asked, panel).await
}

/// Renders the week of `asked`, with a panel beside it.
///
/// # Errors
/// When the database refuses.
pub async fn render(
    app: &App,
    staff: &Staff,
    asked: &Asked,
    panel: Option<Panel>,
) -> Result<Html<String>, AppError> {
    let now = when::zoned(app.now_ms(), &staff.zone);
    let chosen = asked.on.parse::<Date>().ok();
    let chosen = chosen
        .or(panel.as_ref().map(|panel| panel.date))
        .unwrap_or(now.date());
    let monday = monday_of(chosen);
    let from = when::at(monday, Time::midnight(), &staff.zone).unwrap_or(0);
    let to = when::at(plus(monday, 7.days()), Time::midnight(), &staff.zone).unwrap_or(i64::MAX);
    let booked = appointments::between(&app.db, staff.practice, from, to).await?;
    let open = panel.as_ref().map(|panel| panel.id);
    let week = grid::lay_out(monday, chosen, &booked, &now, open);
    let page = CalendarPage {
        chrome: Chrome::new(app, staff, Here::Calendar).await?,
        title: title(monday),
        zone: staff.zone.iana_name().unwrap_or("UTC").to_owned(),
        previous: plus(chosen, -7.days()).to_string(),
        next: plus(chosen, 7.days()).to_string(),
        today: now.date().to_string(),
        chosen: chosen.to_string(),
        seven: week.days.len() == 7,
        first_hour: week.first_hour,
        span: week.span,
        hours: (week.first_hour + 1..week.first_hour + week.span).collect(),
        count: week.days.iter().map(|day| day.entries.len()).sum(),
        days: week.days,
        panel,
    };
    page::html(&page)
}

fn monday_of(date: Date) -> Date {
    let since = i64::from(date.weekday().to_monday_zero_offset());
    plus(date, -since.days())
}

/// Days beyond jiff's calendar stay where they are: nobody books in the year 9999.
fn plus(date: Date, days: Span) -> Date {
    date.saturating_add(days)
}

/// `23–29 November 2026`, `30 November – 6 December 2026`.
fn title(monday: Date) -> String {
    let sunday = plus(monday, 6.days());
    if monday.month() == sunday.month() {
        format!("{}–{}", monday.day(), sunday.strftime("%-d %B %Y"))
    } else {
        format!(
            "{} – {}",
            monday.strftime("%-d %B"),
            sunday.strftime("%-d %B %Y")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_and_name_their_months() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(monday_of(date("2026-11-29")), date("2026-11-23"));
        assert_eq!(monday_of(date("2026-11-23")), date("2026-11-23"));
        assert_eq!(title(date("2026-11-23")), "23–29 November 2026");
        assert_eq!(title(date("2026-11-30")), "30 November – 6 December 2026");
        assert_eq!(plus(Date::MAX, 7.days()), Date::MAX);
    }
}
