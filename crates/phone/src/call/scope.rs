//! Where sound may go. A description names any address its writer likes; a relay that obeys sends to its own machine, to everybody on
//! its link, or to itself.

use std::net::{IpAddr, SocketAddr};

use housecall_media::sdp::MediaTarget;

/// Who describes where it wants sound, and who would send it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The trunk, as we reach it.
    pub(super) peer: IpAddr,
    /// What we listen at.
    pub(super) own: [SocketAddr; 2],
}

/// How far an address is known. Who is known far and wide has no business with an address that means something else to him than to us.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Scope {
    Machine,
    Link,
    World,
}

impl Bounds {
    /// The target, with its reports only where they may go; none if no sound may go there.
    ///
    /// `0.0.0.0` is no address but an old way to hold (RFC 3264 §8.4): it is let through where nothing is sent.
    pub(super) fn fit(&self, mut target: MediaTarget) -> Option<MediaTarget> {
        let is_hold = target.remote.ip().is_unspecified() && !target.direction.sends();
        target.rtcp = target.rtcp.filter(|rtcp| self.allows(*rtcp));
        (is_hold || self.allows(target.remote)).then_some(target)
    }

    fn allows(&self, addr: SocketAddr) -> bool {
        let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
        let is_near_enough = Scope::of(addr.ip()) >= Some(self.peer_scope());
        is_near_enough && addr.port() != 0 && !self.own.contains(&addr)
    }

    fn peer_scope(&self) -> Scope {
        let is_here = self.own.iter().any(|own| own.ip() == self.peer);
        match Scope::of(self.peer) {
            _ if is_here => Scope::Machine,
            scope => scope.unwrap_or(Scope::World),
        }
    }
}

impl Scope {
    /// None for what is nobody's own address: "this network" (RFC 1122 §3.2.1.3), multicast, what is reserved and broadcast (RFC 1112 §4);
    /// the unspecified address, IPv4 in the old disguise and multicast of IPv6 (RFC 4291 §2.5.2, §2.5.5.1, §2.7).
    fn of(ip: IpAddr) -> Option<Self> {
        match ip.to_canonical() {
            IpAddr::V4(ip) => match ip.octets() {
                [0 | 224..=255, ..] => None,
                [127, ..] => Some(Self::Machine),
                [169, 254, ..] => Some(Self::Link),
                _ => Some(Self::World),
            },
            IpAddr::V6(ip) => match ip.segments() {
                [0, 0, 0, 0, 0, 0, 0, 1] => Some(Self::Machine),
                [0, 0, 0, 0, 0, 0, ..] | [0xff00..=0xffff, ..] => None,
                [0xfe80..=0xfebf, ..] => Some(Self::Link),
                _ => Some(Self::World),
            },
        }
    }
}
