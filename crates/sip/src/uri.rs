//! URIs: `sip:`, `sips:`, `tel:`, and any other scheme kept whole.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use crate::header::Params;
use crate::host;
use crate::text;

/// A URI that prints exactly as it was written (RFC 3261 §19.1, RFC 3966).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    text: String,
    scheme: Scheme,
    parts: Parts,
}

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

/// Where the parts stand in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Parts {
    user: Option<Range<usize>>,
    password: Option<Range<usize>>,
    host: Range<usize>,
    port: Option<u16>,
    params: Range<usize>,
    headers: Option<Range<usize>>,
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
        let scheme_end = text.find(':').ok_or(UriError::NoScheme)?;
        let scheme = scheme(text.get(..scheme_end).unwrap_or("")).ok_or(UriError::NoScheme)?;
        if let Some(byte) = text.bytes().find(|byte| is_forbidden(*byte)) {
            return Err(UriError::Character(byte));
        }
        let parts = match scheme {
            Scheme::Sip | Scheme::Sips => sip_parts(text, scheme_end + 1)?,
            Scheme::Tel => tel_parts(text, scheme_end + 1)?,
            Scheme::Other => Parts::default(),
        };
        Ok(Uri {
            text: text.to_owned(),
            scheme,
            parts,
        })
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

    /// Returns the URI with `;name` or `;name=value` after its other parameters, before its headers.
    ///
    /// # Errors
    /// The parameter holds characters that no URI has.
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Result<Uri, UriError> {
        let at = self
            .parts
            .headers
            .as_ref()
            .map_or(self.text.len(), |range| range.start.saturating_sub(1));
        let (before, after) = self.text.split_at_checked(at).unwrap_or((&self.text, ""));
        let param = value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
        Uri::parse(&format!("{before};{param}{after}"))
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the text as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the user part as written, or the number of a `tel:`.
    pub fn user(&self) -> Option<&str> {
        self.parts
            .user
            .clone()
            .and_then(|range| self.text.get(range))
    }

    /// Returns the user part with `%41` read as `A`; what that makes of non-UTF-8 is replaced.
    pub fn user_unescaped(&self) -> Option<Cow<'_, str>> {
        self.user().map(unescape)
    }

    /// Returns the password as written. It is sent in clear: never set one.
    pub fn password(&self) -> Option<&str> {
        self.parts
            .password
            .clone()
            .and_then(|range| self.text.get(range))
    }

    /// Returns the host as written, an IPv6 address in its brackets; empty for `tel:` and unknown schemes.
    pub fn host(&self) -> &str {
        self.text.get(self.parts.host.clone()).unwrap_or("")
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

    /// Returns the parameters.
    pub fn params(&self) -> Params {
        let text = self.text.get(self.parts.params.clone()).unwrap_or("");
        Params::parse(text).unwrap_or_default()
    }

    /// Returns the parameter `name`, `""` where it has no value.
    pub fn param(&self, name: &str) -> Option<String> {
        let params = self.params();
        params
            .has(name)
            .then(|| params.get(name).unwrap_or("").to_owned())
    }

    /// Returns what follows the `?`, escaped as written.
    pub fn headers(&self) -> Option<&str> {
        self.parts
            .headers
            .clone()
            .and_then(|range| self.text.get(range))
    }
}

impl std::str::FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Uri, UriError> {
        Uri::parse(text)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({})", self.text)
    }
}

fn scheme(text: &str) -> Option<Scheme> {
    let first = text.bytes().next()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !first.is_ascii_alphabetic() || !text.bytes().all(allowed) {
        return None;
    }
    Some(match text {
        _ if text.eq_ignore_ascii_case("sip") => Scheme::Sip,
        _ if text.eq_ignore_ascii_case("sips") => Scheme::Sips,
        _ if text.eq_ignore_ascii_case("tel") => Scheme::Tel,
        _ => Scheme::Other,
    })
}

fn is_forbidden(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f || matches!(byte, b'<' | b'>' | b'"')
}

// The user part may hold ';' and '?' (RFC 4475 §3.1.1.9), so the '@' is looked for first.
fn sip_parts(text: &str, start: usize) -> Result<Parts, UriError> {
    let after_scheme = text.get(start..).unwrap_or("");
    let (user, password, host_start) = match after_scheme.find('@') {
        Some(at) => {
            let (user, password) = user_info(text, start..start + at)?;
            (Some(user), password, start + at + 1)
        }
        None => (None, None, start),
    };
    let rest = text.get(host_start..).unwrap_or("");
    let host_end = host_start + rest.find([';', '?']).unwrap_or(rest.len());
    let (host, port) = host_range(text, host_start..host_end)?;
    let (params, headers) = params_and_headers(text, host_end)?;
    Ok(Parts {
        user,
        password,
        host,
        port,
        params,
        headers,
    })
}

type UserInfo = (Range<usize>, Option<Range<usize>>);

fn user_info(text: &str, range: Range<usize>) -> Result<UserInfo, UriError> {
    let info = text.get(range.clone()).unwrap_or("");
    let user_end = range.start + info.find(':').unwrap_or(info.len());
    if user_end == range.start {
        return Err(UriError::User);
    }
    let password = (user_end < range.end).then(|| user_end + 1..range.end);
    Ok((range.start..user_end, password))
}

fn host_range(text: &str, range: Range<usize>) -> Result<(Range<usize>, Option<u16>), UriError> {
    let (name, port) = host::split_port(text.get(range.clone()).unwrap_or(""));
    if !host::is_host(name) {
        return Err(UriError::Host);
    }
    let port = port
        .map(|port| text::decimal(port).ok_or(UriError::Port))
        .transpose()?;
    Ok((range.start..range.start + name.len(), port))
}

type ParamsAndHeaders = (Range<usize>, Option<Range<usize>>);

fn params_and_headers(text: &str, start: usize) -> Result<ParamsAndHeaders, UriError> {
    let rest = text.get(start..).unwrap_or("");
    let question = rest.find('?').map(|at| start + at);
    let params = start..question.unwrap_or(text.len());
    if text
        .get(params.clone())
        .is_some_and(|params| params.contains('@'))
    {
        return Err(UriError::Params);
    }
    Ok((params, question.map(|at| at + 1..text.len())))
}

fn tel_parts(text: &str, start: usize) -> Result<Parts, UriError> {
    let rest = text.get(start..).unwrap_or("");
    let end = start + rest.find(';').unwrap_or(rest.len());
    let number = text.get(start..end).unwrap_or("");
    let is_number = number
        .bytes()
        .any(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#'));
    if !is_number {
        return Err(UriError::Number);
    }
    Ok(Parts {
        user: Some(start..end),
        params: end..text.len(),
        ..Parts::default()
    })
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
        assert_eq!(uri.param("USER").as_deref(), Some("phone"));
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
        assert_eq!(uri.param("phone-context").as_deref(), Some("example.com"));
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
