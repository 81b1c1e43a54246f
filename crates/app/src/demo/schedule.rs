//! The demonstration's appointments: some around now, others across the week.

use jiff::civil::Time;
use jiff::{SignedDuration, ToSpan};

use super::{ZONE, by_nobody};
use crate::appointments::{self, Booked, Draft, Location};
use crate::error::AppError;
use crate::ids::{PatientId, PracticeId, UserId};
use crate::state::App;
use crate::when;

const MINUTE_MS: i64 = 60_000;
/// "Around now" begins this long ago and ends this far ahead.
pub(super) const PAST_MS: i64 = 30 * MINUTE_MS;
pub(super) const SOON_MS: i64 = 90 * MINUTE_MS;

/// Where one of the demonstration's appointments takes place.
#[derive(Clone, Copy)]
enum Place {
    Video,
    Phone,
    Room(&'static str),
}

/// Around now: minutes from now (to the next five), length, place, title, who.
const AROUND_NOW: [(i64, i64, Place, &str, &[&str]); 4] = [
    (-20, 20, Place::Phone, "Results", &["Ivy Tran"]),
    (
        0,
        30,
        Place::Video,
        "Family consultation",
        &["Linh Nguyen", "Bao Nguyen", "Mai Nguyen"],
    ),
    (5, 20, Place::Video, "Review", &["Sam Okafor"]),
    (35, 20, Place::Phone, "Repeat prescription", &["Lee Park"]),
];

/// A booking of the week: day from Monday, then when, for how long, where, and who.
struct OfWeek(i64, (i8, i8), i64, Place, &'static [&'static str]);

const WEEK: [OfWeek; 10] = [
    OfWeek(0, (9, 30), 45, Place::Room("Room 2"), &["Jo Marsh"]),
    OfWeek(0, (12, 0), 45, Place::Video, &["Ana Ruiz"]),
    OfWeek(1, (10, 0), 50, Place::Video, &["Sam Okafor", "Ruth Okafor"]),
    OfWeek(1, (14, 0), 55, Place::Room("Room 1"), &["Mia Chen"]),
    OfWeek(2, (9, 15), 45, Place::Phone, &["Pat Doyle"]),
    OfWeek(
        2,
        (13, 0),
        45,
        Place::Video,
        &["Linh Nguyen", "Bao Nguyen", "Mai Nguyen"],
    ),
    OfWeek(3, (11, 0), 45, Place::Video, &["Kim Alvar"]),
    OfWeek(3, (15, 30), 20, Place::Phone, &["Mia Chen"]),
    OfWeek(4, (10, 30), 45, Place::Room("Room 2"), &["Theo Blake"]),
    OfWeek(4, (15, 0), 45, Place::Phone, &["Ana Ruiz"]),
];

/// Books what is missing: the week, if it is empty, and something around now, if there is nothing.
pub(super) async fn book_around_now(
    app: &App,
    practice: PracticeId,
    practitioner: UserId,
) -> Result<(), AppError> {
    let now = when::zoned(app.now_ms(), &when::zone(ZONE));
    let since_monday = i64::from(now.date().weekday().to_monday_zero_offset());
    let monday = now.date().saturating_add(-since_monday.days());
    let at = |date| when::at(date, Time::midnight(), now.time_zone()).unwrap_or(0);
    let (from, to) = (at(monday), at(monday.saturating_add(7.days())));
    if appointments::between(&app.db, practice, from, to)
        .await?
        .is_empty()
    {
        for OfWeek(day, (hour, minute), minutes, place, names) in WEEK {
            let since =
                SignedDuration::from_hours(hour.into()) + SignedDuration::from_mins(minute.into());
            let starts_ms = at(monday.saturating_add(day.days()))
                + i64::try_from(since.as_millis()).unwrap_or(0);
            book(
                app,
                practice,
                practitioner,
                (starts_ms, minutes),
                place,
                "",
                names,
            )
            .await?;
        }
    }
    if super::soon(app, practice)
        .await?
        .iter()
        .all(|a| a.title.is_empty())
    {
        let five = 5 * MINUTE_MS;
        let soon = (app.now_ms() + five - 1).div_euclid(five) * five;
        for (minutes_ahead, minutes, place, title, names) in AROUND_NOW {
            let starts_ms = soon + minutes_ahead * MINUTE_MS;
            book(
                app,
                practice,
                practitioner,
                (starts_ms, minutes),
                place,
                title,
                names,
            )
            .await?;
        }
    }
    Ok(())
}

async fn book(
    app: &App,
    practice: PracticeId,
    practitioner: UserId,
    (starts_ms, minutes): (i64, i64),
    place: Place,
    title: &str,
    names: &[&str],
) -> Result<(), AppError> {
    let mut patients = Vec::with_capacity(names.len());
    for name in names {
        let select = "SELECT id FROM patients WHERE practice_id = $1 AND name = $2 LIMIT 1";
        let found: Option<PatientId> = sqlx::query_scalar(select)
            .bind(practice)
            .bind(*name)
            .fetch_optional(&app.db)
            .await?;
        patients.extend(found);
    }
    let draft = Draft {
        practitioner,
        starts_ms,
        ends_ms: starts_ms + minutes * MINUTE_MS,
        zone_name: ZONE.to_owned(),
        location: match place {
            Place::Video => Location::Telehealth,
            Place::Phone => Location::Phone,
            Place::Room(room) => Location::InPerson(room.to_owned()),
        },
        title: title.to_owned(),
        patients: Booked::seat(patients)
            .map_err(|refused| AppError::invalid(refused.to_string()))?,
    };
    appointments::table::book(&app.store, &by_nobody(app, practice), &draft).await?;
    Ok(())
}
