//! The picture of a balance: what was available over time.

use std::fmt::Write as _;

use housecall_store::Entry;

/// A picture of 600 × 140 units.
pub(super) struct Picture {
    /// An SVG path that steps from entry to entry.
    pub(super) path: String,
    /// Where nothing is left, and where the limit of the alert is.
    pub(super) zero: i64,
    pub(super) limit: Option<i64>,
    /// The highest balance in it, at its top.
    pub(super) most: i64,
}

const WIDTH: i64 = 600;
const HEIGHT: i64 = 140;

impl Picture {
    /// Draws the balance after each of these entries, newest first; none if there are not two to join.
    pub(super) fn of(entries: &[Entry], limit: Option<i64>) -> Option<Self> {
        let points: Vec<(i64, i64)> = entries
            .iter()
            .rev()
            .map(|entry| (entry.recorded.0, entry.funds_after.available))
            .collect();
        let (&(first, _), &(last, _)) = points.first().zip(points.last())?;
        if first >= last {
            return None;
        }
        let values = points.iter().map(|(_, value)| *value);
        let most = values.clone().fold(1, i64::max).max(limit.unwrap_or(1));
        let least = values.fold(0, i64::min);
        let scale = Scale {
            first,
            span: last - first,
            most,
            range: most - least,
        };
        Some(Self {
            path: scale.path(&points),
            zero: scale.y(0),
            limit: limit.map(|limit| scale.y(limit)),
            most,
        })
    }
}

/// Where a moment and a balance are in the picture. Neither span is nothing.
struct Scale {
    first: i64,
    span: i64,
    most: i64,
    range: i64,
}

impl Scale {
    fn x(&self, moment: i64) -> i64 {
        part(moment - self.first, WIDTH, self.span)
    }

    fn y(&self, balance: i64) -> i64 {
        part(self.most - balance, HEIGHT, self.range)
    }

    /// A balance stays until the next entry changes it.
    fn path(&self, points: &[(i64, i64)]) -> String {
        let mut path = String::new();
        for (moment, balance) in points {
            let (x, y) = (self.x(*moment), self.y(*balance));
            // Writing to a string cannot fail.
            let _ = match path.is_empty() {
                true => write!(path, "M{x} {y}"),
                false => write!(path, "H{x}V{y}"),
            };
        }
        path
    }
}

/// `length` times `of` by `whole`, whatever their size.
fn part(of: i64, length: i64, whole: i64) -> i64 {
    let part = i128::from(of) * i128::from(length) / i128::from(whole.max(1));
    i64::try_from(part).unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_steps_from_entry_to_entry_and_may_be_below_nothing() {
        let points = [(1_000, 100), (2_000, 50), (3_000, -100)];
        let scale = Scale {
            first: 1_000,
            span: 2_000,
            most: 100,
            range: 200,
        };
        assert_eq!(scale.path(&points), "M0 0H300V35H600V140");
        assert_eq!(scale.y(0), 70);
        let huge = Scale {
            first: i64::MIN / 2,
            span: i64::MAX / 2,
            most: i64::MAX / 2,
            range: i64::MAX,
        };
        assert!((0..=WIDTH).contains(&huge.x(0)));
    }
}
