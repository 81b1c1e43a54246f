//! What a test may do to a running clinic. The routes exist only where the configuration asks for them.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use housecall_carrier::{HeardCall, Stage};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::state::App;

/// A test never lets more than a day pass at once.
const ADVANCE_MS_MAX: u64 = 24 * 60 * 60 * 1000;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/test/clock", post(advance))
        .route("/test/carrier", get(heard))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

/// Lets time pass for the meter.
async fn advance(
    State(app): State<App>,
    Json(asked): Json<Advance>,
) -> Result<StatusCode, AppError> {
    if asked.advance_ms > ADVANCE_MS_MAX {
        return Err(AppError::invalid(format!(
            "advance_ms is {}; at most {ADVANCE_MS_MAX}",
            asked.advance_ms
        )));
    }
    app.live()?
        .money
        .advance(Duration::from_millis(asked.advance_ms));
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Heard {
    calls: Vec<HeardShown>,
}

/// One call as the pretend network heard it.
#[derive(Serialize)]
struct HeardShown {
    number: String,
    caller_id: String,
    stage: &'static str,
    held: bool,
    encrypted: bool,
    packets: u64,
    frequency_hz: Option<f32>,
    level_dbfs: f32,
    silent: bool,
    music: bool,
    digits: String,
}

async fn heard(State(app): State<App>) -> Result<Json<Heard>, AppError> {
    let carrier = app.live()?.carrier.as_ref();
    let carrier = carrier.ok_or(AppError::NotFound(
        "Calls do not go to the pretend network here.",
    ))?;
    let calls = carrier.report().calls.iter().map(shown).collect();
    Ok(Json(Heard { calls }))
}

fn shown(call: &HeardCall) -> HeardShown {
    HeardShown {
        number: call.number.clone(),
        caller_id: call.caller_id.clone(),
        stage: match call.stage {
            Stage::Ringing => "ringing",
            Stage::Early => "early",
            Stage::Talking => "talking",
            Stage::Ended => "ended",
        },
        held: call.held,
        encrypted: call.encrypted,
        packets: call.packets,
        frequency_hz: call.sound.frequency_hz,
        level_dbfs: call.sound.level_dbfs,
        silent: call.sound.is_silence(),
        music: call.sound.music,
        digits: call.digits.clone(),
    }
}
