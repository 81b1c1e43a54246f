//! Hosts and ports, as they stand in URIs and in Via.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::header::ValueError;
use crate::text;

/// A host name or address with an optional port.
///
/// As [`HostPortRef`] it borrows the text it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostPort<T = String> {
    host: T,
    port: Option<u16>,
}

/// A [`HostPort`] that lies in a message.
pub type HostPortRef<'a> = HostPort<&'a str>;

impl HostPort {
    /// Reads `host`, `host:port` or `[IPv6]:port`; blanks around the colon are allowed (RFC 3261 §25.1, COLON).
    ///
    /// # Errors
    /// The host is empty or holds characters that no host has, or the port is no number below 65536.
    pub fn parse(text: &str) -> Result<HostPort, ValueError> {
        HostPortRef::of(text).map(HostPortRef::into_owned)
    }
}

impl<'a> HostPort<&'a str> {
    /// Reads a host where it stands, as [`HostPort::parse`] does.
    ///
    /// # Errors
    /// The same.
    #[inline]
    pub fn of(text: &'a str) -> Result<HostPortRef<'a>, ValueError> {
        let text = text::trim(text);
        let length = host_length(text).ok_or(ValueError::Malformed("host"))?;
        let (host, rest) = text.split_at_checked(length).unwrap_or((text, ""));
        let port = match text::trim(rest).strip_prefix(':') {
            Some(port) => {
                Some(text::decimal(text::trim(port)).ok_or(ValueError::Malformed("port"))?)
            }
            None if rest.is_empty() => None,
            None => return Err(ValueError::Malformed("host")),
        };
        Ok(HostPort { host, port })
    }

    /// Returns a copy that outlives the text.
    pub fn into_owned(self) -> HostPort {
        HostPort {
            host: self.host.to_owned(),
            port: self.port,
        }
    }
}

impl<T: AsRef<str>> HostPort<T> {
    /// Returns the host as written, an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        self.host.as_ref()
    }

    /// Returns the port, where one was written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns the address, where the host is one rather than a name.
    pub fn ip(&self) -> Option<IpAddr> {
        ip(self.host())
    }
}

impl From<SocketAddr> for HostPort {
    fn from(addr: SocketAddr) -> HostPort {
        let host = match addr.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        HostPort {
            host,
            port: Some(addr.port()),
        }
    }
}

impl<T: AsRef<str>> fmt::Display for HostPort<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.host())?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Returns the address that `text` is, with or without IPv6 brackets.
pub(crate) fn ip(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse().ok()
}

/// Returns whether `text` can be a host.
pub(crate) fn is_host(text: &str) -> bool {
    host_length(text) == Some(text.len())
}

/// Returns the length of the host that `text` begins with, an IPv6 address in its brackets; `None` where it begins with none.
/// Underscores are no part of RFC 3261's grammar, but stand in real names.
#[inline]
pub(crate) fn host_length(text: &str) -> Option<usize> {
    const HOST_BYTES: [bool; 256] = text::bytes_of(b"-._");
    match text.as_bytes().first()? {
        b'[' => literal_length(text),
        _ => Some(text::length_in(text.as_bytes(), &HOST_BYTES)).filter(|length| *length > 0),
    }
}

fn literal_length(text: &str) -> Option<usize> {
    let end = text::find(text.as_bytes(), [b']'])? + 1;
    matches!(ip(text.get(..end)?), Some(IpAddr::V6(_))).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let cases = [
            ("example.com", "example.com", None),
            ("192.0.2.1:5080", "192.0.2.1", Some(5080)),
            ("[2001:db8::1]", "[2001:db8::1]", None),
            ("[2001:db8::1]:5070", "[2001:db8::1]", Some(5070)),
            ("host : 5060", "host", Some(5060)),
        ];
        for (text, host, port) in cases {
            let parsed = HostPort::parse(text).unwrap();
            assert_eq!((parsed.host(), parsed.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ":5060",
            "a b",
            "[::g]",
            "2001:db8::1",
            "h:65536",
            "h:-1",
            "h:",
            "a@b",
            "[::1",
        ] {
            assert!(HostPort::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_ipv6_socket_address_gets_brackets() {
        let addr: SocketAddr = "[::1]:5060".parse().unwrap();
        assert_eq!(HostPort::from(addr).to_string(), "[::1]:5060");
        assert_eq!(HostPort::from(addr).ip(), Some(addr.ip()));
    }
}
