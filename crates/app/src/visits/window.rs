//! When people may come in (V5).

use jiff::tz::TimeZone;

use crate::appointments::Appointment;
use crate::config::Visits;
use crate::when;

const MINUTE_MS: i64 = 60_000;

/// The moments of one appointment that matter to its doors, unix milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// Patients may check in from here.
    pub check_in_ms: i64,
    /// The practitioner's Join appears from here.
    pub join_ms: i64,
    /// Nobody comes in after this.
    pub over_ms: i64,
    starts_ms: i64,
}

/// What a patient may do now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CheckIn {
    /// Not yet: the page counts down to `opens_ms` and lets them test their devices.
    TooEarly {
        /// When it opens, unix milliseconds.
        opens_ms: i64,
    },
    /// Come in.
    Open,
    /// The visit is over.
    Over,
}

/// What the practitioner may do now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Join {
    /// Not an appointment of today.
    NotToday {
        /// When Join will appear, unix milliseconds.
        opens_ms: i64,
    },
    /// Today, and early: *Start now* is offered and accepted.
    StartNow {
        /// When Join will appear, unix milliseconds.
        opens_ms: i64,
    },
    /// Join.
    Open,
    /// Too late.
    Over,
}

impl Window {
    /// Returns the window of an appointment.
    pub fn of(appointment: &Appointment, settings: &Visits) -> Self {
        let starts_ms = appointment.starts_ms;
        Self {
            check_in_ms: starts_ms - i64::from(settings.patient_minutes_before) * MINUTE_MS,
            join_ms: starts_ms - i64::from(settings.practitioner_minutes_before) * MINUTE_MS,
            over_ms: appointment.ends_ms + i64::from(settings.minutes_after) * MINUTE_MS,
            starts_ms,
        }
    }

    /// Returns what a patient may do at `now_ms`.
    pub fn check_in(&self, now_ms: i64) -> CheckIn {
        if now_ms >= self.over_ms {
            CheckIn::Over
        } else if now_ms < self.check_in_ms {
            CheckIn::TooEarly {
                opens_ms: self.check_in_ms,
            }
        } else {
            CheckIn::Open
        }
    }

    /// Returns what the practitioner may do at `now_ms`, where "today" is of `zone`.
    pub fn join(&self, now_ms: i64, zone: &TimeZone) -> Join {
        if now_ms >= self.over_ms {
            return Join::Over;
        }
        if now_ms >= self.join_ms {
            return Join::Open;
        }
        let today = when::zoned(now_ms, zone).date() == when::zoned(self.starts_ms, zone).date();
        if today {
            Join::StartNow {
                opens_ms: self.join_ms,
            }
        } else {
            Join::NotToday {
                opens_ms: self.join_ms,
            }
        }
    }
}

impl Join {
    /// True when the server lets the practitioner in.
    pub fn is_permitted(self) -> bool {
        matches!(self, Self::Open | Self::StartNow { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v5_doors_open_at_their_minute() {
        let hour = 3_600_000;
        let window = Window {
            check_in_ms: 20 * hour,
            join_ms: 20 * hour + 300_000,
            over_ms: 26 * hour,
            starts_ms: 20 * hour + 900_000,
        };
        assert_eq!(
            window.check_in(20 * hour - 1),
            CheckIn::TooEarly {
                opens_ms: 20 * hour
            }
        );
        assert_eq!(window.check_in(20 * hour), CheckIn::Open);
        assert_eq!(window.check_in(26 * hour), CheckIn::Over);
        let join = |now| window.join(now, &TimeZone::UTC);
        assert_eq!(
            join(-1),
            Join::NotToday {
                opens_ms: 20 * hour + 300_000
            }
        );
        assert_eq!(
            join(0),
            Join::StartNow {
                opens_ms: 20 * hour + 300_000
            }
        );
        assert_eq!(join(20 * hour + 300_000), Join::Open);
        assert_eq!(join(26 * hour), Join::Over);
        assert!(
            !join(-1).is_permitted() && join(0).is_permitted() && !join(26 * hour).is_permitted()
        );
    }
}
