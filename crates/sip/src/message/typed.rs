use std::time::Duration;

use super::Message;
use crate::digest::{Authorization, Challenge};
use crate::header::{
    CSeq, Contacts, ContentType, HeaderError, MinSe, Name, NameAddr, RAck, RSeq, Reason,
    RetryAfter, SessionExpires, ValueError, Via, seconds,
};
use crate::text;
use crate::uri::Uri;

/// Headers read into their types, each time they are asked for.
impl Message {
    /// Returns the Request-URI of a request.
    ///
    /// # Errors
    /// Missing in a response; malformed in a request.
    pub fn target(&self) -> Result<Uri, HeaderError> {
        let fault = |fault| HeaderError {
            header: "Request-URI",
            fault,
        };
        let text = self.request_uri().ok_or(fault(ValueError::Missing))?;
        Uri::parse(text).map_err(|error| fault(error.into()))
    }

    /// Returns the topmost Via: the last hop of a request, the way back of a response.
    ///
    /// # Errors
    /// There is none, or it is malformed.
    pub fn via(&self) -> Result<Via, HeaderError> {
        let top = self.list(Name::Via).next();
        let top = top.ok_or(HeaderError::new(Name::Via, ValueError::Missing))?;
        Via::parse(top).map_err(|fault| HeaderError::new(Name::Via, fault))
    }

    /// Returns every Via, topmost first.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.typed_list(Name::Via, Via::parse)
    }

    /// Returns who sent the request.
    ///
    /// # Errors
    /// Missing, repeated or malformed.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.one(Name::From, NameAddr::parse)
    }

    /// Returns whom the request was meant for.
    ///
    /// # Errors
    /// Missing, repeated or malformed.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.one(Name::To, NameAddr::parse)
    }

    /// Returns the Call-ID.
    ///
    /// # Errors
    /// Missing, repeated or empty.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let value = self.single(Name::CallId)?;
        let is_one_word = !value.is_empty() && !value.contains([' ', '\t']);
        is_one_word.then_some(value).ok_or(HeaderError::new(
            Name::CallId,
            ValueError::Malformed("word"),
        ))
    }

    /// Returns the CSeq.
    ///
    /// # Errors
    /// Missing, repeated or malformed.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        self.one(Name::CSeq, CSeq::parse)
    }

    /// Returns all Contact values.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        Contacts::parse(self.headers(Name::Contact))
            .map_err(|fault| HeaderError::new(Name::Contact, fault))
    }

    /// Returns the first Contact, the remote target of a dialog.
    ///
    /// # Errors
    /// One of the Contact values is malformed.
    pub fn contact(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.contacts().map(|contacts| contacts.first().cloned())
    }

    /// Returns the Record-Route values in order of the message.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.typed_list(Name::RecordRoute, bracketed)
    }

    /// Returns the Route values in order.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.typed_list(Name::Route, bracketed)
    }

    /// Returns how many hops the request may still take; `None` in messages of RFC 2543.
    ///
    /// # Errors
    /// Repeated, or no number from 0 to 255 (RFC 3261 §20.22).
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let parse = |value: &str| {
            text::decimal(value).ok_or(ValueError::TooLarge {
                what: "hops",
                max: 255,
            })
        };
        self.optional(Name::MaxForwards, parse)
    }

    /// Returns what the body is.
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn content_type(&self) -> Result<Option<ContentType>, HeaderError> {
        self.optional(Name::ContentType, ContentType::parse)
    }

    /// Returns the Expires header.
    ///
    /// # Errors
    /// Repeated, or no number of seconds below 2^32 (RFC 3261 §20.19).
    pub fn expires(&self) -> Result<Option<Duration>, HeaderError> {
        self.optional(Name::Expires, seconds)
    }

    /// Returns how long the session lives without a refresh (RFC 4028 §4).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, HeaderError> {
        self.optional(Name::SessionExpires, SessionExpires::parse)
    }

    /// Returns the shortest session interval that somebody on the path accepts (RFC 4028 §5).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn min_se(&self) -> Result<Option<MinSe>, HeaderError> {
        self.optional(Name::MinSe, MinSe::parse)
    }

    /// Returns the number of a reliable provisional response (RFC 3262 §7.1).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn rseq(&self) -> Result<Option<RSeq>, HeaderError> {
        self.optional(Name::RSeq, RSeq::parse)
    }

    /// Returns the response that a PRACK confirms (RFC 3262 §7.2).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn rack(&self) -> Result<Option<RAck>, HeaderError> {
        self.optional(Name::RAck, RAck::parse)
    }

    /// Returns how long to leave the other side alone.
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn retry_after(&self) -> Result<Option<RetryAfter>, HeaderError> {
        self.optional(Name::RetryAfter, RetryAfter::parse)
    }

    /// Returns the Reason values, malformed ones left out: they inform, nothing depends on them.
    pub fn reasons(&self) -> Vec<Reason> {
        let values = self.list(Name::Reason);
        values
            .filter_map(|value| Reason::parse(value).ok())
            .collect()
    }

    /// Returns the elements of a list header such as Require, Supported, Allow or Unsupported.
    pub fn list<'a>(&'a self, name: Name<'a>) -> impl Iterator<Item = &'a str> {
        self.headers(name)
            .flat_map(|value| text::elements(value, b','))
            .filter(|element| !element.is_empty())
    }

    /// Returns whether a list header holds `token`, compared without regard to case.
    pub fn lists(&self, name: Name<'_>, token: &str) -> bool {
        self.headers(name)
            .flat_map(|value| text::elements(value, b','))
            .any(|element| element.eq_ignore_ascii_case(token))
    }

    /// Returns the challenges of a 401 or 407 in order, of every scheme; malformed ones are left out.
    pub fn challenges(&self) -> Vec<Challenge> {
        [Name::WwwAuthenticate, Name::ProxyAuthenticate]
            .into_iter()
            .flat_map(|name| self.headers(name))
            .flat_map(Challenge::parse_all)
            .collect()
    }

    /// Returns the digest answers of a request in `name` (Authorization or Proxy-Authorization); other schemes are as
    /// if absent (RFC 4475 §3.3.7).
    pub fn authorizations(&self, name: Name<'_>) -> Vec<Authorization> {
        let values = self.headers(name);
        values
            .filter_map(|value| Authorization::parse(value).ok())
            .collect()
    }

    fn single(&self, name: Name<'static>) -> Result<&str, HeaderError> {
        let mut values = self.headers(name);
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (Some(_), Some(_)) => Err(HeaderError::new(name, ValueError::Repeated)),
            (None, _) => Err(HeaderError::new(name, ValueError::Missing)),
        }
    }

    fn one<T>(
        &self,
        name: Name<'static>,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Result<T, HeaderError> {
        let value = self.single(name)?;
        parse(value).map_err(|fault| HeaderError::new(name, fault))
    }

    fn optional<T>(
        &self,
        name: Name<'static>,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Result<Option<T>, HeaderError> {
        match self.header(name) {
            Some(_) => self.one(name, parse).map(Some),
            None => Ok(None),
        }
    }

    fn typed_list<T>(
        &self,
        name: Name<'static>,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Result<Vec<T>, HeaderError> {
        let values = self.list(name).map(parse);
        values
            .collect::<Result<_, _>>()
            .map_err(|fault| HeaderError::new(name, fault))
    }
}

// RFC 3261 §20.34: a route is always in angle brackets, for a bare one would lose its `lr`.
fn bracketed(value: &str) -> Result<NameAddr, ValueError> {
    match text::find_outside(value, b'<') {
        Some(_) => NameAddr::parse(value),
        None => Err(ValueError::Malformed("angle brackets")),
    }
}
