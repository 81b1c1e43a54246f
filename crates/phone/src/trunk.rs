use std::sync::Arc;
use std::time::Duration;

use housecall_sip::Peer;
use housecall_sip::digest::Credentials;

use crate::{Identity, Overrides};

/// A provider that carries our calls to the telephone network, and how it wants to be spoken to.
///
/// Where it is reached is no part of it: one trunk may have several [`Route`]s.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// What the practice calls it.
    pub name: String,
    /// The host part of the request URI and To, and of From unless [`Identity::from_host`] says otherwise.
    pub domain: String,
    /// What its challenges are answered with; none where it knows us by our address.
    pub credentials: Option<Credentials>,
    /// How it wants to be told who calls.
    pub identity: Identity,
    /// What it means by causes that mean something else elsewhere.
    pub outcomes: Overrides,
    /// How long it may leave an INVITE without any response before the next route is tried.
    pub answer_within: Duration,
    /// Whether 408 and every 5xx before the phone rings make us try the next route, as 503 always does. Off unless the trunk sends them
    /// for faults of its own: they may come from behind it, where another trunk rings the same phone again.
    pub next_on_server_error: bool,
}

impl Trunk {
    /// A trunk that is up sends 100 within 200 ms (RFC 3261 §17.2.1): 4 s are four sendings, and leave a second for the next route.
    pub const ANSWER_WITHIN: Duration = Duration::from_secs(4);

    /// A trunk without credentials that wants the caller id in From and P-Asserted-Identity, and `user=phone`.
    pub fn new(name: &str, domain: &str) -> Self {
        Self {
            name: name.to_owned(),
            domain: domain.to_owned(),
            credentials: None,
            identity: Identity::default(),
            outcomes: Overrides::default(),
            answer_within: Self::ANSWER_WITHIN,
            next_on_server_error: false,
        }
    }

    /// The same trunk with what its challenges are answered with.
    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        Self {
            credentials: Some(credentials),
            ..self
        }
    }
}

/// One way to the telephone network: a trunk and an address at which it is reached.
#[derive(Clone, Debug)]
pub struct Route {
    /// How to speak to it.
    pub trunk: Arc<Trunk>,
    /// Where INVITEs are sent. The trunk's credentials go to nobody else.
    pub peer: Peer,
}

impl Route {
    /// The way to `trunk` by `peer`.
    pub fn new(trunk: impl Into<Arc<Trunk>>, peer: Peer) -> Self {
        Self {
            trunk: trunk.into(),
            peer,
        }
    }
}
