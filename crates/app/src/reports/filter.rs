//! What a report is asked for. Whatever makes no sense counts as not asked, and the form shows it so.

use housecall::ports::WallMillis;
use jiff::ToSpan;
use jiff::civil::{Date, Time};
use serde::Deserialize;

use crate::sign_in::Staff;
use crate::when;

/// The fields of a report's form, as they stand in its address.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    pub(super) practitioner: String,
    #[serde(default)]
    pub(super) caller: String,
    #[serde(default)]
    pub(super) recipient: String,
    #[serde(default)]
    pub(super) number: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) minimum: String,
    #[serde(default)]
    page: String,
}

/// A span of whole days.
pub(super) struct Days {
    pub(super) from: Date,
    pub(super) to: Date,
}

/// Rows on a page.
pub(super) const ROWS: u32 = 50;

impl Asked {
    /// Returns the days asked for; the current month up to today when none are.
    pub(super) fn days(&self, staff: &Staff, now_ms: i64) -> Days {
        let today = when::zoned(now_ms, &staff.zone).date();
        let to = self.to.parse().unwrap_or(today);
        let from = self.from.parse().unwrap_or(to.min(today).first_of_month());
        Days {
            from: from.min(to),
            to: to.max(from),
        }
    }

    /// Returns the least length asked for, in milliseconds.
    pub(super) fn minimum_ms(&self) -> Option<u64> {
        let minutes: u64 = self.minimum.parse().ok()?;
        (minutes > 0).then(|| minutes.min(24 * 60) * 60_000)
    }

    /// Returns the page asked for, from 0.
    pub(super) fn page(&self) -> u32 {
        self.page.parse::<u32>().unwrap_or(1).clamp(1, 10_000) - 1
    }

    /// Returns the address of another page of the same report.
    pub(super) fn with_page(&self, path: &str, days: &Days, page: u32) -> String {
        let (from, to) = (days.from.to_string(), days.to.to_string());
        let page = (page + 1).to_string();
        let fields = [
            ("from", from.as_str()),
            ("to", &to),
            ("practitioner", &self.practitioner),
            ("caller", &self.caller),
            ("recipient", &self.recipient),
            ("number", &self.number),
            ("status", &self.status),
            ("minimum", &self.minimum),
            ("page", &page),
        ];
        let set = fields.into_iter().filter(|(_, value)| !value.is_empty());
        format!(
            "{path}?{}",
            form_urlencoded::Serializer::new(String::new())
                .extend_pairs(set)
                .finish()
        )
    }
}

impl Days {
    /// Returns the first moment, and the first one after, in the practice's zone.
    pub(super) fn moments(&self, staff: &Staff) -> (Option<WallMillis>, Option<WallMillis>) {
        let at = |date: Date| when::at(date, Time::midnight(), &staff.zone).map(WallMillis);
        (at(self.from), at(self.to.saturating_add(1.day())))
    }
}

/// Returns the text when there is any.
pub(super) fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
