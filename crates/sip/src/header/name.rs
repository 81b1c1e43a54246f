use std::fmt;
use std::mem::discriminant;

/// A header's name. Names are compared without regard to case, and compact forms name the same header
/// (RFC 3261 §7.3.3).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Name<'a> {
    /// `Accept`
    Accept,
    /// `Allow`
    Allow,
    /// `Authorization`
    Authorization,
    /// `Call-ID`, compact `i`
    CallId,
    /// `Contact`, compact `m`
    Contact,
    /// `Content-Disposition`
    ContentDisposition,
    /// `Content-Encoding`, compact `e`
    ContentEncoding,
    /// `Content-Length`, compact `l`
    ContentLength,
    /// `Content-Type`, compact `c`
    ContentType,
    /// `CSeq`
    CSeq,
    /// `Date`
    Date,
    /// `Event`, compact `o`
    Event,
    /// `Expires`
    Expires,
    /// `From`, compact `f`
    From,
    /// `Max-Forwards`
    MaxForwards,
    /// `Min-Expires`
    MinExpires,
    /// `Min-SE`
    MinSe,
    /// `P-Asserted-Identity`
    PAssertedIdentity,
    /// `P-Preferred-Identity`
    PPreferredIdentity,
    /// `Privacy`
    Privacy,
    /// `Proxy-Authenticate`
    ProxyAuthenticate,
    /// `Proxy-Authorization`
    ProxyAuthorization,
    /// `Proxy-Require`
    ProxyRequire,
    /// `RAck`
    RAck,
    /// `Reason`
    Reason,
    /// `Record-Route`
    RecordRoute,
    /// `Refer-To`, compact `r`
    ReferTo,
    /// `Replaces`
    Replaces,
    /// `Require`
    Require,
    /// `Retry-After`
    RetryAfter,
    /// `Route`
    Route,
    /// `RSeq`
    RSeq,
    /// `Server`
    Server,
    /// `Session-Expires`, compact `x`
    SessionExpires,
    /// `Subject`, compact `s`
    Subject,
    /// `Supported`, compact `k`
    Supported,
    /// `To`, compact `t`
    To,
    /// `Unsupported`
    Unsupported,
    /// `User-Agent`
    UserAgent,
    /// `Via`, compact `v`
    Via,
    /// `Warning`
    Warning,
    /// `WWW-Authenticate`
    WwwAuthenticate,
    /// Any other header, as it was written.
    Other(&'a str),
}

const KNOWN: [(Name<'static>, &str, &str); 42] = [
    (Name::Accept, "Accept", ""),
    (Name::Allow, "Allow", ""),
    (Name::Authorization, "Authorization", ""),
    (Name::CallId, "Call-ID", "i"),
    (Name::Contact, "Contact", "m"),
    (Name::ContentDisposition, "Content-Disposition", ""),
    (Name::ContentEncoding, "Content-Encoding", "e"),
    (Name::ContentLength, "Content-Length", "l"),
    (Name::ContentType, "Content-Type", "c"),
    (Name::CSeq, "CSeq", ""),
    (Name::Date, "Date", ""),
    (Name::Event, "Event", "o"),
    (Name::Expires, "Expires", ""),
    (Name::From, "From", "f"),
    (Name::MaxForwards, "Max-Forwards", ""),
    (Name::MinExpires, "Min-Expires", ""),
    (Name::MinSe, "Min-SE", ""),
    (Name::PAssertedIdentity, "P-Asserted-Identity", ""),
    (Name::PPreferredIdentity, "P-Preferred-Identity", ""),
    (Name::Privacy, "Privacy", ""),
    (Name::ProxyAuthenticate, "Proxy-Authenticate", ""),
    (Name::ProxyAuthorization, "Proxy-Authorization", ""),
    (Name::ProxyRequire, "Proxy-Require", ""),
    (Name::RAck, "RAck", ""),
    (Name::Reason, "Reason", ""),
    (Name::RecordRoute, "Record-Route", ""),
    (Name::ReferTo, "Refer-To", "r"),
    (Name::Replaces, "Replaces", ""),
    (Name::Require, "Require", ""),
    (Name::RetryAfter, "Retry-After", ""),
    (Name::Route, "Route", ""),
    (Name::RSeq, "RSeq", ""),
    (Name::Server, "Server", ""),
    (Name::SessionExpires, "Session-Expires", "x"),
    (Name::Subject, "Subject", "s"),
    (Name::Supported, "Supported", "k"),
    (Name::To, "To", "t"),
    (Name::Unsupported, "Unsupported", ""),
    (Name::UserAgent, "User-Agent", ""),
    (Name::Via, "Via", "v"),
    (Name::Warning, "Warning", ""),
    (Name::WwwAuthenticate, "WWW-Authenticate", ""),
];

impl<'a> Name<'a> {
    /// Returns the header that `text` names, in long or compact form.
    pub fn from_text(text: &'a str) -> Name<'a> {
        Name::known(text).unwrap_or(Name::Other(text))
    }

    /// Returns the name in its usual spelling; an unknown one as it was written.
    pub fn as_str(self) -> &'a str {
        match self {
            Name::Other(text) => text,
            known => KNOWN
                .iter()
                .find(|(name, _, _)| discriminant(name) == discriminant(&known))
                .map_or("", |(_, text, _)| text),
        }
    }

    pub(crate) fn known(text: &str) -> Option<Name<'static>> {
        let is_named = |name: &str, compact: &str| {
            text.eq_ignore_ascii_case(name)
                || (!compact.is_empty() && text.eq_ignore_ascii_case(compact))
        };
        KNOWN
            .iter()
            .find(|(_, name, compact)| is_named(name, compact))
            .map(|(name, _, _)| *name)
    }
}

impl PartialEq<Name<'_>> for Name<'_> {
    fn eq(&self, other: &Name<'_>) -> bool {
        match (self, other) {
            (Name::Other(one), Name::Other(two)) => one.eq_ignore_ascii_case(two),
            (one, two) => discriminant(one) == discriminant(two),
        }
    }
}

impl Eq for Name<'_> {}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_compact_forms_in_any_case_name_the_same_header() {
        for (name, long, compact) in KNOWN {
            assert_eq!(Name::from_text(&long.to_uppercase()), name);
            assert_eq!(name.as_str(), long);
            if !compact.is_empty() {
                assert_eq!(Name::from_text(compact), name);
                assert_eq!(Name::from_text(&compact.to_uppercase()), name);
            }
        }
    }

    #[test]
    fn unknown_names_are_kept_and_compared_without_case() {
        assert_eq!(
            Name::from_text("P-Charge-Info"),
            Name::Other("p-charge-info")
        );
        assert_eq!(Name::from_text("C%6Fntact").as_str(), "C%6Fntact");
        assert_ne!(Name::from_text("Vias"), Name::Via);
    }
}
