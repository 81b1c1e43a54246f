use std::borrow::Cow;
use std::fmt;

use super::{Params, ValueError};
use crate::text;
use crate::uri::Uri;

/// A person or place: `"Display name" <uri>;params`, the value of From, To, Contact, Route and Record-Route
/// (RFC 3261 §20.10).
///
/// As [`NameAddrRef`] it borrows the text it was read from.
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<T: AsRef<str> = String> {
    /// The display name as it stands in the header: in quotes, or a few words without.
    display: Option<T>,
    /// The URI.
    pub uri: Uri<T>,
    /// The header's parameters. Those of the URI are in the URI.
    pub params: Params<T>,
}

/// A [`NameAddr`] that lies in a message.
pub type NameAddrRef<'a> = NameAddr<&'a str>;

impl NameAddr {
    /// Makes an address without display name or parameters.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr {
            display: None,
            uri,
            params: Params::default(),
        }
    }

    /// Returns the address with a display name.
    pub fn with_display(mut self, display: &str) -> NameAddr {
        self.display = Some(text::quote(display));
        self
    }

    /// Returns the address with the tag of one side of a dialog.
    pub fn with_tag(mut self, tag: &str) -> NameAddr {
        self.params.set("tag", Some(tag));
        self
    }

    /// Reads an address.
    ///
    /// Lenient in two things (RFC 4475 §3.1.2.14, §3.1.2.15): blanks inside the angle brackets, and a display name with
    /// commas outside quotes. Without angle brackets the parameters belong to the header, and a `?` is refused (RFC 3261 §20).
    ///
    /// # Errors
    /// A quoted name or bracket never ends, or the URI or a parameter is malformed.
    pub fn parse(value: &str) -> Result<NameAddr, ValueError> {
        NameAddrRef::of(value).map(NameAddrRef::into_owned)
    }
}

impl<'a> NameAddr<&'a str> {
    /// Reads an address where it stands, as [`NameAddr::parse`] does.
    ///
    /// # Errors
    /// The same.
    pub fn of(value: &'a str) -> Result<NameAddrRef<'a>, ValueError> {
        let value = text::trim(value);
        let (display, rest) = display_name(value)?;
        let (uri, params) = match rest.strip_prefix('<') {
            Some(rest) => in_brackets(rest)?,
            None if display.is_some() => return Err(ValueError::Malformed("address")),
            None => bare_address(rest)?,
        };
        Ok(NameAddr {
            display,
            uri: Uri::of(text::trim(uri))?,
            params: Params::of(params)?,
        })
    }

    /// Returns a copy that outlives the text.
    pub fn into_owned(self) -> NameAddr {
        NameAddr {
            display: self.display().map(|display| text::quote(&display)),
            uri: self.uri.into_owned(),
            params: self.params.into_owned(),
        }
    }
}

impl<T: AsRef<str>> NameAddr<T> {
    /// Returns the display name without its quotes.
    pub fn display(&self) -> Option<Cow<'_, str>> {
        let display = self.display.as_ref()?;
        Some(text::unquote(display.as_ref()))
    }

    /// Returns the tag, which names one side of a dialog.
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }
}

impl<T: AsRef<str>, U: AsRef<str>> PartialEq<NameAddr<U>> for NameAddr<T> {
    fn eq(&self, other: &NameAddr<U>) -> bool {
        self.display() == other.display()
            && self.uri.as_str() == other.uri.as_str()
            && self.params == other.params
    }
}

impl<T: AsRef<str>> Eq for NameAddr<T> {}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> NameAddr {
        NameAddr::new(uri)
    }
}

impl std::str::FromStr for NameAddr {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<NameAddr, ValueError> {
        NameAddr::parse(text)
    }
}

impl<T: AsRef<str>> fmt::Display for NameAddr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = self.display() {
            write!(f, "{} ", text::quote(&display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

/// Returns the display name as written, and what follows it.
fn display_name(value: &str) -> Result<(Option<&str>, &str), ValueError> {
    if value.starts_with('<') {
        return Ok((None, value));
    }
    if value.starts_with('"') {
        let length = text::quoted_length(value).ok_or(ValueError::Malformed("quoted name"))?;
        let (name, rest) = value.split_at_checked(length).unwrap_or((value, ""));
        return Ok((Some(name), text::trim(rest)));
    }
    let bracket = text::find_outside(value, b'<').unwrap_or(0);
    let (name, rest) = value.split_at_checked(bracket).unwrap_or(("", value));
    let name = text::trim(name);
    Ok(((!name.is_empty()).then_some(name), rest))
}

/// Returns the URI and the parameters, where `rest` begins behind the opening bracket.
fn in_brackets(rest: &str) -> Result<(&str, &str), ValueError> {
    let close = text::find(rest.as_bytes(), [b'>']);
    let close = close.ok_or(ValueError::Malformed("angle brackets"))?;
    let (uri, rest) = rest.split_at_checked(close).unwrap_or((rest, ""));
    Ok((uri, rest.strip_prefix('>').unwrap_or(rest)))
}

fn bare_address(value: &str) -> Result<(&str, &str), ValueError> {
    let (uri, params) = text::split_params(value);
    // RFC 3261 §20: a URI with a comma, question mark or semicolon must stand in angle brackets.
    if uri.contains(['?', ',']) {
        return Err(ValueError::Malformed("address without angle brackets"));
    }
    Ok((uri, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> NameAddr {
        NameAddr::parse(text).unwrap()
    }

    #[test]
    fn display_names() {
        let cases = [
            (
                r#""J Rosenberg \\\""       <sip:j@e.com>"#,
                Some("J Rosenberg \\\""),
            ),
            ("caller<sip:caller@example.com>;tag=323", Some("caller")),
            (
                "Bell, Alexander <sip:a@b.c>;tag=43",
                Some("Bell, Alexander"),
            ),
            (r#""<odd> name" <sip:a@b.c>"#, Some("<odd> name")),
            (r#""" <sip:a@b.c>"#, Some("")),
            ("<sip:a@b.c>", None),
            ("sip:a@b.c;tag=1", None),
        ];
        for (text, display) in cases {
            assert_eq!(parse(text).display().as_deref(), display, "{text}");
        }
    }

    #[test]
    fn parameters_belong_to_the_header_unless_bracketed() {
        let bare = parse("sip:+19725552222@gw1.example.net;unknownparam");
        assert!(bare.params.has("unknownparam") && bare.uri.param("unknownparam").is_none());
        let bracketed = parse("<sip:+19725552222@gw1.example.net;unknownparam>;x=y");
        assert!(bracketed.uri.param("unknownparam").is_some());
        assert_eq!(bracketed.params.get("x"), Some("y"));
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        for text in [
            "",
            "\"Mr. J. User <sip:j@e.com>",
            "\"name\" sip:a@b.c",
            "<sip:a@b.c",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "sip:a@b.c,sip:d@e.f",
            "<sip:a@b.c> junk",
        ] {
            assert!(NameAddr::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn printing_is_read_back_equal() {
        for text in [
            r#""Dr \"D\" Reed" <sip:+61255500142@sip.carrier.test;user=phone>;tag=a1"#,
            "<tel:+61491570006>",
            "\"плюс\" <sips:[2001:db8::1]:5061;transport=tcp>;q=0.5",
        ] {
            assert_eq!(parse(text).to_string(), text);
        }
    }
}
