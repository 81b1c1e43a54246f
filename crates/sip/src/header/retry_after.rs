use std::time::Duration;

use super::{Params, ValueError, seconds};
use crate::text;

/// How long to leave the other side alone (RFC 3261 §20.33).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// The wait, in whole seconds.
    pub after: Duration,
    /// How long the other side expects to be reachable then.
    pub duration: Option<Duration>,
}

impl RetryAfter {
    /// Reads `seconds (comment);duration=seconds`.
    ///
    /// # Errors
    /// The seconds are no number below 2^32.
    pub fn parse(value: &str) -> Result<RetryAfter, ValueError> {
        let value = text::trim(value);
        let digits = value
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(value.len());
        let (after, rest) = value.split_at_checked(digits).unwrap_or((value, ""));
        let params = rest.find(';').and_then(|at| rest.get(at..)).unwrap_or("");
        let duration = Params::parse(params)?
            .get("duration")
            .and_then(|digits| seconds(digits).ok());
        Ok(RetryAfter {
            after: seconds(after)?,
            duration,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_comment_and_duration() {
        let wait = RetryAfter::parse("18000;duration=3600").unwrap();
        assert_eq!(wait.after, Duration::from_secs(18_000));
        assert_eq!(wait.duration, Some(Duration::from_secs(3600)));
        assert_eq!(
            RetryAfter::parse("120 (I'm in a meeting)")
                .unwrap()
                .after
                .as_secs(),
            120
        );
        for text in ["", "soon", "-1", "949302838503028349304023988"] {
            assert!(RetryAfter::parse(text).is_err(), "{text:?}");
        }
    }
}
