//! What stands beside the calendar: one appointment, its people, its links, its price, its notes.

use jiff::civil::Date;

use crate::appointments::notes::{self, Note};
use crate::appointments::{self, Appointment, Location, Participant};
use crate::error::AppError;
use crate::ids::{AppointmentId, PatientId, Person};
use crate::money::{self, EstimateWords};
use crate::people::{self, PhoneNumber};
use crate::sign_in::Staff;
use crate::state::App;
use crate::visits::window::{Join, Window};
use crate::{page, when};

/// One appointment, in words.
pub struct Panel {
    pub(super) id: AppointmentId,
    pub(super) date: Date,
    pub(super) when: String,
    pub(super) zone: String,
    pub(super) standing: String,
    pub(super) practitioner: String,
    pub(super) title: String,
    pub(super) class: &'static str,
    pub(super) icon: &'static str,
    pub(super) place: String,
    pub(super) cancelled: bool,
    pub(super) is_phone: bool,
    pub(super) is_video: bool,
    pub(super) people: Vec<PanelPerson>,
    pub(super) places_left: usize,
    pub(super) estimate: Option<EstimateWords>,
    pub(super) door: Option<Doorway>,
    pub(super) notes: Option<Vec<Note>>,
    pub(super) may_write_notes: bool,
}

/// A patient of the appointment.
pub(super) struct PanelPerson {
    pub(super) patient: PatientId,
    pub(super) person: String,
    pub(super) name: String,
    pub(super) initials: String,
    pub(super) path: String,
    pub(super) numbers: Vec<PhoneNumber>,
    pub(super) link: LinkState,
    /// A link that was made just now; it can be shown this once.
    pub(super) issued: Option<String>,
}

/// What became of a patient's link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LinkState(String);

impl LinkState {
    pub(super) fn words(&self) -> &str {
        &self.0
    }
}

/// The way into the practitioner's waiting room, for the booked practitioner (A1).
pub(super) struct Doorway {
    pub(super) is_open: bool,
    pub(super) words: String,
}

/// Returns the panel of an appointment, or none when there is no such appointment in this practice.
///
/// # Errors
/// When the database refuses.
pub async fn find(
    app: &App,
    staff: &Staff,
    id: AppointmentId,
    issued: Option<(PatientId, String)>,
) -> Result<Option<Panel>, AppError> {
    let Some(appointment) = appointments::find(&app.db, staff.practice, id).await? else {
        return Ok(None);
    };
    let mut people = Vec::with_capacity(3);
    for place in appointment.participants() {
        let issued = issued
            .as_ref()
            .filter(|(patient, _)| *patient == place.patient)
            .map(|(_, link)| link.clone());
        people.push(person(app, staff, &appointment, place, issued).await?);
    }
    let notes = if staff.is_practitioner() && appointment.location == Location::Phone {
        Some(notes::of(app, staff, id).await?)
    } else {
        None
    };
    Ok(Some(panel(app, staff, &appointment, people, notes)))
}

fn panel(
    app: &App,
    staff: &Staff,
    a: &Appointment,
    people: Vec<PanelPerson>,
    notes: Option<Vec<Note>>,
) -> Panel {
    let (starts, ends) = (
        when::zoned(a.starts_ms, &staff.zone),
        when::zoned(a.ends_ms, &staff.zone),
    );
    let held = !a.cancelled;
    Panel {
        id: a.id,
        date: starts.date(),
        when: when::range(&starts, &ends),
        zone: staff.zone.iana_name().unwrap_or("UTC").to_owned(),
        standing: if a.cancelled {
            "cancelled".to_owned()
        } else {
            when::standing(app.now_ms(), a.starts_ms, a.ends_ms)
        },
        practitioner: a.practitioner_name.clone(),
        title: a.title.clone(),
        class: a.location.class(),
        icon: match a.location {
            Location::Telehealth => "video",
            Location::Phone => "phone",
            Location::InPerson(_) => "person",
        },
        place: a.location.words().to_owned(),
        cancelled: a.cancelled,
        is_phone: held && a.location == Location::Phone,
        is_video: held && a.location == Location::Telehealth,
        places_left: 3_usize.saturating_sub(people.len()),
        people,
        estimate: (held && a.location == Location::Telehealth)
            .then(|| money::estimate(app, a))
            .flatten(),
        door: (held && a.location == Location::Telehealth && a.practitioner == staff.user)
            .then(|| doorway(app, staff, a)),
        may_write_notes: a.practitioner == staff.user,
        notes,
    }
}

fn doorway(app: &App, staff: &Staff, a: &Appointment) -> Doorway {
    let now = app.now_ms();
    let opens = |ms: i64| when::day_and_clock(&when::zoned(ms, &staff.zone));
    match Window::of(a, &app.config.visits).join(now, &staff.zone) {
        Join::Open => Doorway {
            is_open: true,
            words: String::new(),
        },
        Join::StartNow { opens_ms } => Doorway {
            is_open: true,
            words: format!(
                "Join appears in {}; you may also start early.",
                when::span(opens_ms - now)
            ),
        },
        Join::NotToday { opens_ms } => Doorway {
            is_open: false,
            words: format!("The waiting room opens on {}.", opens(opens_ms)),
        },
        Join::Over => Doorway {
            is_open: false,
            words: "This appointment is over.".to_owned(),
        },
    }
}

async fn person(
    app: &App,
    staff: &Staff,
    a: &Appointment,
    place: &Participant,
    issued: Option<String>,
) -> Result<PanelPerson, AppError> {
    let who = Person::Patient(place.patient);
    let profile = people::find(&app.db, staff.practice, who).await?;
    Ok(PanelPerson {
        patient: place.patient,
        person: who.to_string(),
        name: place.name.clone(),
        initials: page::initials(&place.name),
        path: people::path(who),
        numbers: profile.map(|profile| profile.numbers).unwrap_or_default(),
        link: link_state(app, staff, a, place).await?,
        issued,
    })
}

async fn link_state(
    app: &App,
    staff: &Staff,
    a: &Appointment,
    place: &Participant,
) -> Result<LinkState, AppError> {
    let (made, opened): (i64, Option<i64>) = sqlx::query_as(
        "SELECT COUNT(*), MAX(opened_ms) FROM visit_links WHERE appointment_id = $1 AND patient_id = $2 AND revoked_ms IS NULL",
    )
    .bind(a.id)
    .bind(place.patient)
    .fetch_one(&app.db)
    .await?;
    Ok(LinkState(match (made, opened) {
        (0, _) => "No link given out yet".to_owned(),
        (_, None) => "Link given out, not opened yet".to_owned(),
        (_, Some(opened)) => {
            let opened = when::zoned(opened, &staff.zone);
            format!(
                "Link opened {}, {}",
                when::day(opened.date()),
                when::clock(&opened)
            )
        }
    }))
}
