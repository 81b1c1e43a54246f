//! Lays a week out: which days, which hours, and which appointments stand beside each other.
//!
//! Positions become classes (`h-9 m-20 for-50 lane-1-of-2`, see web/css/calendar-times.css), since pages carry no inline styles.

use jiff::civil::Date;
use jiff::{ToSpan, Zoned};

use crate::appointments::Appointment;
use crate::ids::AppointmentId;
use crate::when;

/// The hours that are always shown.
const OPENS: i8 = 8;
const CLOSES: i8 = 18;
/// Shorter appointments have room for one line only.
const TWO_LINES_MINUTES: i64 = 45;
/// The style sheet knows columns for so many appointments at once, and lengths up to so many minutes.
const LANES_MAX: usize = 4;
const MINUTES_MAX: i64 = 240;

/// A week as it is drawn.
pub(super) struct Week {
    pub(super) first_hour: i8,
    pub(super) span: i8,
    pub(super) days: Vec<Day>,
}

/// One column.
pub(super) struct Day {
    pub(super) name: String,
    pub(super) weekday: String,
    pub(super) number: i8,
    pub(super) date: String,
    pub(super) is_today: bool,
    pub(super) is_chosen: bool,
    /// Classes of the line that marks now, on today.
    pub(super) now: Option<String>,
    pub(super) entries: Vec<Slot>,
}

/// One appointment in its column.
pub(super) struct Slot {
    pub(super) id: AppointmentId,
    pub(super) classes: String,
    pub(super) names: String,
    pub(super) place: String,
    pub(super) clock: String,
    pub(super) spoken: String,
    pub(super) is_open: bool,
}

/// Lays out the week that begins at `monday`.
pub(super) fn lay_out(
    monday: Date,
    chosen: Date,
    booked: &[Appointment],
    now: &Zoned,
    open: Option<AppointmentId>,
) -> Week {
    let all: Vec<Local<'_>> = booked.iter().map(|a| Local::new(a, now)).collect();
    let first_hour = all
        .iter()
        .map(|a| a.starts.hour())
        .chain(now_hour(monday, now))
        .fold(OPENS, i8::min)
        .min(12);
    let last_hour = all
        .iter()
        .map(Local::last_hour)
        .chain(now_hour(monday, now).map(|hour| hour + 1))
        .fold(CLOSES, i8::max);
    let weekend =
        |date: Date| all.iter().any(|a| a.date() == date) || now.date() == date || chosen == date;
    let dates: Vec<Date> = (0..7).map(|n| super::plus(monday, n.days())).collect();
    let seven = dates.iter().skip(5).any(|date| weekend(*date));
    let days = dates.into_iter().take(if seven { 7 } else { 5 });
    Week {
        first_hour,
        span: (last_hour - first_hour).max(4),
        days: days
            .map(|date| day(date, chosen, &all, now, open))
            .collect(),
    }
}

fn now_hour(monday: Date, now: &Zoned) -> Option<i8> {
    let in_week = now.date() >= monday && now.date() < super::plus(monday, 7.days());
    in_week.then(|| now.hour())
}

fn day(
    date: Date,
    chosen: Date,
    all: &[Local<'_>],
    now: &Zoned,
    open: Option<AppointmentId>,
) -> Day {
    let of_day: Vec<&Local<'_>> = all.iter().filter(|a| a.date() == date).collect();
    let lanes = lanes(&of_day);
    let is_today = now.date() == date;
    Day {
        name: date.strftime("%a %-d").to_string(),
        weekday: date.strftime("%a").to_string(),
        number: date.day(),
        date: date.to_string(),
        is_today,
        is_chosen: chosen == date,
        now: is_today.then(|| format!("h-{} m-{}", now.hour(), now.minute())),
        entries: of_day
            .iter()
            .zip(lanes)
            .map(|(a, lane)| a.slot(&lane, now, open))
            .collect(),
    }
}

/// An appointment in the viewer's zone.
struct Local<'a> {
    appointment: &'a Appointment,
    starts: Zoned,
    ends: Zoned,
}

impl<'a> Local<'a> {
    fn new(appointment: &'a Appointment, now: &Zoned) -> Self {
        let zone = now.time_zone();
        Self {
            appointment,
            starts: when::zoned(appointment.starts_ms, zone),
            ends: when::zoned(appointment.ends_ms, zone),
        }
    }

    fn date(&self) -> Date {
        self.starts.date()
    }

    /// The hour line at or after the end; midnight when it runs into the next day.
    fn last_hour(&self) -> i8 {
        if self.ends.date() != self.date() {
            return 24;
        }
        self.ends.hour() + i8::from(self.ends.minute() > 0)
    }

    /// How long it is drawn: to the next five minutes, within its day.
    fn drawn_minutes(&self) -> i64 {
        let minutes = i64::try_from(self.appointment.minutes()).unwrap_or(MINUTES_MAX);
        let of_day = 24 * 60 - i64::from(self.starts.hour()) * 60 - i64::from(self.starts.minute());
        ((minutes.min(of_day) + 4) / 5 * 5).clamp(5, MINUTES_MAX)
    }

    fn slot(&self, lane: &str, now: &Zoned, open: Option<AppointmentId>) -> Slot {
        let a = self.appointment;
        let standing = match () {
            () if a.cancelled => " cancelled",
            () if self.ends < *now => " past",
            () => "",
        };
        let clock = when::clock(&self.starts);
        let brief = if self.drawn_minutes() < TWO_LINES_MINUTES {
            " brief"
        } else {
            ""
        };
        let cancelled = if a.cancelled { ", cancelled" } else { "" };
        Slot {
            id: a.id,
            classes: format!(
                "{} h-{} m-{} for-{}{brief}{lane}{standing}",
                a.location.class(),
                self.starts.hour(),
                self.starts.minute(),
                self.drawn_minutes()
            ),
            names: a.short_names(),
            place: a.location.short().to_owned(),
            spoken: format!("{clock}, {}, {}{cancelled}", a.names(), a.location.words()),
            clock,
            is_open: open == Some(a.id),
        }
    }
}

/// Gives each appointment of a day, by start, the class of its lane: appointments that overlap, directly or through others, share the width.
fn lanes(day: &[&Local<'_>]) -> Vec<String> {
    let mut classes = Vec::with_capacity(day.len());
    let mut rest = day;
    while !rest.is_empty() {
        let length = cluster_length(rest);
        let (cluster, after) = rest.split_at(length);
        classes.extend(lanes_of_cluster(cluster));
        rest = after;
    }
    classes
}

fn cluster_length(day: &[&Local<'_>]) -> usize {
    let mut until = i64::MIN;
    let apart = day.iter().enumerate().position(|(index, a)| {
        let apart = index > 0 && a.appointment.starts_ms >= until;
        until = until.max(a.appointment.ends_ms);
        apart
    });
    apart.unwrap_or(day.len())
}

fn lanes_of_cluster(cluster: &[&Local<'_>]) -> Vec<String> {
    let mut ends: Vec<i64> = Vec::new();
    let mut places = Vec::with_capacity(cluster.len());
    for a in cluster {
        let free = ends
            .iter()
            .position(|end| *end <= a.appointment.starts_ms)
            .unwrap_or(ends.len());
        match ends.get_mut(free) {
            Some(end) => *end = a.appointment.ends_ms,
            None => ends.push(a.appointment.ends_ms),
        }
        places.push(free);
    }
    let count = ends.len().min(LANES_MAX);
    places
        .into_iter()
        .map(|place| {
            if count < 2 {
                String::new()
            } else {
                format!(" lane-{}-of-{count}", place.min(count - 1) + 1)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appointments::Location;
    use crate::ids::UserId;

    /// An appointment of Tuesday 24 November 2026 in Sydney, from and to minutes of the day.
    fn booked(id: i64, from: i64, to: i64) -> Appointment {
        let midnight = 1_795_474_800_000 - 10 * 3_600_000;
        Appointment {
            id: AppointmentId(id),
            practitioner: UserId(1),
            practitioner_name: "Dr Dana Reed".to_owned(),
            starts_ms: midnight + from * 60_000,
            ends_ms: midnight + to * 60_000,
            zone: when::zone("Australia/Sydney"),
            zone_name: "Australia/Sydney".to_owned(),
            location: Location::Telehealth,
            title: String::new(),
            cancelled: false,
            patients: [None, None, None],
        }
    }

    fn classes(booked: &[Appointment]) -> Vec<String> {
        let now = when::zoned(1_795_474_800_000, &when::zone("Australia/Sydney"));
        let monday: Date = "2026-11-23".parse().unwrap();
        let week = lay_out(monday, now.date(), booked, &now, None);
        assert_eq!(week.days.len(), 5);
        week.days[1]
            .entries
            .iter()
            .map(|entry| entry.classes.clone())
            .collect()
    }

    #[test]
    fn times_are_classes() {
        assert_eq!(classes(&[booked(1, 560, 612)]), ["video h-9 m-20 for-55"]);
        assert_eq!(
            classes(&[booked(1, 540, 570)]),
            ["video h-9 m-0 for-30 brief past"]
        );
    }

    #[test]
    fn what_overlaps_stands_side_by_side() {
        let lanes: Vec<String> = classes(&[
            booked(1, 660, 720),
            booked(2, 690, 750),
            booked(3, 720, 780),
            booked(4, 780, 800),
        ]);
        let lanes: Vec<&str> = lanes
            .iter()
            .map(|c| c.split_once("lane").map_or("", |(_, lane)| lane))
            .collect();
        assert_eq!(lanes, ["-1-of-2", "-2-of-2", "-1-of-2", ""]);
        let five: Vec<Appointment> = (1..=5).map(|id| booked(id, 660, 720)).collect();
        assert!(
            classes(&five)[4].ends_with("lane-4-of-4"),
            "more than four share the last lane"
        );
    }

    #[test]
    fn early_and_late_appointments_widen_the_day() {
        let now = when::zoned(1_795_474_800_000, &when::zone("Australia/Sydney"));
        let week = lay_out(
            "2026-11-23".parse().unwrap(),
            now.date(),
            &[booked(1, 300, 330), booked(2, 1_410, 1_500)],
            &now,
            None,
        );
        assert_eq!((week.first_hour, week.span), (5, 19));
    }
}
