//! Who may ring whom, and from which number (P1, P2, P6).

use housecall::{Country, DialRefused, DialRequest, Number};

use super::message::DialAsked;
use crate::appointments;
use crate::error::AppError;
use crate::ids::{AppointmentId, Person, PhoneNumberId, UserId};
use crate::money;
use crate::numbers;
use crate::people;
use crate::sign_in::Staff;
use crate::state::App;

/// Returns the name by which engine and records know a member of staff.
pub(crate) fn user_ref(user: UserId) -> String {
    format!("user:{user}")
}

/// Returns the name by which engine and records know an appointment.
pub(crate) fn appointment_ref(appointment: AppointmentId) -> String {
    format!("appointment:{appointment}")
}

/// Returns what the engine needs to ring whom the panel asks for; the page's word is taken for nothing but identities.
///
/// # Errors
/// Words for the person who clicked.
pub(super) async fn look_up(
    app: &App,
    staff: &Staff,
    asked: DialAsked,
) -> Result<DialRequest, String> {
    let person = Person::parse(&asked.person)
        .ok_or("this page asks for somebody who cannot be rung: reload it")?;
    let id = PhoneNumberId(asked.number_id);
    let found = people::number(&app.db, staff.practice, person, id)
        .await
        .map_err(database)?;
    let (_, number) =
        found.ok_or("this number is no longer in the address book: reload the page")?;
    let country = country_of(staff);
    let to = Number::parse(&number.number, country).map_err(|error| error.words())?;
    let from = caller_id(app, staff, asked.from.as_deref(), country).await?;
    let appointment = appointment_of(app, staff, asked.appointment).await?;
    let practitioner = appointment
        .as_ref()
        .map_or(staff.user, |(_, practitioner)| *practitioner);
    Ok(DialRequest {
        account: money::account(staff.practice),
        appointment: appointment.map(|(id, _)| appointment_ref(id)),
        practitioner: user_ref(practitioner),
        caller: user_ref(staff.user),
        recipient: person.to_string(),
        from,
        to,
        offer: asked.offer,
    })
}

/// Returns the country whose numbers are written without a prefix.
pub(crate) fn country_of(staff: &Staff) -> Country {
    Country::from_iso(&staff.country).unwrap_or(Country::Au)
}

/// P2: without an active dedicated number nobody is rung; a page may choose among those this person may use.
pub(super) async fn caller_id(
    app: &App,
    staff: &Staff,
    asked: Option<&str>,
    country: Country,
) -> Result<Number, String> {
    let mine = numbers::to_call_from(&app.db, staff)
        .await
        .map_err(database)?;
    let chosen = match asked {
        Some(asked) => mine.iter().find(|number| number.number == asked),
        None => mine.first(),
    };
    let chosen = chosen.ok_or("there is no active number to call from: ask your administrator")?;
    Number::parse(&chosen.number, country).map_err(|error| error.to_string())
}

async fn appointment_of(
    app: &App,
    staff: &Staff,
    asked: Option<i64>,
) -> Result<Option<(AppointmentId, UserId)>, String> {
    let Some(id) = asked.map(AppointmentId) else {
        return Ok(None);
    };
    let found = appointments::find(&app.db, staff.practice, id)
        .await
        .map_err(database)?;
    let appointment = found.ok_or("this appointment is not there any more: reload the page")?;
    Ok(Some((id, appointment.practitioner)))
}

/// Returns why nobody was rung, in words for a person.
pub(super) fn refusal(refused: DialRefused) -> String {
    match refused {
        DialRefused::Destination(refused) => refused.words(),
        refused => refused.to_string(),
    }
}

pub(super) fn database(error: AppError) -> String {
    tracing::error!(%error, "the address book could not be read");
    "the clinic's data could not be read, so nobody was rung: try again in a moment".to_owned()
}
