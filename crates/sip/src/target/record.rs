use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::Transport;

/// One question to the domain name system.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Query {
    /// Which services the domain offers (RFC 3403).
    Naptr(String),
    /// Which hosts offer one service (RFC 2782).
    Srv(String),
    /// The IPv4 addresses of a host.
    A(String),
    /// The IPv6 addresses of a host.
    Aaaa(String),
}

impl Query {
    /// The name that is asked about.
    pub fn name(&self) -> &str {
        match self {
            Self::Naptr(name) | Self::Srv(name) | Self::A(name) | Self::Aaaa(name) => name,
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Naptr(_) => "NAPTR",
            Self::Srv(_) => "SRV",
            Self::A(_) => "A",
            Self::Aaaa(_) => "AAAA",
        };
        write!(f, "{kind} {}", self.name())
    }
}

/// What the domain name system said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The records, of the kind that was asked for.
    pub records: Records,
    /// How long they hold: the least of theirs.
    pub ttl: Duration,
}

/// Records of one kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Records {
    /// Of a [`Query::Naptr`].
    Naptr(Vec<Naptr>),
    /// Of a [`Query::Srv`].
    Srv(Vec<Srv>),
    /// Of a [`Query::A`] or [`Query::Aaaa`].
    Addresses(Vec<IpAddr>),
}

/// Why there are no records.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoAnswer {
    /// The name, or records of this kind for it, do not exist.
    #[error("no such records")]
    Nothing,
    /// Nobody could say: no answer in time, or a server that failed.
    #[error("no name server answered")]
    Away,
}

/// One service of a domain (RFC 3403 §4.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Naptr {
    /// Lower comes first, always.
    pub order: u16,
    /// Lower comes first among the same order.
    pub preference: u16,
    /// `s`: the replacement is the name of an SRV list.
    pub flags: String,
    /// Such as `SIPS+D2T`.
    pub services: String,
    /// Where to look next.
    pub replacement: String,
}

impl Naptr {
    /// What the record offers that we can use: its transport (RFC 3263 §4.1). Only `s` records lead to a list.
    pub(super) fn transport(&self) -> Option<Transport> {
        let leads_on = self.flags.eq_ignore_ascii_case("s") && !is_root(&self.replacement);
        let services = [
            ("SIP+D2U", Transport::Udp),
            ("SIP+D2T", Transport::Tcp),
            ("SIPS+D2T", Transport::Tls),
        ];
        let known = services
            .iter()
            .find(|(name, _)| self.services.eq_ignore_ascii_case(name));
        known.filter(|_| leads_on).map(|(_, transport)| *transport)
    }
}

/// One host that offers a service (RFC 2782).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Srv {
    /// Lower comes first, always.
    pub priority: u16,
    /// Share of the load among the same priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host; `.` says that the service is decidedly absent.
    pub target: String,
}

impl Srv {
    /// Whether this names a host at all.
    pub(super) fn is_offered(&self) -> bool {
        !is_root(&self.target) && self.port != 0
    }
}

/// The name without the dot at its end that DNS writes and SIP does not.
pub(super) fn relative(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn is_root(name: &str) -> bool {
    relative(name).is_empty()
}
