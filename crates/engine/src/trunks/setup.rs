use std::sync::Arc;
use std::time::Duration;

use housecall_phone::Trunk;
use housecall_sip::Peer;
use housecall_sip::target::{Families, Target};

/// A trunk, where it is, and how it is minded.
#[derive(Clone, Debug)]
pub struct TrunkSetup {
    /// How to speak to it.
    pub trunk: Arc<Trunk>,
    /// Where it is.
    pub reach: Reach,
    /// The name that its certificate must carry, where it is reached by TLS: what the administrator wrote, never what DNS said
    /// (RFC 5922 §4).
    pub tls_name: String,
    /// How it knows that we are its customer.
    pub mode: TrunkMode,
    /// How often it is asked whether it lives; none if it is not asked. Every 30 s.
    pub ping: Option<Duration>,
    /// Calls that it takes at once; as many as there are, if none is given.
    pub calls_max: Option<usize>,
    /// Which addresses of a name are of use; those that our own socket can reach, if none is given.
    pub families: Option<Families>,
}

/// Where a trunk is.
#[derive(Clone, Debug)]
pub enum Reach {
    /// At these addresses, best first.
    Peers(Vec<Peer>),
    /// Where DNS says (RFC 3263).
    Target(Target),
}

/// How a trunk knows that we are its customer. Challenges are answered in both modes, where it has credentials.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrunkMode {
    /// By our address, or by the challenge to each call.
    IpAuth,
    /// By a registration (RFC 3261 §10).
    Registration {
        /// The user part of our address of record.
        user: String,
        /// How long a registration shall hold.
        expires: Duration,
    },
}

impl TrunkSetup {
    /// The pause between two pings: a dead trunk is known within a minute, and nobody minds two requests a minute.
    pub const PING: Duration = Duration::from_secs(30);
    /// How long a registration shall hold.
    pub const EXPIRES: Duration = Duration::from_secs(3600);

    /// A trunk without registration that is pinged.
    pub fn new(trunk: impl Into<Arc<Trunk>>, reach: impl Into<Reach>) -> Self {
        let (trunk, reach) = (trunk.into(), reach.into());
        let tls_name = match &reach {
            Reach::Target(target) if target.ip().is_none() => target.host.clone(),
            Reach::Target(_) | Reach::Peers(_) => trunk.domain.clone(),
        };
        Self {
            trunk,
            reach,
            tls_name,
            mode: TrunkMode::IpAuth,
            ping: Some(Self::PING),
            calls_max: None,
            families: None,
        }
    }

    /// The same trunk, with `user` registered there for an hour at a time.
    #[must_use]
    pub fn with_registration(self, user: &str) -> Self {
        let mode = TrunkMode::Registration {
            user: user.to_owned(),
            expires: Self::EXPIRES,
        };
        Self { mode, ..self }
    }

    /// Whether anybody finds out by himself that the trunk is down.
    pub(crate) fn is_watched(&self) -> bool {
        self.ping.is_some() || self.mode != TrunkMode::IpAuth
    }
}

impl From<Peer> for Reach {
    fn from(peer: Peer) -> Self {
        Self::Peers(vec![peer])
    }
}

impl From<Vec<Peer>> for Reach {
    fn from(peers: Vec<Peer>) -> Self {
        Self::Peers(peers)
    }
}

impl From<Target> for Reach {
    fn from(target: Target) -> Self {
        Self::Target(target)
    }
}
