//! Hosts and ports, as they stand in URIs and in Via.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::header::ValueError;
use crate::text;

/// A host name or address with an optional port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: Option<u16>,
}

impl HostPort {
    /// Reads `host`, `host:port` or `[IPv6]:port`; blanks around the colon are allowed (RFC 3261 §25.1, COLON).
    ///
    /// # Errors
    /// The host is empty or holds characters that no host has, or the port is no number below 65536.
    pub fn parse(text: &str) -> Result<HostPort, ValueError> {
        let (host, port) = split_port(text::trim(text));
        if !is_host(host) {
            return Err(ValueError::Malformed("host"));
        }
        let port = port
            .map(|port| text::decimal(text::trim(port)).ok_or(ValueError::Malformed("port")))
            .transpose()?;
        Ok(HostPort {
            host: host.to_owned(),
            port,
        })
    }

    /// Returns the host as written, an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, where one was written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns the address, where the host is one rather than a name.
    pub fn ip(&self) -> Option<IpAddr> {
        ip(&self.host)
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

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
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

/// Splits `host:port`, knowing that the colons inside `[...]` belong to the host.
pub(crate) fn split_port(text: &str) -> (&str, Option<&str>) {
    let host_ends = text.find(']').map_or(0, |at| at + 1);
    let colon = text
        .get(host_ends..)
        .and_then(|rest| rest.find(':'))
        .map(|at| at + host_ends);
    match colon.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))) {
        Some((host, port)) => (host.trim_end_matches([' ', '\t']), Some(port)),
        None => (text, None),
    }
}

/// Returns whether `text` can be a host. Underscores are no part of RFC 3261's grammar, but stand in real names.
pub(crate) fn is_host(text: &str) -> bool {
    if text.starts_with('[') {
        return matches!(ip(text), Some(IpAddr::V6(_)));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
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
