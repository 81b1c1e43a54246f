use std::sync::Arc;

use housecall_sip::Peer;
use housecall_sip::digest::Credentials;

use crate::Identity;

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
}

impl Trunk {
    /// A trunk without credentials that wants the caller id in From and P-Asserted-Identity, and `user=phone`.
    pub fn new(name: &str, domain: &str) -> Self {
        Self {
            name: name.to_owned(),
            domain: domain.to_owned(),
            credentials: None,
            identity: Identity::default(),
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
