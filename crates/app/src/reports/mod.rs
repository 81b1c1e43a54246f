//! Reports on communication: phone calls and video visits, filtered, with totals (C1).

mod attendance;
mod call;
mod encryption;
mod entries;
mod filter;
mod names;
mod phone;
mod sound;
mod video;
mod visit;

use axum::Router;
use axum::extract::Query;
use axum::response::Redirect;
use axum::routing::get;
use housecall::SessionId;
use serde::Deserialize;

use crate::state::App;

pub(crate) use entries::words as entry_words;
pub(crate) use names::Names;

/// The pages of reports.
pub fn router() -> Router<App> {
    Router::new()
        .route("/reports", get(choose))
        .route("/reports/phone", get(phone::show))
        .route("/reports/phone/{session}", get(call::show))
        .route("/reports/video", get(video::show))
        .route("/reports/video/{session}", get(visit::show))
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default, rename = "type")]
    kind: String,
}

/// Goes to the kind of report that the address names; phone, when it names none (C1).
async fn choose(Query(kind): Query<Kind>) -> Redirect {
    Redirect::to(if kind.kind == "video" {
        "/reports/video"
    } else {
        "/reports/phone"
    })
}

/// Where a visit is explained.
fn visit_path(session: &SessionId) -> String {
    format!("/reports/video/{session}")
}

/// `22:21`, `1:03:41`; a dash for nothing.
fn length(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (ms, hours) {
        (0, _) => "–".to_owned(),
        (_, 0) => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `1 h 12 min`: what a total needs.
fn long_length(ms: u64) -> String {
    let minutes = ms.div_ceil(60_000);
    if minutes < 60 {
        format!("{minutes} min")
    } else {
        format!("{} h {} min", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_at_a_glance() {
        assert_eq!(
            [0, 999, 61_000, 3_821_000].map(length),
            ["–", "0:00", "1:01", "1:03:41"]
        );
        assert_eq!(
            [0, 60_001, 3_600_000].map(long_length),
            ["0 min", "2 min", "1 h 0 min"]
        );
    }
}
