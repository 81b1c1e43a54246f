//! The report on video visits: a line for each patient of each visit.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use housecall::record::VisitPatient;
use housecall_store::{Page, VisitFilter, VisitRow, VisitTotals};
use jiff::tz::TimeZone;

use super::filter::{Asked, ROWS, some};
use super::names::{Choice, Names, profile};
use super::{length, long_length};
use crate::error::AppError;
use crate::money::account;
use crate::page::{self, Chrome, Here};
use crate::sign_in::Staff;
use crate::state::App;
use crate::when;

#[derive(Template)]
#[template(path = "reports/video.html")]
struct VideoReport {
    chrome: Chrome,
    asked: Asked,
    from: String,
    to: String,
    zone: String,
    practitioners: Vec<Choice>,
    patients: Vec<Choice>,
    totals: VisitTotals,
    connected: String,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

/// One visit, in words.
struct Row {
    session: String,
    patients: Vec<Part>,
    appointment: Option<String>,
    practitioner: String,
    started: String,
    ended: String,
    length: String,
    words: String,
    credits: u64,
}

/// One patient's part in it.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) profile: Option<String>,
    pub(super) admitted: bool,
    pub(super) connected: String,
    pub(super) by_phone: Option<String>,
    pub(super) credits: u64,
}

pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, AppError> {
    let days = asked.days(&staff, app.now_ms());
    let (from, before) = days.moments(&staff);
    let filter = VisitFilter {
        from,
        before,
        practitioner: some(&asked.practitioner),
        patient: some(&asked.recipient),
        admitted: match asked.status.as_str() {
            "came" => Some(true),
            "never_came" => Some(false),
            _ => None,
        },
        elapsed_ms_min: asked.minimum_ms(),
    };
    let paying = account(staff.practice);
    let totals = app.store.visit_totals(&paying, &filter).await?;
    let page = Page {
        offset: asked.page() * ROWS,
        limit: ROWS,
    };
    let lines = app
        .store
        .visits(&paying, &filter, with_neighbours(page))
        .await?;
    let names = Names::of(&app.db, staff.practice).await?;
    let report = VideoReport {
        chrome: Chrome::new(&app, &staff, Here::Reports).await?,
        from: days.from.to_string(),
        to: days.to.to_string(),
        zone: staff.zone.iana_name().unwrap_or("UTC").to_owned(),
        practitioners: names.staff(),
        patients: names.patients(),
        connected: long_length(totals.connected_ms),
        rows: whole_visits(&lines, page)
            .into_iter()
            .filter_map(|visit| Row::of(visit, &names, &staff.zone))
            .collect(),
        newer: (page.offset > 0)
            .then(|| asked.with_page("/reports/video", &days, asked.page() - 1)),
        older: (totals.rows > u64::from(page.offset + ROWS))
            .then(|| asked.with_page("/reports/video", &days, asked.page() + 1)),
        totals,
        asked,
    };
    page::html(&report)
}

/// A visit has up to three lines, which must not part at the end of a page: one line before and two after are read too.
fn with_neighbours(page: Page) -> Page {
    Page {
        offset: page.offset.saturating_sub(1),
        limit: page.limit + 3,
    }
}

/// Returns the visits that begin on the page, each with all its lines.
fn whole_visits(lines: &[VisitRow], page: Page) -> Vec<&[VisitRow]> {
    let visits: Vec<&[VisitRow]> = lines.chunk_by(|a, b| a.session == b.session).collect();
    let continued = page.offset > 0;
    let mut at = page.offset.saturating_sub(u32::from(continued));
    let end = page.offset + page.limit;
    let begins_here = visits.into_iter().enumerate().filter(|(index, visit)| {
        let begins = at;
        at += u32::try_from(visit.len()).unwrap_or(0);
        begins < end && !(continued && *index == 0)
    });
    begins_here.map(|(_, visit)| visit).collect()
}

impl Row {
    fn of(visit: &[VisitRow], names: &Names, zone: &TimeZone) -> Option<Self> {
        let first = visit.first()?;
        let started = when::zoned(first.started.0, zone);
        let ended = when::zoned(first.ended.0, zone);
        Some(Self {
            session: first.session.as_str().to_owned(),
            patients: visit
                .iter()
                .map(|line| Part::of(&line.patient, names))
                .collect(),
            appointment: first
                .appointment
                .strip_prefix("appointment:")
                .map(|id| format!("/calendar?open={id}")),
            practitioner: names.name(&first.practitioner).to_owned(),
            started: started.strftime("%-d %b %-H:%M:%S").to_string(),
            ended: ended.strftime("%-H:%M:%S").to_string(),
            length: length(first.elapsed_ms),
            words: first.words.clone(),
            credits: visit.iter().map(|line| line.patient.credits).sum(),
        })
    }
}

impl Part {
    pub(super) fn of(part: &VisitPatient, names: &Names) -> Self {
        Self {
            name: names.name(&part.patient).to_owned(),
            profile: profile(&part.patient),
            admitted: part.admitted,
            connected: length(part.connected_ms),
            by_phone: (part.by_phone_ms > 0).then(|| length(part.by_phone_ms)),
            credits: part.credits,
        }
    }
}

#[cfg(test)]
mod tests {
    use housecall::SessionId;
    use housecall::ports::WallMillis;

    use super::*;

    fn line(session: &str, seat: u8) -> VisitRow {
        let patient = VisitPatient {
            seat,
            patient: format!("patient:{seat}"),
            admitted: true,
            connected_ms: 1,
            by_phone_ms: 0,
            credits: 2,
        };
        VisitRow {
            session: SessionId::new(session),
            appointment: "appointment:1".to_owned(),
            practitioner: "user:1".to_owned(),
            started: WallMillis(0),
            ended: WallMillis(1),
            elapsed_ms: 1,
            words: String::new(),
            patient,
        }
    }

    #[test]
    fn a_visit_is_never_parted_between_pages() {
        let all = [
            line("a", 1),
            line("a", 2),
            line("b", 1),
            line("b", 2),
            line("b", 3),
            line("c", 1),
        ];
        let sessions = |offset: u32| {
            let page = Page { offset, limit: 3 };
            let read = with_neighbours(page);
            let lines: Vec<VisitRow> = all
                .iter()
                .skip(read.offset as usize)
                .take(read.limit as usize)
                .cloned()
                .collect();
            whole_visits(&lines, page)
                .iter()
                .map(|visit| (visit[0].session.as_str().to_owned(), visit.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(sessions(0), [("a".to_owned(), 2), ("b".to_owned(), 3)]);
        assert_eq!(sessions(3), [("c".to_owned(), 1)]);
    }
}
