//! The living pages: a visit page and a call panel speak with the engine over WebSockets.

mod by_phone;
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
mod way;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use housecall::{PatientSeat, Seat};

use self::visit_socket::Attendant;
use self::way::Comer;
use crate::appointments::{self, Appointment, Location};
use crate::error::AppError;
use crate::ids::AppointmentId;
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
    let comer = Comer {
        practice: guest.practice,
        attendant: attendant(Seat::Patient(seat), &guest.appointment),
        session: guest.session,
        staff: None,
        path: format!("/visit/{}/socket", guest.place.visit_key),
        appointment: guest.appointment,
    };
    open(app, upgrade, comer)
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
    let comer = Comer {
        practice: staff.practice,
        attendant: attendant(Seat::Practitioner, &appointment),
        session: staff.session,
        path: format!("/appointments/{id}/visit/socket"),
        staff: Some(staff),
        appointment,
    };
    open(app, upgrade, comer)
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

fn open(app: App, upgrade: WebSocketUpgrade, comer: Comer) -> Result<Response, AppError> {
    // Without an engine there is no use in a line.
    app.live()?;
    Ok(line::bounded(upgrade).on_upgrade(move |socket| way::bring(socket, app, comer)))
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
