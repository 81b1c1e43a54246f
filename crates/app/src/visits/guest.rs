//! Who a visit cookie belongs to, and whether their door is open (A1, A3).

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::appointments::{self, Appointment, Location, Participant};
use crate::error::AppError;
use crate::ids::{AppointmentId, PatientId, PracticeId};
use crate::state::App;
use crate::token::TokenHash;
use crate::visits::window::{CheckIn, Window};
use crate::{cookie, pass};

/// A patient with a good link to a visit that is still to be held. As a handler's argument, under a path with `{key}`, it lets nobody else in.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Whose patient.
    pub practice: PracticeId,
    /// The appointment, as it is now.
    pub appointment: Appointment,
    /// The patient's place in it.
    pub place: Participant,
    /// When doors open and close.
    pub window: Window,
    /// By which session they are let in.
    pub(crate) session: TokenHash,
}

/// What is behind a visit cookie.
#[derive(Clone, Debug)]
pub enum Door {
    /// A visit that can be held, now or later.
    Open(Box<Guest>),
    /// One that cannot, and why.
    Closed {
        /// Which practice to ask.
        practice: String,
        /// Why.
        why: Closed,
    },
    /// There is no good cookie: the link has to be opened.
    NoCookie,
}

/// Why a visit cannot be held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closed {
    /// The appointment is cancelled.
    Cancelled,
    /// It is in a room of the clinic now.
    InPerson,
    /// It is on the phone now.
    ByPhone,
    /// This patient is no longer booked.
    Removed,
    /// The practice made a new link.
    Replaced,
    /// It was long ago.
    Over,
}

impl Closed {
    /// Returns the headline.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cancelled => "This visit was cancelled",
            Self::InPerson => "This visit is at the clinic now",
            Self::ByPhone => "This visit is by phone now",
            Self::Removed => "This link no longer opens a visit",
            Self::Replaced => "There is a newer link for this visit",
            Self::Over => "This visit is over",
        }
    }

    /// Returns what it means and what to do.
    pub fn words(self) -> &'static str {
        match self {
            Self::Cancelled => {
                "Nothing is needed from you. If you did not expect this, please ring the practice."
            }
            Self::InPerson => {
                "It is not on video any more. Please come to the clinic at the time of your appointment, or ring the practice if you cannot."
            }
            Self::ByPhone => {
                "It is not on video any more. Keep your phone near you: the practice will ring you at the time of your appointment."
            }
            Self::Removed => {
                "The practice took it back. If you think you should be in this visit, please ring the practice."
            }
            Self::Replaced => {
                "Open the latest message from the practice and use the link in it. If you have none, please ring the practice."
            }
            Self::Over => {
                "Thank you for coming. For another appointment, please ring the practice."
            }
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    practice_id: PracticeId,
    practice_name: String,
    appointment_id: AppointmentId,
    patient_id: PatientId,
    revoked_why: Option<String>,
}

/// Returns what a request for the place `key` opens: by its cookie, or by the pass that another node gave.
///
/// # Errors
/// When the database refuses.
pub async fn door(app: &App, parts: &Parts, key: &str) -> Result<Door, AppError> {
    let Some(name) = cookie_name(app, key) else {
        return Ok(Door::NoCookie);
    };
    let Some(session) = pass::session_of(app, parts, &name).await? else {
        return Ok(Door::NoCookie);
    };
    let Some(row) = session_row(app, session, key).await? else {
        return Ok(Door::NoCookie);
    };
    let closed = |why| Door::Closed {
        practice: row.practice_name.clone(),
        why,
    };
    if let Some(why) = &row.revoked_why {
        return Ok(closed(if why == "replaced" {
            Closed::Replaced
        } else {
            Closed::Removed
        }));
    }
    let Some(appointment) =
        appointments::find(&app.db, row.practice_id, row.appointment_id).await?
    else {
        return Ok(closed(Closed::Removed));
    };
    let window = Window::of(&appointment, &app.config.visits);
    if let Some(why) = why_closed(&appointment, window.check_in(app.now_ms())) {
        return Ok(closed(why));
    }
    let Some(place) = appointment.place_of(row.patient_id).cloned() else {
        return Ok(closed(Closed::Removed));
    };
    Ok(Door::Open(Box::new(Guest {
        practice: row.practice_id,
        appointment,
        place,
        window,
        session,
    })))
}

async fn session_row(app: &App, session: TokenHash, key: &str) -> Result<Option<Row>, AppError> {
    let row = sqlx::query_as(
        "SELECT a.practice_id, p.name AS practice_name, l.appointment_id, l.patient_id, l.revoked_why
         FROM visit_sessions s JOIN visit_links l ON l.token_hash = s.link_hash
         JOIN appointments a ON a.id = l.appointment_id JOIN practices p ON p.id = a.practice_id
         WHERE s.token_hash = $1 AND s.expires_ms > $2 AND l.visit_key = $3",
    )
    .bind(session.bytes().to_vec())
    .bind(app.now_ms())
    .bind(key)
    .fetch_optional(&app.db)
    .await?;
    Ok(row)
}

/// Each place has a cookie of its own, so that two visits in one browser do not mix. None when `key` cannot be one.
pub fn cookie_name(app: &App, key: &str) -> Option<String> {
    let plain = key.len() == 16 && key.bytes().all(|b| b.is_ascii_hexdigit());
    plain.then(|| cookie::name(&format!("visit-{key}"), app.config.server.is_https()))
}

fn why_closed(appointment: &Appointment, now: CheckIn) -> Option<Closed> {
    if appointment.cancelled {
        return Some(Closed::Cancelled);
    }
    match appointment.location {
        Location::InPerson(_) => Some(Closed::InPerson),
        Location::Phone => Some(Closed::ByPhone),
        Location::Telehealth => (now == CheckIn::Over).then_some(Closed::Over),
    }
}

impl FromRequestParts<App> for Guest {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|e| AppError::invalid(e.to_string()))?;
        let key = params
            .iter()
            .find(|(name, _)| *name == "key")
            .map_or_else(String::new, |(_, value)| value.to_owned());
        match door(app, parts, &key).await? {
            Door::Open(guest) => Ok(*guest),
            Door::Closed { why, .. } => Err(AppError::NotPermitted(why.words())),
            Door::NoCookie => Err(AppError::SignInNeeded { next: None }),
        }
    }
}
