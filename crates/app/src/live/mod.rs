//! The living pages: a visit page and a call panel speak with the engine over WebSockets.

mod call_socket;
pub(crate) mod directory;
mod line;
mod message;
mod money_clock;
pub mod music;
pub mod roots;
mod start;
mod test_bench;
pub mod trunk;
mod visit_socket;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use housecall::{PatientSeat, Seat, Visit, VisitPlan};

use self::visit_socket::Attendant;
use crate::appointments::{self, Appointment, Location};
use crate::error::AppError;
use crate::ids::{AppointmentId, Person, PracticeId};
use crate::money;
use crate::sign_in::Staff;
use crate::state::App;
use crate::visits::{Guest, Join, Window};

pub use money_clock::MoneyClock;
pub use start::{Live, LiveError};

/// The sockets of the living pages; the test bench's endpoints too, where the configuration asks for them.
pub fn router(with_test_bench: bool) -> Router<App> {
    let router = Router::new()
        .route("/visit/{key}/socket", get(patient_socket))
        .route("/appointments/{id}/visit/socket", get(practitioner_socket))
        .route("/calls/socket", get(call_socket));
    if with_test_bench {
        router.merge(test_bench::router())
    } else {
        router
    }
}

/// A patient's page.
async fn patient_socket(
    State(app): State<App>,
    guest: Guest,
    upgrade: WebSocketUpgrade,
) -> Result<Response, AppError> {
    let seat = patient_seat(guest.place.seat).ok_or(AppError::NotPermitted(
        "This seat is not one of the visit's.",
    ))?;
    let attendant = attendant(Seat::Patient(seat), &guest.appointment);
    if let Some(words) = over(&app, guest.practice, &guest.appointment).await? {
        return Ok(line::bounded(upgrade)
            .on_upgrade(move |socket| visit_socket::show_over(socket, attendant, words)));
    }
    open(app, upgrade, guest.practice, &guest.appointment, attendant).await
}

/// Returns how the visit ended when it was held and is not open: a patient who comes then is told, and waits for nobody.
async fn over(
    app: &App,
    practice: PracticeId,
    appointment: &Appointment,
) -> Result<Option<String>, AppError> {
    let name = directory::appointment_ref(appointment.id);
    if app.live()?.engine.find_visit(&name).await.is_some() {
        return Ok(None);
    }
    let words = app
        .store
        .last_visit_words(&money::account(practice), &name)
        .await;
    words.map_err(|error| AppError::Internal(error.to_string()))
}

/// The booked practitioner's page; nobody else opens the room (A1).
async fn practitioner_socket(
    State(app): State<App>,
    staff: Staff,
    Path(id): Path<AppointmentId>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, AppError> {
    let appointment = appointments::find(&app.db, staff.practice, id).await?;
    let appointment = appointment.ok_or(AppError::NotFound("There is no such appointment."))?;
    may_hold(&app, &staff, &appointment)?;
    let attendant = attendant(Seat::Practitioner, &appointment);
    open(app, upgrade, staff.practice, &appointment, attendant).await
}

fn may_hold(app: &App, staff: &Staff, appointment: &Appointment) -> Result<(), AppError> {
    if !staff.is_practitioner() || staff.user != appointment.practitioner {
        return Err(AppError::NotPermitted(
            "Only the booked practitioner can hold this consultation.",
        ));
    }
    if appointment.cancelled || appointment.location != Location::Telehealth {
        return Err(AppError::NotPermitted(
            "This appointment is not a video consultation any more.",
        ));
    }
    let window = Window::of(appointment, &app.config.visits);
    match window.join(app.now_ms(), &appointment.zone) {
        Join::Open | Join::StartNow { .. } => Ok(()),
        Join::NotToday { .. } => Err(AppError::NotPermitted("This consultation is not today.")),
        Join::Over => Err(AppError::NotPermitted(
            "The time of this consultation is over.",
        )),
    }
}

async fn open(
    app: App,
    upgrade: WebSocketUpgrade,
    practice: PracticeId,
    appointment: &Appointment,
    attendant: Attendant,
) -> Result<Response, AppError> {
    let live = app.live()?;
    let visit = visit_of(&app, live, practice, appointment).await?;
    let clock = live.money.clone();
    Ok(line::bounded(upgrade)
        .on_upgrade(move |socket| visit_socket::converse(socket, visit, attendant, clock)))
}

async fn visit_of(
    app: &App,
    live: &Live,
    practice: PracticeId,
    appointment: &Appointment,
) -> Result<Visit, AppError> {
    let plan = VisitPlan {
        tariff: app.config.visits.tariff.into(),
        account: money::account(practice),
        appointment: directory::appointment_ref(appointment.id),
        practitioner: directory::user_ref(appointment.practitioner),
        patients: appointment.patients.each_ref().map(|place| {
            place
                .as_ref()
                .map(|place| Person::Patient(place.patient).to_string())
        }),
    };
    live.engine.visit(plan).await.map_err(|error| {
        tracing::error!(%error, "no room could be opened");
        AppError::Unavailable
    })
}

fn attendant(seat: Seat, appointment: &Appointment) -> Attendant {
    Attendant {
        seat,
        practitioner_name: appointment.practitioner_name.clone(),
        patient_names: appointment
            .patients
            .each_ref()
            .map(|place| place.as_ref().map(|place| place.name.clone())),
    }
}

fn patient_seat(seat: u8) -> Option<PatientSeat> {
    PatientSeat::ALL
        .into_iter()
        .zip(1u8..)
        .find_map(|(place, number)| (number == seat).then_some(place))
}

/// The panel of a call, on any page of the staff.
async fn call_socket(
    State(app): State<App>,
    staff: Staff,
    upgrade: WebSocketUpgrade,
) -> Result<Response, AppError> {
    let live = app.live()?.clone();
    Ok(line::bounded(upgrade)
        .on_upgrade(move |socket| call_socket::converse(socket, app, live, staff)))
}
