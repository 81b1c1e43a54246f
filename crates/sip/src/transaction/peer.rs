use std::fmt;
use std::net::SocketAddr;

/// The address of another SIP element, and how to reach it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Peer {
    /// UDP repeats lost messages itself; TCP leaves that to the connection.
    pub transport: Transport,
    /// Where its messages come from and ours go to.
    pub addr: SocketAddr,
}

impl Peer {
    /// A peer reached over UDP.
    pub fn udp(addr: SocketAddr) -> Self {
        let transport = Transport::Udp;
        Self { transport, addr }
    }

    /// A peer reached over TCP.
    pub fn tcp(addr: SocketAddr) -> Self {
        let transport = Transport::Tcp;
        Self { transport, addr }
    }

    /// A peer reached over TLS. Which name its certificate must carry is known to whoever opens the connection.
    pub fn tls(addr: SocketAddr) -> Self {
        let transport = Transport::Tls;
        Self { transport, addr }
    }

    /// Whether it is the same element as `other`, reached no less safely: what is meant for `other` alone may go to it as well.
    ///
    /// UDP and TCP of one address are as open as each other; TLS is another matter.
    pub(crate) fn stands_for(self, other: Self) -> bool {
        let is_safe = |peer: Self| peer.transport == Transport::Tls;
        self.addr == other.addr && is_safe(self) == is_safe(other)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.addr)
    }
}

/// What carries SIP messages to a peer. Displays as the token of a Via header.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Transport {
    /// One message a datagram; lost ones are repeated by the transactions.
    Udp,
    /// A byte stream framed by Content-Length (RFC 3261 §18.3).
    Tcp,
    /// The same inside TLS 1.2 or 1.3 (RFC 3261 §26.2.1).
    Tls,
}

impl Transport {
    /// Whether the transport itself repeats what is lost, so that the transactions need not (RFC 3261 §17.1.1.2).
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        })
    }
}
