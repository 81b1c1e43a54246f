use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::{Params, ValueError};
use crate::host::{self, HostPort};
use crate::text;

/// What a branch made by RFC 3261 rules begins with (§8.1.1.7).
pub(crate) const MAGIC_COOKIE: &str = "z9hG4bK";

/// One hop a request has taken, and a response must go back (RFC 3261 §20.42).
///
/// As [`ViaRef`] it borrows the text it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<T: AsRef<str> = String> {
    /// The transport: `UDP`, `TCP` and the others we know in upper case, any other as it was written.
    pub transport: T,
    /// Where the sender says it is.
    pub sent_by: HostPort<T>,
    /// `branch`, `rport`, `received` and others.
    pub params: Params<T>,
}

/// A [`Via`] that lies in a message.
pub type ViaRef<'a> = Via<&'a str>;

impl Via {
    /// Makes a Via for a request of our own; asks for `rport` (RFC 3581).
    pub fn new(transport: &str, sent_by: HostPort, branch: &str) -> Via {
        let mut params = Params::default();
        params.set("branch", Some(branch));
        params.set("rport", None);
        Via {
            transport: upper_case(transport).unwrap_or(transport).to_owned(),
            sent_by,
            params,
        }
    }

    /// Reads `SIP/2.0/UDP host:port;params`, blanks allowed around each slash.
    ///
    /// # Errors
    /// The protocol is not SIP/2.0, or the transport, sent-by or a parameter is malformed.
    pub fn parse(value: &str) -> Result<Via, ValueError> {
        ViaRef::of(value).map(ViaRef::into_owned)
    }

    /// Notes where the request really came from (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn stamp(&mut self, source: SocketAddr) {
        if self.has_rport() {
            self.params.set("rport", Some(&source.port().to_string()));
        }
        if self.has_rport() || self.sent_by.ip() != Some(source.ip()) {
            self.params.set("received", Some(&source.ip().to_string()));
        }
    }
}

impl<'a> Via<&'a str> {
    /// Reads a Via where it stands, as [`Via::parse`] does.
    ///
    /// # Errors
    /// The same.
    pub fn of(value: &'a str) -> Result<ViaRef<'a>, ValueError> {
        let rest = after_protocol(text::trim(value))?;
        let (transport, rest) = text::split_blank(rest).ok_or(ValueError::Malformed("sent-by"))?;
        let known = upper_case(transport);
        if known.is_none() && !text::is_token(transport) {
            return Err(ValueError::Malformed("sent-protocol"));
        }
        let (sent_by, params) = text::split_params(rest);
        Ok(Via {
            transport: known.unwrap_or(transport),
            sent_by: HostPort::of(sent_by)?,
            params: Params::of(params)?,
        })
    }

    /// Returns a copy that outlives the text.
    pub fn into_owned(self) -> Via {
        Via {
            transport: self.transport.to_owned(),
            sent_by: self.sent_by.into_owned(),
            params: self.params.into_owned(),
        }
    }
}

impl<T: AsRef<str>> Via<T> {
    /// Returns the branch as written.
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch")
    }

    /// Returns the branch where it alone names the transaction; `None` where RFC 2543 matching is needed
    /// (no magic cookie, or nothing behind it: RFC 4475 §3.2.1).
    pub fn transaction_branch(&self) -> Option<&str> {
        let branch = self.branch()?;
        let (cookie, id) = branch.split_at_checked(MAGIC_COOKIE.len())?;
        (cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && !id.is_empty()).then_some(branch)
    }

    /// Returns the address the request came from, where the receiver wrote it down.
    pub fn received(&self) -> Option<IpAddr> {
        self.params.get("received").and_then(host::ip)
    }

    /// Returns the port the request came from, where the receiver wrote it down.
    pub fn rport(&self) -> Option<u16> {
        self.params.get("rport").and_then(text::decimal)
    }

    /// Returns whether the sender asked for, or got, symmetric response routing (RFC 3581).
    pub fn has_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// Returns where a response over a datagram goes (RFC 3261 §18.2.2); `None` where only a name is known.
    pub fn response_addr(&self) -> Option<SocketAddr> {
        let ip = self.received().or_else(|| self.sent_by.ip())?;
        let default = if self.transport.as_ref() == "TLS" {
            5061
        } else {
            5060
        };
        let port = self.rport().or(self.sent_by.port()).unwrap_or(default);
        Some(SocketAddr::new(ip, port))
    }
}

impl<T: AsRef<str>> fmt::Display for Via<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SIP/2.0/{} {}{}",
            self.transport.as_ref(),
            self.sent_by,
            self.params
        )
    }
}

/// Returns what stands behind `SIP/2.0/`: the transport and all else.
fn after_protocol(value: &str) -> Result<&str, ValueError> {
    if let Some(rest) = value.strip_prefix("SIP/2.0/") {
        return Ok(text::trim(rest));
    }
    let mut parts = value.splitn(3, '/').map(text::trim);
    let name = parts.next().unwrap_or("");
    let version = parts.next().unwrap_or("");
    let rest = parts.next().filter(|_| version == "2.0");
    let rest = rest.filter(|_| name.eq_ignore_ascii_case("SIP"));
    rest.ok_or(ValueError::Malformed("sent-protocol"))
}

/// Returns the transport as RFC 3261 §20.42 and its extensions spell it, where they do.
fn upper_case(transport: &str) -> Option<&'static str> {
    const KNOWN: [&str; 7] = ["UDP", "TCP", "TLS", "WS", "WSS", "SCTP", "TLS-SCTP"];
    KNOWN
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(transport))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Via {
        Via::parse(text).unwrap()
    }

    #[test]
    fn blanks_around_slashes_and_signs() {
        let via = parse("SIP  / 2.0  / TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8");
        assert_eq!(
            via.to_string(),
            "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8"
        );
    }

    #[test]
    fn ipv6_with_received_and_rport() {
        let via = parse(
            "SIP/2.0/UDP [2001:db8::9:1]:5062;received=[2001:db8::9:255];rport=5099;branch=z9hG4bKas3-111",
        );
        assert_eq!(via.sent_by.host(), "[2001:db8::9:1]");
        assert_eq!(
            via.response_addr(),
            Some("[2001:db8::9:255]:5099".parse().unwrap())
        );
        let bare = parse("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255");
        assert_eq!(bare.received(), Some("2001:db8::9:255".parse().unwrap()));
    }

    #[test]
    fn stamping_tells_the_truth() {
        let mut asked = parse("SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;rport");
        asked.stamp("198.51.100.7:40000".parse().unwrap());
        assert_eq!(
            asked.response_addr(),
            Some("198.51.100.7:40000".parse().unwrap())
        );
        let mut silent = parse("SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK1");
        silent.stamp("198.51.100.7:40000".parse().unwrap());
        assert!(!silent.params.has("received"));
        assert_eq!(
            silent.response_addr(),
            Some("198.51.100.7:5070".parse().unwrap())
        );
    }

    #[test]
    fn a_branch_names_a_transaction_only_with_cookie_and_more() {
        let branch = |text: &str| parse(text).transaction_branch().map(str::to_owned);
        assert_eq!(
            branch("SIP/2.0/UDP h;branch=z9hG4bKa"),
            Some("z9hG4bKa".to_owned())
        );
        assert_eq!(branch("SIP/2.0/UDP h;branch=z9hG4bK"), None);
        assert_eq!(branch("SIP/2.0/UDP h;branch=1"), None);
        assert_eq!(branch("SIP/2.0/UDP h"), None);
    }

    #[test]
    fn malformed_hops_are_refused() {
        for text in [
            "",
            ";",
            "SIP/2.0/UDP",
            "SIP/7.0/UDP c.example.com",
            "SIP/2.0 h",
            "SIP/2.0/U@P h",
            "SIP/2.0/UDP ;branch=1",
        ] {
            assert!(Via::parse(text).is_err(), "{text:?}");
        }
    }
}
