use std::fmt;

use super::{Params, ValueError};
use crate::text;

/// Why a call ended, in the words of another protocol (RFC 3326).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `Q.850`, `SIP` or another.
    pub protocol: String,
    /// The cause in that protocol: for Q.850 16 is normal clearing, 17 user busy.
    pub cause: Option<u16>,
    /// A text for people.
    pub text: Option<String>,
}

impl Reason {
    /// Makes a reason without text.
    pub fn new(protocol: &str, cause: u16) -> Reason {
        Reason {
            protocol: protocol.to_owned(),
            cause: Some(cause),
            text: None,
        }
    }

    /// Reads `protocol;cause=n;text="..."`.
    ///
    /// # Errors
    /// The protocol is no token, or a parameter or the cause is malformed.
    pub fn parse(value: &str) -> Result<Reason, ValueError> {
        let (protocol, params) = text::split_params(value);
        let (protocol, params) = (text::trim(protocol), Params::parse(params)?);
        if !text::is_token(protocol) {
            return Err(ValueError::Malformed("protocol"));
        }
        let cause = params
            .get("cause")
            .map(|cause| text::decimal(cause).ok_or(ValueError::Malformed("cause")));
        Ok(Reason {
            protocol: protocol.to_owned(),
            cause: cause.transpose()?,
            text: params.unquoted("text").map(|text| text.into_owned()),
        })
    }

    /// Returns the Q.850 cause, which the telephone network itself gave.
    pub fn q850(&self) -> Option<u16> {
        let is_q850 = self.protocol.eq_ignore_ascii_case("Q.850");
        is_q850.then_some(self.cause).flatten()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        match &self.text {
            Some(text) => write!(f, ";text={}", text::quote(text)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_says_why() {
        let reason = Reason::parse(r#"Q.850 ;cause=17 ;text="User, busy""#).unwrap();
        assert_eq!(reason.q850(), Some(17));
        assert_eq!(reason.text.as_deref(), Some("User, busy"));
        assert_eq!(reason.to_string(), r#"Q.850;cause=17;text="User, busy""#);
        assert_eq!(Reason::parse("SIP;cause=487").unwrap().q850(), None);
        assert!(Reason::parse("Q.850;cause=99999").is_err());
        assert!(Reason::parse(";cause=1").is_err());
    }
}
