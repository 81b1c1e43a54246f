//! The report on phone calls.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use housecall::record::CallRecord;
use housecall_store::{CallFilter, CallTotals, Page};
use jiff::tz::TimeZone;

use super::filter::{Asked, ROWS, some};
use super::names::{Choice, Names, profile};
use super::{encryption, length, long_length, sound};
use crate::error::AppError;
use crate::money::account;
use crate::numbers::{self, shown};
use crate::page::{self, Chrome, Here};
use crate::sign_in::Staff;
use crate::state::App;
use crate::when;

/// The ways a call ends, by the names of `phone::Outcome`, as a filter offers them.
const OUTCOMES: [(&str, &str); 13] = [
    ("completed", "Completed"),
    ("no_answer", "No answer"),
    ("busy", "Busy"),
    ("declined", "Declined"),
    ("cancelled", "Cancelled"),
    ("wrong_number", "Wrong number"),
    ("not_permitted", "Not permitted"),
    ("sign_in_refused", "Provider refused"),
    ("no_credit", "Provider unpaid"),
    ("no_common_sound", "No common sound"),
    ("congested", "Network busy"),
    ("failed", "Failed"),
    ("media_lost", "Sound lost"),
];

#[derive(Template)]
#[template(path = "reports/phone.html")]
struct PhoneReport {
    chrome: Chrome,
    asked: Asked,
    from: String,
    to: String,
    zone: String,
    practitioners: Vec<Choice>,
    recipients: Vec<Choice>,
    numbers: Vec<Choice>,
    outcomes: Vec<Choice>,
    totals: CallTotals,
    talk: String,
    hold: String,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

/// One call, in words.
struct Row {
    recipient: String,
    profile: Option<String>,
    to: String,
    from: String,
    status: &'static str,
    class: &'static str,
    words: String,
    /// What the network said about the end; of no use to most.
    cause: String,
    practitioner: String,
    by: Option<String>,
    started: String,
    answered: Option<String>,
    ended: String,
    talk: String,
    hold: String,
    held_by_them: Option<String>,
    credits: u64,
    quality: &'static str,
    /// The numbers behind it.
    quality_numbers: String,
    /// The page of the call.
    page: String,
    encryption: Option<&'static str>,
}

pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, AppError> {
    let days = asked.days(&staff, app.now_ms());
    let (from, before) = days.moments(&staff);
    let filter = CallFilter {
        from,
        before,
        practitioner: some(&asked.practitioner),
        caller: some(&asked.caller),
        recipient: some(&asked.recipient),
        number: some(&asked.number),
        outcome: some(&asked.status),
        talk_ms_min: asked.minimum_ms(),
    };
    let paying = account(staff.practice);
    let totals = app.store.call_totals(&paying, &filter).await?;
    let page = Page {
        offset: asked.page() * ROWS,
        limit: ROWS,
    };
    let calls = app.store.calls(&paying, &filter, page).await?;
    let names = Names::of(&app.db, staff.practice).await?;
    let mine = numbers::active(&app.db, staff.practice).await?;
    let report = PhoneReport {
        chrome: Chrome::new(&app, &staff, Here::Reports).await?,
        from: days.from.to_string(),
        to: days.to.to_string(),
        zone: staff.zone.iana_name().unwrap_or("UTC").to_owned(),
        practitioners: names.staff(),
        recipients: names.people(),
        numbers: mine
            .into_iter()
            .map(|n| Choice {
                name: n.shown(),
                value: n.number,
            })
            .collect(),
        outcomes: OUTCOMES
            .iter()
            .map(|(value, name)| Choice {
                value: (*value).to_owned(),
                name: (*name).to_owned(),
            })
            .collect(),
        talk: long_length(totals.talk_ms),
        hold: long_length(totals.hold_ms),
        rows: calls
            .iter()
            .map(|call| Row::of(call, &names, &staff.zone))
            .collect(),
        newer: (page.offset > 0)
            .then(|| asked.with_page("/reports/phone", &days, asked.page() - 1)),
        older: (totals.calls > u64::from(page.offset + ROWS))
            .then(|| asked.with_page("/reports/phone", &days, asked.page() + 1)),
        totals,
        asked,
    };
    page::html(&report)
}

impl Row {
    fn of(call: &CallRecord, names: &Names, zone: &TimeZone) -> Self {
        let clock = |at: housecall::ports::WallMillis| {
            when::zoned(at.0, zone).strftime("%-H:%M:%S").to_string()
        };
        let started = when::zoned(call.started.0, zone);
        let answered = call.answered.is_some();
        Self {
            recipient: names.name(&call.recipient).to_owned(),
            profile: profile(&call.recipient),
            to: shown(&call.to_number),
            from: shown(&call.from_number),
            status: status(&call.outcome),
            class: class(&call.outcome),
            words: call.words.clone(),
            cause: call.cause.to_string(),
            practitioner: names.name(&call.practitioner).to_owned(),
            by: (call.caller != call.practitioner).then(|| names.name(&call.caller).to_owned()),
            started: format!("{} {}", started.strftime("%-d %b"), clock(call.started)),
            answered: call.answered.map(clock),
            ended: clock(call.ended),
            talk: if answered {
                length(call.talk_ms.max(1))
            } else {
                length(0)
            },
            hold: length(call.hold_ms),
            held_by_them: (call.held_by_them_ms >= 1000).then(|| length(call.held_by_them_ms)),
            credits: call.credits,
            quality: sound::word(call),
            quality_numbers: sound::numbers(call),
            page: format!("/reports/phone/{}", call.session),
            encryption: call.encryption.map(encryption::word),
        }
    }
}

pub(super) fn status(outcome: &str) -> &'static str {
    OUTCOMES
        .iter()
        .find(|(name, _)| *name == outcome)
        .map_or("Ended", |(_, words)| words)
}

pub(super) fn class(outcome: &str) -> &'static str {
    match outcome {
        "completed" => "good",
        "failed" | "media_lost" | "congested" | "sign_in_refused" | "no_credit"
        | "no_common_sound" => "bad",
        "wrong_number" | "not_permitted" => "warn",
        _ => "",
    }
}
