use std::fmt;
use std::time::Duration;

use super::{Params, ValueError, seconds};
use crate::text;

/// How long a session lives without a refresh, and who refreshes it (RFC 4028 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// The session interval, in whole seconds. Below 90 s it is owed a 422 (§5); reading does not judge it.
    pub interval: Duration,
    /// Who refreshes; `None` where the request leaves it to the answerer.
    pub refresher: Option<RefresherRole>,
}

/// The side that refreshes a session. The roles are those of the request that carries the header, not of the call's first
/// INVITE: they swap when the other side sends the refresh (RFC 4028 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefresherRole {
    /// The side that sent the request.
    Uac,
    /// The side that answers it.
    Uas,
}

impl SessionExpires {
    /// Reads `seconds;refresher=uac`. Other parameters are read over, and so is a refresher that is neither side.
    ///
    /// # Errors
    /// The seconds are no number below 2^32, or a parameter is malformed.
    pub fn parse(value: &str) -> Result<SessionExpires, ValueError> {
        let (interval, params) = text::split_params(value);
        let params = Params::parse(params)?;
        Ok(SessionExpires {
            interval: seconds(interval)?,
            refresher: params.get("refresher").and_then(RefresherRole::from_text),
        })
    }
}

impl RefresherRole {
    fn from_text(text: &str) -> Option<RefresherRole> {
        match text {
            _ if text.eq_ignore_ascii_case("uac") => Some(RefresherRole::Uac),
            _ if text.eq_ignore_ascii_case("uas") => Some(RefresherRole::Uas),
            _ => None,
        }
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.interval.as_secs())?;
        self.refresher
            .map_or(Ok(()), |role| write!(f, ";refresher={role}"))
    }
}

impl fmt::Display for RefresherRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RefresherRole::Uac => "uac",
            RefresherRole::Uas => "uas",
        })
    }
}

/// The shortest session interval somebody on the path accepts (RFC 4028 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinSe(pub Duration);

impl MinSe {
    /// What holds where the header is absent, and the least that may be asked for (RFC 4028 §5).
    pub const DEFAULT: MinSe = MinSe(Duration::from_secs(90));

    /// Reads seconds. Parameters are read over.
    ///
    /// # Errors
    /// The seconds are no number below 2^32, or a parameter is malformed.
    pub fn parse(value: &str) -> Result<MinSe, ValueError> {
        let (interval, params) = text::split_params(value);
        Params::parse(params)?;
        seconds(interval).map(MinSe)
    }
}

impl fmt::Display for MinSe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_and_refresher() {
        let expires = SessionExpires::parse("1800 ; Refresher = UAS;x=y").unwrap();
        assert_eq!(expires.interval, Duration::from_secs(1800));
        assert_eq!(expires.refresher, Some(RefresherRole::Uas));
        assert_eq!(expires.to_string(), "1800;refresher=uas");
        let open = SessionExpires::parse("90").unwrap();
        assert_eq!((open.refresher, open.to_string()), (None, "90".to_owned()));
        assert_eq!(
            SessionExpires::parse("90;refresher=both").unwrap(),
            open,
            "nobody's name"
        );
    }

    #[test]
    fn the_least_interval() {
        assert_eq!(MinSe::parse(" 90;x ").unwrap(), MinSe::DEFAULT);
        assert_eq!(MinSe(Duration::from_secs(120)).to_string(), "120");
    }

    #[test]
    fn hostile_intervals_are_refused() {
        for text in [
            "",
            ";refresher=uac",
            "soon",
            "-1",
            "+90",
            "1.5",
            "4294967296",
            "18446744073709551706",
            "90 90",
            "90;refresher=\"uac",
            "90 refresher=uac",
        ] {
            assert!(SessionExpires::parse(text).is_err(), "{text:?}");
            assert!(MinSe::parse(text).is_err(), "{text:?}");
        }
        let longest = SessionExpires::parse("4294967295").unwrap();
        assert_eq!(longest.interval.as_secs(), u64::from(u32::MAX));
    }
}
