//! Dates and times as people read them, in a zone.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Returns a moment in a zone; moments outside of jiff's years fall to 1970.
pub fn zoned(ms: i64, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(zone.clone())
}

/// Returns the zone of that IANA name, or UTC when there is none such.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// Returns the unix milliseconds of a local date and time. A time that a clock change skips becomes the one after, as jiff does.
pub fn at(date: Date, time: Time, zone: &TimeZone) -> Option<i64> {
    DateTime::from_parts(date, time)
        .to_zoned(zone.clone())
        .ok()
        .map(|z| z.timestamp().as_millisecond())
}

/// `10:00`, as calendars write it.
pub fn clock(z: &Zoned) -> String {
    z.strftime("%-H:%M").to_string()
}

/// `24 Nov 2026 9:00:05`, as records have it.
pub fn second(unix_ms: i64, zone: &TimeZone) -> String {
    zoned(unix_ms, zone)
        .strftime("%-d %b %Y %-H:%M:%S")
        .to_string()
}

/// `Tue 24 Nov`.
pub fn day(date: Date) -> String {
    date.strftime("%a %-d %b").to_string()
}

/// `Tuesday 24 November`.
pub fn long_day(date: Date) -> String {
    date.strftime("%A %-d %B").to_string()
}

/// `Tuesday 24 November, 10:00`: how a page says when something is.
pub fn day_and_clock(z: &Zoned) -> String {
    format!("{}, {}", long_day(z.date()), clock(z))
}

/// `Tue 24 Nov, 10:00–10:50`.
pub fn range(starts: &Zoned, ends: &Zoned) -> String {
    format!("{}, {}–{}", day(starts.date()), clock(starts), clock(ends))
}

/// `starts in 9 min`, `in progress`, `ended 2 h ago`: where now stands towards an appointment.
pub fn standing(now_ms: i64, starts_ms: i64, ends_ms: i64) -> String {
    if now_ms < starts_ms {
        format!("starts in {}", span(starts_ms - now_ms))
    } else if now_ms < ends_ms {
        format!("began {} ago", span(now_ms - starts_ms))
    } else {
        format!("ended {} ago", span(now_ms - ends_ms))
    }
}

/// `less than a minute`, `9 min`, `2 h 5 min`, `3 days`.
pub fn span(ms: i64) -> String {
    let minutes = ms.max(0).div_euclid(60_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) if hours < 48 => format!("{hours} h"),
        (hours, minutes) if hours < 48 => format!("{hours} h {minutes} min"),
        (hours, _) => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_words() {
        for (ms, words) in [
            (59_999, "less than a minute"),
            (540_000, "9 min"),
            (7_500_000, "2 h 5 min"),
            (7_200_000, "2 h"),
            (259_200_000, "3 days"),
            (-5, "less than a minute"),
        ] {
            assert_eq!(span(ms), words);
        }
    }

    #[test]
    fn moments_read_in_their_zone() {
        let sydney = zone("Australia/Sydney");
        let z = zoned(1_795_474_800_000, &sydney);
        assert_eq!(at(z.date(), z.time(), &sydney), Some(1_795_474_800_000));
        assert_eq!(
            range(&z, &zoned(1_795_474_800_000 + 3_000_000, &sydney)),
            "Tue 24 Nov, 10:00–10:50"
        );
        assert_eq!(zone("No/Where"), TimeZone::UTC);
    }

    #[test]
    fn daylight_saving_does_not_lose_an_hour() {
        let sydney = zone("Australia/Sydney");
        let before: Date = "2026-10-03".parse().unwrap();
        let after = before.tomorrow().unwrap();
        let nine: Time = "09:00".parse().unwrap();
        assert_eq!(
            at(after, nine, &sydney).unwrap() - at(before, nine, &sydney).unwrap(),
            23 * 3_600_000
        );
        assert!(
            at(after, "02:30".parse().unwrap(), &sydney).is_some(),
            "a time that is skipped"
        );
    }
}
