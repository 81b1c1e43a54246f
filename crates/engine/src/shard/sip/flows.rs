use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_sip::{Message, Peer, Transport};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::timeout;

use super::FromSip;
use super::connection::{Closed, Connection, Surroundings};
use super::is_response;
use super::listener::Listener;
use super::obstacle::{Obstacle, Unreached};
use super::options::SipLimits;
use super::pulse::OpenedBy;
use super::tls::{Secured, ServerName, TlsRefused};

/// Messages waiting for one slow connection; one more is a failure.
pub(super) const WAITING_MAX: usize = 64;
/// Connections of ours at once; beyond it the one that rested longest is closed.
const OPENED_MAX: usize = 64;
/// Names kept at once; those of peers without a connection make room.
const NAMES_MAX: usize = 1_024;

/// The connections of a shard: one for each peer, whoever opened it (RFC 3261 §18.1.1).
pub(super) struct Flows {
    opened: HashMap<Peer, Flow>,
    names: HashMap<Peer, ServerName>,
    listener: Listener,
    around: Rc<Surroundings>,
}

/// A connection that we opened.
struct Flow {
    outbox: mpsc::Sender<Bytes>,
    used: Instant,
}

/// A peer that no connection could be made to.
#[derive(Debug, thiserror::Error)]
enum CannotConnect {
    #[error("{peer} cannot be reached: {error}")]
    Unreachable { peer: Peer, error: io::Error },
    #[error("{peer} was not connected within {limit:?}")]
    Slow { peer: Peer, limit: Duration },
    #[error("{peer} has no configured name that its certificate could be checked against")]
    Nameless { peer: Peer },
    #[error(transparent)]
    Tls(#[from] TlsRefused),
}

impl Flows {
    pub(super) fn new(around: Rc<Surroundings>, listener: Listener) -> Self {
        Self {
            opened: HashMap::new(),
            names: HashMap::new(),
            listener,
            around,
        }
    }

    /// Notes the name of a peer. A connection that was checked against another name is used no more.
    pub(super) fn expect_name(&mut self, peer: Peer, name: ServerName) {
        if self.names.len() >= NAMES_MAX {
            let opened = &self.opened;
            self.names.retain(|peer, _| opened.contains_key(peer));
        }
        let before = self.names.insert(peer, name.clone());
        if before.is_some_and(|before| before != name) {
            tracing::warn!(%peer, %name, "another name for the same address");
            self.opened.remove(&peer);
        }
    }

    /// Sends one message on the connection there is, or on a new one.
    ///
    /// # Errors
    /// Too much waits for that connection already.
    pub(super) fn send(&mut self, now: Instant, to: Peer, message: Bytes) -> Result<(), Unreached> {
        let message = match self.listener.find(to) {
            Some(outbox) => match outbox.try_send(message) {
                Err(TrySendError::Closed(message)) => message,
                sent => return sent.map_err(|_| full()),
            },
            None => message,
        };
        let to = if is_response(&message) {
            self.way_back(to, &message)
        } else {
            to
        };
        let flow = self.flow(now, to);
        flow.used = now;
        flow.outbox.try_send(message).map_err(|_| full())
    }

    /// Connects to a peer before there is anything to send, if no connection to it lasts.
    pub(super) fn open(&mut self, now: Instant, to: Peer) {
        self.flow(now, to).used = now;
    }

    /// Where a response goes whose connection is gone: to the port that the request's Via names (RFC 3261 §18.2.2).
    fn way_back(&self, to: Peer, response: &Bytes) -> Peer {
        if self.opened.get(&to).is_some_and(Flow::is_open) {
            return to;
        }
        let message = Message::parse(response.clone());
        let port = message
            .ok()
            .and_then(|message| message.via().ok()?.sent_by.port());
        let default = if to.transport == Transport::Tls {
            5061
        } else {
            5060
        };
        let mut back = to;
        back.addr.set_port(port.unwrap_or(default));
        back
    }

    /// How many connections of ours there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.opened.values().filter(|flow| flow.is_open()).count()
    }

    /// Whether the connection that `peer` opened lasts.
    #[cfg(test)]
    pub(super) fn accepts(&self, peer: Peer) -> bool {
        self.listener.find(peer).is_some()
    }

    fn flow(&mut self, now: Instant, to: Peer) -> &mut Flow {
        self.opened.retain(|_, flow| flow.is_open());
        if self.opened.len() >= OPENED_MAX && !self.opened.contains_key(&to) {
            let oldest = self.opened.iter().min_by_key(|(_, flow)| flow.used);
            let oldest = oldest.map(|(peer, _)| *peer);
            oldest.and_then(|peer| self.opened.remove(&peer));
        }
        let (around, name) = (&self.around, self.names.get(&to));
        self.opened.entry(to).or_insert_with(|| {
            let (outbox, waiting) = mpsc::channel(WAITING_MAX);
            let line = Line {
                peer: to,
                name: name.cloned(),
                around: around.clone(),
            };
            tokio::task::spawn_local(line.keep(waiting));
            Flow { outbox, used: now }
        })
    }
}

impl Flow {
    fn is_open(&self) -> bool {
        !self.outbox.is_closed()
    }
}

fn full() -> Unreached {
    let words = format!("{WAITING_MAX} messages wait for this connection");
    Unreached::new(Obstacle::Crowded, words)
}

/// A peer that we connect to.
struct Line {
    peer: Peer,
    name: Option<ServerName>,
    around: Rc<Surroundings>,
}

impl Line {
    /// Connects and sends what waits, until the connection ends; then says so.
    ///
    /// A connection that had died unnoticed shows when the next message is written: what still waits then gets a second connection.
    async fn keep(self, mut waiting: mpsc::Receiver<Bytes>) {
        let mut why = self.once(&mut waiting).await;
        let died = matches!(why, Ended::Closed(Closed::ByThem | Closed::Broken(_)));
        if died && !waiting.is_empty() {
            why = self.once(&mut waiting).await;
        }
        drop(waiting);
        let peer = self.peer;
        match &why {
            Ended::Closed(closed) => tracing::debug!(%peer, why = %closed, "sip connection closed"),
            Ended::Failed(error) => tracing::warn!(%error, "no sip connection"),
        }
        let why = why.told();
        self.tell(FromSip::TransportFailed { peer, why }).await;
    }

    /// The shard has ended when nobody takes it: so has everything.
    async fn tell(&self, what: FromSip) {
        let _ = self.around.inbox.send(what).await;
    }

    async fn once(&self, waiting: &mut mpsc::Receiver<Bytes>) -> Ended {
        let limit = self.around.limits.connect;
        let connecting = timeout(limit, self.connect());
        let peer = self.peer;
        let stream = match connecting.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Ended::Failed(error),
            Err(_) => return Ended::Failed(CannotConnect::Slow { peer, limit }),
        };
        let secured = stream.secured();
        self.tell(FromSip::Connected { peer, secured }).await;
        match stream {
            Stream::Plain(stream) => self.converse(stream, waiting).await,
            Stream::Secure(stream) => self.converse(*stream, waiting).await,
        }
    }

    async fn connect(&self) -> Result<Stream, CannotConnect> {
        let peer = self.peer;
        let is_secure = peer.transport == Transport::Tls;
        if is_secure && self.name.is_none() {
            return Err(CannotConnect::Nameless { peer });
        }
        let stream = TcpStream::connect(peer.addr)
            .await
            .map_err(|error| CannotConnect::Unreachable { peer, error })?;
        prepare(&stream, &self.around.limits);
        match &self.name {
            Some(name) if is_secure => {
                let stream = self.around.tls.connect(stream, peer, name).await?;
                Ok(Stream::Secure(Box::new(stream)))
            }
            _ => Ok(Stream::Plain(stream)),
        }
    }

    async fn converse<S>(&self, stream: S, waiting: &mut mpsc::Receiver<Bytes>) -> Ended
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite,
    {
        let (peer, around) = (self.peer, self.around.clone());
        let connection = Connection::new(stream, peer, OpenedBy::Us, Rc::default(), around);
        Ended::Closed(connection.run(waiting).await)
    }
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum Ended {
    Closed(Closed),
    Failed(CannotConnect),
}

impl Ended {
    fn told(&self) -> Unreached {
        let obstacle = match self {
            Self::Closed(_) => Obstacle::Closed,
            Self::Failed(error) => error.obstacle(),
        };
        Unreached::new(obstacle, self)
    }
}

impl CannotConnect {
    fn obstacle(&self) -> Obstacle {
        match self {
            Self::Unreachable { error, .. } => Obstacle::of_io(error),
            Self::Slow { .. } => Obstacle::Slow,
            Self::Nameless { .. } => Obstacle::Nameless,
            Self::Tls(refused) => refused.obstacle(),
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Secure(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl Stream {
    fn secured(&self) -> Option<Secured> {
        match self {
            Self::Plain(_) => None,
            Self::Secure(stream) => Some(Secured::of(stream.get_ref().1)),
        }
    }
}

/// Messages leave at once, and a peer whose machine is gone is noticed, which TCP alone takes a quarter of an hour for.
pub(super) fn prepare(stream: &TcpStream, limits: &SipLimits) {
    // Both are refinements: a system without them still carries the messages.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(limits.unacknowledged));
}
