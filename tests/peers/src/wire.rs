use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use housecall_sip::Peer;

/// How SIP travels in a test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wire {
    Udp,
    Tcp,
    /// TCP with TLS in it.
    Tls,
    /// Datagrams between addresses of IPv6.
    Udp6,
}

impl Wire {
    pub(crate) fn ip(self) -> IpAddr {
        match self {
            Self::Udp | Self::Tcp | Self::Tls => Ipv4Addr::LOCALHOST.into(),
            Self::Udp6 => Ipv6Addr::LOCALHOST.into(),
        }
    }

    pub(crate) fn peer(self, port: u16) -> Peer {
        let addr = SocketAddr::new(self.ip(), port);
        match self {
            Self::Udp | Self::Udp6 => Peer::udp(addr),
            Self::Tcp => Peer::tcp(addr),
            Self::Tls => Peer::tls(addr),
        }
    }

    pub(crate) fn is_connection(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }
}

/// Holds a conversation over each of `wires` at once.
///
/// # Panics
/// One of them has panicked; the panic's own words come before the name of its wire.
pub(crate) async fn over<F>(wires: &[Wire], conversation: impl Fn(Wire) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let held = wires
        .iter()
        .map(|wire| (wire, tokio::spawn(conversation(*wire))));
    for (wire, held) in held.collect::<Vec<_>>() {
        assert!(held.await.is_ok(), "over {wire:?}");
    }
}

/// Ports below those that the system gives out by itself; each test process begins its search elsewhere.
const FIRST: u32 = 12_000;
const LAST: u32 = 32_000;

/// Finds `count` ports, one after the other, that are free for UDP and TCP; the first is even.
pub(crate) fn free_ports(ip: IpAddr, count: u16) -> u16 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(34);
    for _ in 0..1_000 {
        let at = begin.wrapping_add(NEXT.fetch_add(8, Ordering::Relaxed));
        let port = u16::try_from(FIRST + at % (LAST - FIRST)).unwrap() & !1;
        if (port..port + count).all(|port| is_free(SocketAddr::new(ip, port))) {
            return port;
        }
    }
    panic!("no {count} free ports on {ip}");
}

fn is_free(addr: SocketAddr) -> bool {
    UdpSocket::bind(addr).is_ok() && TcpListener::bind(addr).is_ok()
}
