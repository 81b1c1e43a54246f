//! URIs: `sip:`, `sips:`, `tel:`, and any other scheme kept whole.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::header::ParamsRef;
use crate::host;
use crate::text::{self, Block, Marks, narrow};

/// A URI that prints exactly as it was written (RFC 3261 §19.1, RFC 3966).
///
/// As [`UriRef`] it borrows the text it was read from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uri<T = String> {
    text: T,
    scheme: Scheme,
    parts: Parts,
}

/// A [`Uri`] that lies in a message.
pub type UriRef<'a> = Uri<&'a str>;

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// Anything else; owed 416 as the target of a request.
    Other,
}

/// Where the parts stand in the text. They follow one another, so that the end of one and the start of the next say it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Parts {
    /// Behind the scheme's colon.
    start: u32,
    /// The start where there is no user part, for none is empty.
    user_end: u32,
    host_start: u32,
    host_end: u32,
    port: Option<u16>,
    params_start: u32,
    /// The end of the text where no headers follow.
    params_end: u32,
}

/// Why a text is no URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// No scheme before a colon.
    #[error("no scheme")]
    NoScheme,
    /// A blank, control character, quote or angle bracket inside.
    #[error("character {0:#04x} cannot stand in a URI")]
    Character(u8),
    /// The user part is empty although an `@` follows it.
    #[error("empty user before @")]
    User,
    /// No host, or characters that no host has.
    #[error("host")]
    Host,
    /// The port is no number below 65536.
    #[error("port")]
    Port,
    /// A second `@` where none can stand.
    #[error("parameters")]
    Params,
    /// A `tel:` without a digit.
    #[error("no telephone number")]
    Number,
}

impl Uri {
    /// Reads a URI.
    ///
    /// Lenient where the field is: `#` and other unescaped marks in the user part, underscores in a host.
    ///
    /// # Errors
    /// See [`UriError`].
    pub fn parse(text: &str) -> Result<Uri, UriError> {
        UriRef::of(text).map(UriRef::into_owned)
    }

    /// Builds `sip:user@host:port`, escaping what a user part cannot hold.
    ///
    /// # Errors
    /// `host_port` is no host with an optional port.
    pub fn sip(user: &str, host_port: &str) -> Result<Uri, UriError> {
        let user = escape_user(user);
        match user.is_empty() {
            true => Uri::parse(&format!("sip:{host_port}")),
            false => Uri::parse(&format!("sip:{user}@{host_port}")),
        }
    }
}

impl<'a> Uri<&'a str> {
    /// Reads a URI where it stands, as [`Uri::parse`] does.
    ///
    /// # Errors
    /// See [`UriError`].
    #[inline]
    pub fn of(text: &'a str) -> Result<UriRef<'a>, UriError> {
        let (scheme, start) = scheme(text).ok_or(UriError::NoScheme)?;
        let parts = match scheme {
            Scheme::Sip | Scheme::Sips => sip_parts(text, start)?,
            Scheme::Tel => tel_parts(text, start)?,
            Scheme::Other => other_parts(text, start)?,
        };
        Ok(Uri {
            text,
            scheme,
            parts,
        })
    }

    /// Returns a copy that outlives the text.
    pub fn into_owned(self) -> Uri {
        Uri {
            text: self.text.to_owned(),
            scheme: self.scheme,
            parts: self.parts,
        }
    }
}

impl<T: AsRef<str>> Uri<T> {
    /// Returns the URI with `;name` or `;name=value` after its other parameters, before its headers.
    ///
    /// # Errors
    /// The parameter holds characters that no URI has.
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Result<Uri, UriError> {
        let text = self.as_str();
        let at = self.parts.params_end as usize;
        let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
        let param = value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
        Uri::parse(&format!("{before};{param}{after}"))
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the text as written.
    pub fn as_str(&self) -> &str {
        self.text.as_ref()
    }

    /// Returns the user part as written, or the number of a `tel:`.
    pub fn user(&self) -> Option<&str> {
        let Parts {
            start, user_end, ..
        } = self.parts;
        (start < user_end).then(|| self.part(start, user_end))
    }

    /// Returns the user part with `%41` read as `A`; what that makes of non-UTF-8 is replaced.
    pub fn user_unescaped(&self) -> Option<Cow<'_, str>> {
        self.user().map(unescape)
    }

    /// Returns the password as written. It is sent in clear: never set one.
    pub fn password(&self) -> Option<&str> {
        let Parts {
            user_end,
            host_start,
            ..
        } = self.parts;
        let behind_user = self.part(user_end, host_start);
        behind_user.strip_prefix(':')?.strip_suffix('@')
    }

    /// Returns the host as written, an IPv6 address in its brackets; empty for `tel:` and unknown schemes.
    pub fn host(&self) -> &str {
        self.part(self.parts.host_start, self.parts.host_end)
    }

    /// Returns the port, where one was written.
    pub fn port(&self) -> Option<u16> {
        self.parts.port
    }

    /// Returns the host's address, where it is one rather than a name.
    pub fn ip(&self) -> Option<IpAddr> {
        host::ip(self.host())
    }

    /// Returns where to send, where the host is an address; the port defaults to 5060, or 5061 for `sips:`.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let default = if self.scheme == Scheme::Sips {
            5061
        } else {
            5060
        };
        Some(SocketAddr::new(self.ip()?, self.port().unwrap_or(default)))
    }

    /// Returns the parameters; none where they are malformed.
    pub fn params(&self) -> ParamsRef<'_> {
        let list = self.part(self.parts.params_start, self.parts.params_end);
        ParamsRef::of(list).unwrap_or_default()
    }

    /// Returns the parameter `name`, `""` where it has no value.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut params = self.params().into_params();
        let found = params.find(|param| param.name.eq_ignore_ascii_case(name))?;
        Some(found.value.unwrap_or(""))
    }

    /// Returns what follows the `?`, escaped as written.
    pub fn headers(&self) -> Option<&str> {
        let (_, headers) = self
            .as_str()
            .split_at_checked(self.parts.params_end as usize)?;
        headers.strip_prefix('?')
    }

    fn part(&self, start: u32, end: u32) -> &str {
        self.as_str()
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }
}

impl std::str::FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Uri, UriError> {
        Uri::parse(text)
    }
}

impl<T: AsRef<str>> fmt::Display for Uri<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<T: AsRef<str>> fmt::Debug for Uri<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({})", self.as_str())
    }
}

/// Returns the scheme, and where what follows its colon begins.
#[inline]
fn scheme(text: &str) -> Option<(Scheme, usize)> {
    // As nearly everybody writes it.
    if text.starts_with("sip:") {
        return Some((Scheme::Sip, "sip:".len()));
    }
    const SCHEME_BYTES: [bool; 256] = text::bytes_of(b"+-.");
    let (name, _) = text.split_once(':')?;
    let starts_well = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let is_scheme = text::length_in(name.as_bytes(), &SCHEME_BYTES) == name.len();
    let scheme = match name {
        _ if name.eq_ignore_ascii_case("sip") => Scheme::Sip,
        _ if name.eq_ignore_ascii_case("sips") => Scheme::Sips,
        _ if name.eq_ignore_ascii_case("tel") => Scheme::Tel,
        _ => Scheme::Other,
    };
    (starts_well && is_scheme).then_some((scheme, name.len() + 1))
}

/// Marks what can stand nowhere in a URI.
#[inline]
fn forbidden(block: Block) -> Marks {
    block.is_at_most(b' ') | block.is_any([b'"', b'<', b'>', 0x7f])
}

/// Returns where the part that begins at `start` ends: before the first of `ends`, or with the text.
#[inline]
fn part_end<const N: usize>(text: &str, start: usize, ends: [u8; N]) -> Result<usize, UriError> {
    let Some(part) = text.as_bytes().get(start..) else {
        return Ok(text.len());
    };
    let marks = |block: Block| forbidden(block) | block.is_any(ends);
    let length = text::find_marked(part, marks).unwrap_or(part.len());
    match part.get(length) {
        Some(byte) if !ends.contains(byte) => Err(UriError::Character(*byte)),
        _ => Ok(start + length),
    }
}

#[inline]
fn sip_parts(text: &str, start: usize) -> Result<Parts, UriError> {
    let (user_end, host_start) = user(text, start)?;
    let host_end = host_end(text, host_start)?;
    let (port, params_start) = port(text, host_end)?;
    let params_end = params_end(text, params_start)?;
    Ok(Parts {
        start: narrow(start),
        user_end: narrow(user_end),
        host_start: narrow(host_start),
        host_end: narrow(host_end),
        port,
        params_start: narrow(params_start),
        params_end: narrow(params_end),
    })
}

/// Returns where the user part ends and the host begins. The user part may hold ';' and '?' (RFC 4475 §3.1.1.9), and a password
/// may stand between it and the '@'.
#[inline]
fn user(text: &str, start: usize) -> Result<(usize, usize), UriError> {
    let byte = |at: usize| text.as_bytes().get(at);
    let end = part_end(text, start, [b':', b'@'])?;
    let at = match byte(end) {
        Some(b':') => part_end(text, end, [b'@'])?,
        _ => end,
    };
    match byte(at) {
        None => Ok((start, start)),
        Some(_) if end == start => Err(UriError::User),
        Some(_) => Ok((end, at + 1)),
    }
}

#[inline]
fn host_end(text: &str, start: usize) -> Result<usize, UriError> {
    let rest = text.get(start..).unwrap_or("");
    let end = start + host::host_length(rest).ok_or(UriError::Host)?;
    match text.as_bytes().get(end) {
        None | Some(b':' | b';' | b'?') => Ok(end),
        // Perhaps a byte that stands in no URI at all.
        Some(_) => part_end(text, end, []).and(Err(UriError::Host)),
    }
}

#[inline]
fn port(text: &str, start: usize) -> Result<(Option<u16>, usize), UriError> {
    if text.as_bytes().get(start) != Some(&b':') {
        return Ok((None, start));
    }
    let end = part_end(text, start + 1, [b';', b'?'])?;
    let port = text.get(start + 1..end).and_then(text::decimal);
    Ok((Some(port.ok_or(UriError::Port)?), end))
}

/// Returns where the parameters end: with the text, or at the '?' of the headers.
#[inline]
fn params_end(text: &str, start: usize) -> Result<usize, UriError> {
    let end = part_end(text, start, [b'?', b'@'])?;
    match text.as_bytes().get(end) {
        None => Ok(end),
        Some(b'?') => part_end(text, end, []).map(|_| end),
        Some(_) => Err(UriError::Params),
    }
}

fn tel_parts(text: &str, start: usize) -> Result<Parts, UriError> {
    let end = part_end(text, start, [b';'])?;
    part_end(text, end, [])?;
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#');
    let number = text.as_bytes().get(start..end).unwrap_or_default();
    if !number.iter().any(is_digit) {
        return Err(UriError::Number);
    }
    Ok(Parts::without_host(start, end, text.len()))
}

fn other_parts(text: &str, start: usize) -> Result<Parts, UriError> {
    part_end(text, start, [])?;
    Ok(Parts::without_host(text.len(), text.len(), text.len()))
}

impl Parts {
    /// A user part and parameters, all that a `tel:` has.
    fn without_host(start: usize, user_end: usize, text_end: usize) -> Parts {
        let [start, user_end, text_end] = [start, user_end, text_end].map(narrow);
        Parts {
            start,
            user_end,
            host_start: user_end,
            host_end: user_end,
            port: None,
            params_start: user_end,
            params_end: text_end,
        }
    }
}

fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        // unreserved and user-unreserved (RFC 3261 §25.1)
        match byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            true => escaped.push(char::from(byte)),
            false => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        rest = match after.get(..2).and_then(hex_byte) {
            Some(byte) => {
                bytes.push(byte);
                after.get(2..).unwrap_or("")
            }
            None => {
                bytes.push(b'%');
                after
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex_byte(digits: &str) -> Option<u8> {
    let both = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    both.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Uri {
        let uri = Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(uri.to_string(), text);
        uri
    }

    #[test]
    fn parts_of_sip_uris() {
        let cases = [
            (
                "sip:john.doe@example.com",
                Some("john.doe"),
                "example.com",
                None,
            ),
            (
                "sip:+61491570006@[2001:db8::10]:5070",
                Some("+61491570006"),
                "[2001:db8::10]",
                Some(5070),
            ),
            ("sips:a:p.w@b.c", Some("a"), "b.c", None),
            ("sip:example.com;lr", None, "example.com", None),
            (
                "SIP:192.0.2.1:5061?Subject=x",
                None,
                "192.0.2.1",
                Some(5061),
            ),
            (
                "sip:1234;phone-context=+61@h",
                Some("1234;phone-context=+61"),
                "h",
                None,
            ),
            (
                "sip:%23#99@h_1.example",
                Some("%23#99"),
                "h_1.example",
                None,
            ),
        ];
        for (text, user, host, port) in cases {
            let uri = parse(text);
            assert_eq!(
                (uri.user(), uri.host(), uri.port()),
                (user, host, port),
                "{text}"
            );
        }
    }

    #[test]
    fn parameters_and_headers() {
        let uri = parse("sip:+61491570006@sip.carrier.test;user=phone;lr=on?Reason=x@y");
        assert_eq!(uri.param("USER"), Some("phone"));
        assert_eq!(uri.headers(), Some("Reason=x@y"));
        let with = uri.with_param("transport", Some("tcp")).unwrap();
        assert_eq!(
            with.as_str(),
            "sip:+61491570006@sip.carrier.test;user=phone;lr=on;transport=tcp?Reason=x@y"
        );
    }

    #[test]
    fn telephone_numbers() {
        let uri = parse("tel:7042;phone-context=example.com");
        assert_eq!((uri.scheme(), uri.user()), (Scheme::Tel, Some("7042")));
        assert_eq!(uri.param("phone-context"), Some("example.com"));
        assert_eq!(Uri::parse("tel:"), Err(UriError::Number));
    }

    #[test]
    fn what_is_no_uri() {
        let cases = [
            ("", UriError::NoScheme),
            ("example.com", UriError::NoScheme),
            ("<sip:a@b>", UriError::NoScheme),
            ("sip:a@b; lr", UriError::Character(b' ')),
            ("sip:a\r\nb@c", UriError::Character(b'\r')),
            ("sip:@b", UriError::User),
            ("sip:a@", UriError::Host),
            ("sip:a@b@c", UriError::Host),
            ("sip:a@2001:db8::1", UriError::Port),
            ("sip:a@b:70000", UriError::Port),
            ("sip:a;b@c;d@e", UriError::Params),
        ];
        for (text, error) in cases {
            assert_eq!(Uri::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn escapes_are_undone_once_and_made_where_needed() {
        assert_eq!(
            parse("sip:%75se%72%25%34@h").user_unescaped().as_deref(),
            Some("user%4")
        );
        assert_eq!(parse("sip:50%@h").user_unescaped().as_deref(), Some("50%"));
        assert_eq!(
            Uri::sip("a b@c", "h:5060").unwrap().as_str(),
            "sip:a%20b%40c@h:5060"
        );
        assert_eq!(Uri::sip("", "h").unwrap().as_str(), "sip:h");
    }

    #[test]
    fn where_to_send() {
        let addr = |text: &str| parse(text).socket_addr().map(|addr| addr.to_string());
        assert_eq!(addr("sip:a@127.0.0.1"), Some("127.0.0.1:5060".to_owned()));
        assert_eq!(addr("sips:[::1]"), Some("[::1]:5061".to_owned()));
        assert_eq!(addr("sip:a@example.com"), None);
    }
}
