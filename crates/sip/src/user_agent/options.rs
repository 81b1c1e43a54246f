use std::net::SocketAddr;

use super::early::Early;
use super::session_timer::Session;
use super::{LargeRequests, Reliable, SessionTimer};
use crate::transaction::{Timers, Transport};
use crate::{HostPort, NameAddr, Uri};

/// What one [`UserAgent`](super::UserAgent) is told about itself.
#[derive(Clone, Debug)]
pub struct AgentOptions {
    /// Our own SIP address as others reach it: it stands in Via and Contact.
    pub local: SocketAddr,
    /// The user part of our Contact; may be empty.
    pub contact_user: String,
    /// The host of our Contact where it is not the address of `local`: a trunk may know us by the name in our certificate.
    pub contact_host: Option<String>,
    /// The product named in `User-Agent` and `Server`.
    pub user_agent: String,
    /// How patient the transactions are.
    pub timers: Timers,
    /// Where branches, tags and Call-IDs come from. Must differ from one user agent to the next and be hard to guess:
    /// whoever guesses a branch can forge a response.
    pub seed: u64,
    /// Whether others may call us. An agent that only dials answers an INVITE with 403 on its own.
    pub accepts_calls: bool,
    /// The session timer we ask for (RFC 4028); none to ask for none.
    pub session_timer: Option<SessionTimer>,
    /// Whether provisional responses are confirmed, by us and by others (RFC 3262).
    pub reliable: Reliable,
    /// Whether requests that are too large for a datagram go by TCP.
    pub large: LargeRequests,
}

impl AgentOptions {
    /// An agent at `local` that only dials, with the timers of the RFC. Set further fields with struct update syntax.
    pub fn new(local: SocketAddr, seed: u64) -> Self {
        Self {
            local,
            contact_user: String::new(),
            contact_host: None,
            user_agent: "Housecall".to_owned(),
            timers: Timers::default(),
            seed,
            accepts_calls: false,
            session_timer: Some(SessionTimer::default()),
            reliable: Reliable::default(),
            large: LargeRequests::default(),
        }
    }

    /// Where others find the agent. A peer reached over TCP or TLS is told so, else its requests would come over UDP.
    ///
    /// `None` if [`AgentOptions::contact_host`] is no name of a host.
    pub fn contact(&self, transport: Transport) -> Option<NameAddr> {
        let host = match &self.contact_host {
            Some(name) => format!("{name}:{}", self.local.port()),
            None => HostPort::from(self.local).to_string(),
        };
        let uri = Uri::sip(&self.contact_user, &host).ok()?;
        let uri = match transport {
            Transport::Udp => uri,
            Transport::Tcp => uri.with_param("transport", Some("tcp")).ok()?,
            Transport::Tls => uri.with_param("transport", Some("tls")).ok()?,
        };
        Some(NameAddr::new(uri))
    }

    /// The option tags we understand, as Supported lists them (RFC 3261 §20.37).
    pub(super) fn extensions(&self) -> Vec<&'static str> {
        let reliable = (self.reliable != Reliable::Off).then_some(Reliable::TAG);
        let known = [Session::TIMER, Early::TAG];
        reliable.into_iter().chain(known).collect()
    }
}
