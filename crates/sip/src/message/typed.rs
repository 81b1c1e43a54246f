use std::time::Duration;

use super::Message;
use crate::digest::{Authorization, Challenge};
use crate::header::{
    CSeq, Contacts, ContentType, Diversion, HeaderError, HistoryEntry, Identity, Known, MinSe,
    Name, NameAddrRef, Privacy, RAck, RSeq, Reason, Replaces, RetryAfter, SessionExpires,
    ValueError, ViaRef, Warning, seconds,
};
use crate::text;
use crate::uri::UriRef;

/// Headers read into their types, each time they are asked for, and where they stand: what ends in `Ref` borrows the message.
impl Message {
    /// Returns the Request-URI of a request.
    ///
    /// # Errors
    /// Missing in a response; malformed in a request.
    pub fn target(&self) -> Result<UriRef<'_>, HeaderError> {
        let fault = |fault| HeaderError {
            header: "Request-URI",
            fault,
        };
        let text = self.request_uri().ok_or(fault(ValueError::Missing))?;
        UriRef::of(text).map_err(|error| fault(error.into()))
    }

    /// Returns the topmost Via: the last hop of a request, the way back of a response.
    ///
    /// # Errors
    /// There is none, or it is malformed.
    pub fn via(&self) -> Result<ViaRef<'_>, HeaderError> {
        let mut values = self.values(Known::Via);
        let top = values.find_map(|value| list(value).next());
        let top = top.ok_or(HeaderError::new(Name::Via, ValueError::Missing))?;
        ViaRef::of(top).map_err(|fault| HeaderError::new(Name::Via, fault))
    }

    /// Returns every Via, topmost first.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn vias(&self) -> Result<Vec<ViaRef<'_>>, HeaderError> {
        self.typed_list(Known::Via, ViaRef::of)
    }

    /// Returns who sent the request.
    ///
    /// # Errors
    /// Missing, repeated or malformed.
    pub fn from(&self) -> Result<NameAddrRef<'_>, HeaderError> {
        self.one(Known::From, NameAddrRef::of)
    }

    /// Returns whom the request was meant for.
    ///
    /// # Errors
    /// Missing, repeated or malformed.
    pub fn to(&self) -> Result<NameAddrRef<'_>, HeaderError> {
        self.one(Known::To, NameAddrRef::of)
    }

    /// Returns the Call-ID.
    ///
    /// # Errors
    /// Missing, repeated or empty.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let value = self.single(Known::CallId)?;
        let blank = text::find(value.as_bytes(), [b' ', b'\t']);
        let is_one_word = !value.is_empty() && blank.is_none();
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
        self.one(Known::CSeq, CSeq::parse)
    }

    /// Returns all Contact values.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn contacts(&self) -> Result<Contacts<'_>, HeaderError> {
        Contacts::of(self.values(Known::Contact))
            .map_err(|fault| HeaderError::new(Name::Contact, fault))
    }

    /// Returns the first Contact, the remote target of a dialog.
    ///
    /// # Errors
    /// One of the Contact values is malformed.
    pub fn contact(&self) -> Result<Option<NameAddrRef<'_>>, HeaderError> {
        let first = match self.lone(Known::Contact) {
            Some("*") => Ok(None),
            Some(value) => NameAddrRef::of(value).map(Some),
            None => Contacts::first_of(self.values(Known::Contact)),
        };
        first.map_err(|fault| HeaderError::new(Name::Contact, fault))
    }

    /// Returns the Record-Route values in order of the message.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn record_routes(&self) -> Result<Vec<NameAddrRef<'_>>, HeaderError> {
        self.typed_list(Known::RecordRoute, bracketed)
    }

    /// Returns the Route values in order.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn routes(&self) -> Result<Vec<NameAddrRef<'_>>, HeaderError> {
        self.typed_list(Known::Route, bracketed)
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
        self.optional(Known::MaxForwards, parse)
    }

    /// Returns what the body is.
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn content_type(&self) -> Result<Option<ContentType>, HeaderError> {
        self.optional(Known::ContentType, ContentType::parse)
    }

    /// Returns the Expires header.
    ///
    /// # Errors
    /// Repeated, or no number of seconds below 2^32 (RFC 3261 §20.19).
    pub fn expires(&self) -> Result<Option<Duration>, HeaderError> {
        self.optional(Known::Expires, seconds)
    }

    /// Returns how long the session lives without a refresh (RFC 4028 §4).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, HeaderError> {
        self.optional(Known::SessionExpires, SessionExpires::parse)
    }

    /// Returns the shortest session interval that somebody on the path accepts (RFC 4028 §5).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn min_se(&self) -> Result<Option<MinSe>, HeaderError> {
        self.optional(Known::MinSe, MinSe::parse)
    }

    /// Returns the number of a reliable provisional response (RFC 3262 §7.1).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn rseq(&self) -> Result<Option<RSeq>, HeaderError> {
        self.optional(Known::RSeq, RSeq::parse)
    }

    /// Returns the response that a PRACK confirms (RFC 3262 §7.2).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn rack(&self) -> Result<Option<RAck>, HeaderError> {
        self.optional(Known::RAck, RAck::parse)
    }

    /// Returns how long to leave the other side alone.
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn retry_after(&self) -> Result<Option<RetryAfter>, HeaderError> {
        self.optional(Known::RetryAfter, RetryAfter::parse)
    }

    /// Returns the Reason values, malformed ones left out: they inform, nothing depends on them.
    pub fn reasons(&self) -> Vec<Reason> {
        self.informing(Known::Reason, Reason::parse)
    }

    /// Returns the Warning values, malformed ones left out.
    pub fn warnings(&self) -> Vec<Warning> {
        self.informing(Known::Warning, Warning::parse)
    }

    /// Returns what of the caller is to stay hidden (RFC 3323 §4.2).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn privacy(&self) -> Result<Option<Privacy>, HeaderError> {
        self.optional(Known::Privacy, Privacy::parse)
    }

    /// Returns who the network says is calling or called (RFC 3325 §9.1). Worth believing only from a peer one trusts.
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn asserted_identities(&self) -> Result<Vec<NameAddrRef<'_>>, HeaderError> {
        self.typed_list(Known::PAssertedIdentity, NameAddrRef::of)
    }

    /// Returns who the sender would like to be (RFC 3325 §9.2).
    ///
    /// # Errors
    /// One of them is malformed.
    pub fn preferred_identities(&self) -> Result<Vec<NameAddrRef<'_>>, HeaderError> {
        self.typed_list(Known::PPreferredIdentity, NameAddrRef::of)
    }

    /// Returns the diversions of a call, the latest first (RFC 5806), malformed ones left out.
    pub fn diversions(&self) -> Vec<Diversion> {
        self.informing(Known::Diversion, Diversion::parse)
    }

    /// Returns the targets that a request was sent to, oldest first (RFC 7044), malformed ones left out.
    pub fn history(&self) -> Vec<HistoryEntry> {
        self.informing(Known::HistoryInfo, HistoryEntry::parse)
    }

    /// Returns the signed statements of who calls (RFC 8224), malformed ones left out.
    pub fn identities(&self) -> Vec<Identity> {
        self.informing(Known::Identity, Identity::parse)
    }

    /// Returns whom a REFER asks to call (RFC 3515 §2.1).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn refer_to(&self) -> Result<Option<NameAddrRef<'_>>, HeaderError> {
        self.optional(Known::ReferTo, NameAddrRef::of)
    }

    /// Returns the dialog that an INVITE takes the place of (RFC 3891 §6.1).
    ///
    /// # Errors
    /// Repeated or malformed.
    pub fn replaces(&self) -> Result<Option<Replaces>, HeaderError> {
        self.optional(Known::Replaces, Replaces::parse)
    }

    /// Returns the elements of a list header such as Require, Supported, Allow or Unsupported.
    pub fn list<'a>(&'a self, name: Name<'_>) -> impl Iterator<Item = &'a str> {
        self.headers(name).flat_map(list)
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

    fn elements(&self, name: Known) -> impl Iterator<Item = &str> {
        self.values(name).flat_map(list)
    }

    /// What informs and nothing depends on: malformed values are left out.
    fn informing<T>(&self, name: Known, parse: fn(&str) -> Result<T, ValueError>) -> Vec<T> {
        let values = self.elements(name);
        values.filter_map(|value| parse(value).ok()).collect()
    }

    /// Returns the value of a list header that stands there once and holds one element, as most do.
    fn lone(&self, name: Known) -> Option<&str> {
        let value = self.at_most_one(name).ok()??;
        text::find(value.as_bytes(), [b','])
            .is_none()
            .then_some(value)
    }

    fn single(&self, name: Known) -> Result<&str, HeaderError> {
        let value = self.at_most_one(name)?;
        value.ok_or_else(|| HeaderError::new(name.into(), ValueError::Missing))
    }

    #[inline]
    fn at_most_one(&self, name: Known) -> Result<Option<&str>, HeaderError> {
        if self.fields.repeats(name) {
            return Err(HeaderError::new(name.into(), ValueError::Repeated));
        }
        let field = self.fields.first(name);
        Ok(field.map(|field| field.value.text(&self.head)))
    }

    fn one<'a, T>(
        &'a self,
        name: Known,
        parse: impl Fn(&'a str) -> Result<T, ValueError>,
    ) -> Result<T, HeaderError> {
        let value = self.single(name)?;
        parse(value).map_err(|fault| HeaderError::new(name.into(), fault))
    }

    fn optional<'a, T>(
        &'a self,
        name: Known,
        parse: impl Fn(&'a str) -> Result<T, ValueError>,
    ) -> Result<Option<T>, HeaderError> {
        let value = self.at_most_one(name)?.map(parse).transpose();
        value.map_err(|fault| HeaderError::new(name.into(), fault))
    }

    fn typed_list<'a, T>(
        &'a self,
        name: Known,
        parse: impl Fn(&'a str) -> Result<T, ValueError>,
    ) -> Result<Vec<T>, HeaderError> {
        let values = self.elements(name).map(parse);
        values
            .collect::<Result<_, _>>()
            .map_err(|fault| HeaderError::new(name.into(), fault))
    }
}

/// Returns the elements of one value of a list header, empty ones left out.
fn list(value: &str) -> impl Iterator<Item = &str> {
    text::elements(value, b',').filter(|element| !element.is_empty())
}

// RFC 3261 §20.34: a route is always in angle brackets, for a bare one would lose its `lr`.
fn bracketed(value: &str) -> Result<NameAddrRef<'_>, ValueError> {
    match text::find_outside(value, b'<') {
        Some(_) => NameAddrRef::of(value),
        None => Err(ValueError::Malformed("angle brackets")),
    }
}
