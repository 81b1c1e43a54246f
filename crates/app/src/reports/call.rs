//! The page of one phone call: what happened, how it sounded, what it cost and why (C3, M10).

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use housecall::SessionId;
use housecall::ports::WallMillis;
use housecall::record::{CallRecord, Judged};
use housecall_store::Entry;
use jiff::tz::TimeZone;

use super::entries::Line;
use super::names::{Names, profile};
use super::phone::{class, status};
use super::sound::{self, Picture};
use super::{encryption, length};
use crate::error::AppError;
use crate::money::account;
use crate::numbers::shown;
use crate::page::{self, Chrome, Here};
use crate::sign_in::Staff;
use crate::state::App;
use crate::when;

#[derive(Template)]
#[template(path = "reports/call.html")]
struct CallPage {
    chrome: Chrome,
    recipient: String,
    profile: Option<String>,
    to: String,
    from: String,
    practitioner: String,
    by: Option<String>,
    status: &'static str,
    class: &'static str,
    words: String,
    cause: String,
    started: String,
    answered: Option<String>,
    ended: String,
    talk: String,
    hold: String,
    encryption: Option<(&'static str, &'static str)>,
    credits: u64,
    /// The page of the consultation that it was a part of, and that was charged its minutes (M9).
    visit: Option<String>,
    directions: Vec<Direction>,
    round_trip: Option<u32>,
    picture: Option<Picture>,
    entries: Vec<Line>,
    zone: String,
}

/// One direction of the sound.
struct Direction {
    who: &'static str,
    word: &'static str,
    chip: &'static str,
    score: String,
    worst: String,
    shares: String,
    lost: String,
    made_up: String,
    jitter_ms: u32,
}

pub(super) async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(session): Path<String>,
) -> Result<Html<String>, AppError> {
    let session = SessionId::new(session);
    let call = app.store.call(&account(staff.practice), &session).await;
    let call = call?.ok_or(AppError::NotFound("call"))?;
    let entries = app.store.entries(&session).await?;
    let names = Names::of(&app.db, staff.practice).await?;
    let chrome = Chrome::new(&app, &staff, Here::Reports).await?;
    page::html(&CallPage::of(chrome, &call, &entries, &names, &staff.zone))
}

impl CallPage {
    fn of(
        chrome: Chrome,
        call: &CallRecord,
        entries: &[Entry],
        names: &Names,
        zone: &TimeZone,
    ) -> Self {
        let at = |at: WallMillis| when::second(at.0, zone);
        let quality = call.quality.as_ref();
        Self {
            chrome,
            recipient: names.name(&call.recipient).to_owned(),
            profile: profile(&call.recipient),
            to: shown(&call.to_number),
            from: shown(&call.from_number),
            practitioner: names.name(&call.practitioner).to_owned(),
            by: (call.caller != call.practitioner).then(|| names.name(&call.caller).to_owned()),
            status: status(&call.outcome),
            class: class(&call.outcome),
            words: call.words.clone(),
            cause: call.cause.to_string(),
            started: at(call.started),
            answered: call.answered.map(at),
            ended: at(call.ended),
            talk: length(call.talk_ms),
            hold: length(call.hold_ms),
            encryption: call
                .encryption
                .map(|it| (encryption::word(it), encryption::meaning(it))),
            credits: call.credits,
            visit: call.visit.as_ref().map(super::visit_path),
            directions: quality.map_or_else(Vec::new, directions),
            round_trip: quality.and_then(|quality| quality.round_trip_ms),
            picture: quality.and_then(Picture::of),
            entries: entries.iter().map(|entry| Line::of(entry, zone)).collect(),
            zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        }
    }
}

fn directions(quality: &housecall::record::Quality) -> Vec<Direction> {
    let both = [("You heard", &quality.heard), ("They heard", &quality.sent)];
    let judged = both
        .into_iter()
        .filter_map(|(who, judged)| Some((who, judged.as_ref()?)));
    judged
        .map(|(who, judged)| Direction::of(who, judged))
        .collect()
}

impl Direction {
    fn of(who: &'static str, judged: &Judged) -> Self {
        Self {
            who,
            word: sound::class_word(judged.class()),
            chip: sound::chip(judged.class()),
            score: sound::score(judged.rating),
            worst: sound::score(judged.worst_minute),
            shares: sound::shares(judged),
            lost: sound::percent(judged.lost_per_10k),
            made_up: sound::percent(judged.concealed_per_10k),
            jitter_ms: judged.jitter_ms,
        }
    }
}
