//! The SIP sockets of a shard: one port for datagrams and for connections, and the connections to trunks.
//!
//! ```text
//!   send ──► udp ─────────────────────────► network
//!     └────► flows ─┬─ opened by us ───────►   │        connection: frames, pings, limits (pulse)
//!                   └─ accepted (listener) ◄───┘        tls: names and roots
//!   read ◄── udp, failures        inbox ◄── what connections bring
//!   strangers: who is answered that belongs to no call, and who may connect
//! ```
//!
//! | RFC | what | where | test |
//! |---|---|---|---|
//! | 3261 §18.1.1 | one connection a peer, opened again when it died | `flows.rs` | `tests/transports.rs`: a_connection_that_died_is_opened_again |
//! | 3261 §18.2.1 | requests are taken on the port that we name | `listener.rs` | `tests/limits.rs`: a_listed_trunk_may_connect_and_nobody_else |
//! | 3261 §18.2.2 | responses go back on the connection, else to the Via's port | `flows.rs` | `tests/transports.rs`: a_response_finds_its_way_when_the_connection_is_gone |
//! | 3261 §18.3 | a message ends where Content-Length says | `connection.rs` | `tests/hostile.rs`: row_19_content_lengths_that_lie |
//! | 3261 §26.3.1, 5922 §7 | a trunk proves the name it is configured by | `tls.rs` | `tests/names.rs`: a_certificate_must_carry_the_configured_name |
//! | 3581 §4 | answers go where the request came from | `strangers.rs` | `strangers.rs` |
//! | 5626 §3.5.1, §4.4.1 | pings and pongs | `pulse.rs` | `pulse.rs` |

mod bucket;
mod connection;
mod flows;
mod listener;
mod obstacle;
mod options;
mod pulse;
mod range;
mod strangers;
#[cfg(test)]
mod tests;
mod tls;
mod udp;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use housecall_sip::{Message, Peer, Transport};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use connection::Surroundings;
use flows::Flows;
use listener::Listener;
use strangers::Strangers;
use tls::Tls;
use udp::Datagrams;

pub use obstacle::{Obstacle, Unreached};
pub use options::{OwnCertificate, SipLimits, SipOptions, TlsOptions};
pub use range::{AddressRange, RangeError};
pub use tls::{NameError, Secured, ServerName, TlsSetup};

/// How often a free port is looked for that is free for datagrams and for connections alike.
const PORT_TRIES: usize = 50;

/// What came in on a SIP socket.
#[derive(Debug)]
pub(crate) enum FromSip {
    /// A whole message.
    Message { from: Peer, message: Message },
    /// We have connected to this peer.
    Connected {
        peer: Peer,
        /// What was agreed, over TLS.
        secured: Option<Secured>,
    },
    /// Nothing can be sent to this peer, or the connection to it is gone. What was on its way may be lost.
    TransportFailed { peer: Peer, why: Unreached },
}

/// A datagram that is no message to us: a keep-alive of line ends (RFC 5626 §3.5.1), noise, or of somebody who is not listed.
#[derive(Debug)]
pub(crate) struct NotSip {
    pub(crate) length: usize,
}

/// Sends and receives SIP for every call of the shard. Lives in a `LocalSet`: each connection is a task beside it.
pub(crate) struct SipSockets {
    udp: Datagrams,
    local: SocketAddr,
    flows: Flows,
    strangers: Rc<RefCell<Strangers>>,
    /// To whom something could not be sent, and why; read before anything else. Each peer at most once.
    failed: VecDeque<(Peer, Unreached)>,
}

impl SipSockets {
    /// Binds the port for datagrams and for connections. What connections bring goes to `inbox`.
    ///
    /// # Errors
    /// The operating system refuses the port, or a certificate or key of `options` cannot be read.
    pub(crate) async fn bind(
        address: SocketAddr,
        options: &SipOptions,
        inbox: mpsc::Sender<FromSip>,
    ) -> io::Result<Self> {
        let tls = Tls::new(&options.tls).map_err(io::Error::other)?;
        let (udp, port) = bind_both(address).await?;
        let local = udp.local()?;
        let around = Rc::new(Surroundings::new(inbox, options.limits, tls));
        let strangers = Rc::new(RefCell::new(Strangers::new(options)));
        let listener = Listener::start(port, around.clone(), strangers.clone());
        Ok(Self {
            udp,
            local,
            flows: Flows::new(around, listener),
            strangers,
            failed: VecDeque::new(),
        })
    }

    /// Returns the address that the sockets are bound to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Says by which name `peer`'s certificate is checked, and which name it is asked for (SNI). Kept for as long as anything is
    /// sent there: no TLS connection is made to a peer without a name.
    pub(crate) fn expect_name(&mut self, peer: Peer, name: ServerName) {
        self.flows.expect_name(peer, name);
    }

    /// Connects to `peer` before there is anything to send. [`FromSip::Connected`] or [`FromSip::TransportFailed`] follows, unless a
    /// connection lasts already. Datagrams need none.
    pub(crate) fn connect(&mut self, peer: Peer) {
        if peer.transport != Transport::Udp {
            self.strangers
                .borrow_mut()
                .meet(Instant::now(), peer.addr.ip());
            self.flows.open(Instant::now(), peer);
        }
    }

    /// Waits until something can be read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        if !self.failed.is_empty() {
            return Ok(());
        }
        self.udp.readable().await
    }

    /// Reads one datagram, or what could not be sent. `None` when nothing waits.
    pub(crate) fn read(&mut self) -> Option<Result<FromSip, NotSip>> {
        if let Some((peer, why)) = self.failed.pop_front() {
            return Some(Ok(FromSip::TransportFailed { peer, why }));
        }
        let strangers = self.strangers.borrow();
        self.udp.read(|ip| strangers.is_welcome(Instant::now(), ip))
    }

    /// Sends one message to where it goes, connecting first where the transport asks for it.
    pub(crate) fn send(&mut self, to: Peer, message: Bytes) {
        let now = Instant::now();
        if !is_response(&message) {
            self.strangers.borrow_mut().meet(now, to.addr.ip());
        }
        let sent = match to.transport {
            Transport::Udp => self.udp.send(to.addr, &message),
            Transport::Tcp | Transport::Tls => self.flows.send(now, to, message),
        };
        if let Err(why) = sent
            && !self.failed.iter().any(|(peer, _)| *peer == to)
        {
            tracing::warn!(peer = %to, %why, "sip message not sent");
            self.failed.push_back((to, why));
        }
    }

    /// Whether a request from there that belongs to no call is answered.
    pub(crate) fn may_answer(&mut self, now: Instant, from: Peer) -> bool {
        self.strangers
            .borrow_mut()
            .may_be_answered(now, from.addr.ip())
    }
}

/// One port number for datagrams and connections, since Via and Contact name only one (RFC 3261 §18.2.1).
async fn bind_both(address: SocketAddr) -> io::Result<(Datagrams, TcpListener)> {
    let mut tries = 0;
    loop {
        let udp = Datagrams::bind(address).await?;
        tries += 1;
        match TcpListener::bind(udp.local()?).await {
            Ok(listener) => return Ok((udp, listener)),
            Err(error) if address.port() != 0 || tries == PORT_TRIES => return Err(error),
            Err(_) => {}
        }
    }
}

fn is_response(message: &[u8]) -> bool {
    message.starts_with(b"SIP/2.0 ")
}
