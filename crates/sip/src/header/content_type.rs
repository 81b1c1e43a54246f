use std::fmt;

use super::{Params, ParamsRef, ValueError};
use crate::text;

/// What the body is (RFC 3261 §20.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// `type/subtype` in lower case.
    pub essence: String,
    /// `boundary`, `charset` and others.
    pub params: Params,
}

impl ContentType {
    /// Reads `type/subtype;params`, blanks allowed around the slash.
    ///
    /// # Errors
    /// There is no slash between two tokens, or a parameter is malformed.
    pub fn parse(value: &str) -> Result<ContentType, ValueError> {
        let MediaType {
            kind,
            subtype,
            params,
        } = MediaType::of(value)?;
        Ok(ContentType {
            essence: format!("{kind}/{subtype}").to_ascii_lowercase(),
            params: params.into_owned(),
        })
    }

    /// Returns whether the body is a session description.
    pub fn is_sdp(&self) -> bool {
        self.essence == "application/sdp"
    }
}

/// A media type where it stands.
pub(crate) struct MediaType<'a> {
    pub(crate) kind: &'a str,
    subtype: &'a str,
    pub(crate) params: ParamsRef<'a>,
}

impl<'a> MediaType<'a> {
    pub(crate) fn of(value: &'a str) -> Result<MediaType<'a>, ValueError> {
        let (essence, params) = text::split_params(value);
        let (kind, subtype) = essence
            .split_once('/')
            .ok_or(ValueError::Malformed("media type"))?;
        let (kind, subtype) = (text::trim(kind), text::trim(subtype));
        if !text::is_token(kind) || !text::is_token(subtype) {
            return Err(ValueError::Malformed("media type"));
        }
        Ok(MediaType {
            kind,
            subtype,
            params: ParamsRef::of(params)?,
        })
    }

    pub(crate) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.essence, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        let mixed = ContentType::parse("Multipart / Mixed ; boundary=\"a;b\"").unwrap();
        assert_eq!(mixed.essence, "multipart/mixed");
        assert_eq!(mixed.params.unquoted("boundary").as_deref(), Some("a;b"));
        assert!(ContentType::parse("application/SDP").unwrap().is_sdp());
        for text in ["", "sdp", "/sdp", "a b/c", "a/b/c"] {
            assert!(ContentType::parse(text).is_err(), "{text:?}");
        }
    }
}
