use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_sip::{Peer, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::connection::{Connection, Surroundings};
use super::flows::{WAITING_MAX, prepare};
use super::pulse::OpenedBy;
use super::range::source;
use super::strangers::Strangers;

/// The pause after the system refused to accept: it is out of file descriptors, and asking again at once would not help.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The first byte of a TLS handshake (RFC 8446 §5.1); no SIP message begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

/// The port that others connect to, and their connections. Dropping it closes all.
pub(super) struct Listener {
    accepted: Rc<RefCell<Accepted>>,
    task: AbortHandle,
}

impl Listener {
    pub(super) fn start(
        port: TcpListener,
        around: Rc<Surroundings>,
        strangers: Rc<RefCell<Strangers>>,
    ) -> Self {
        let accepted = Rc::new(RefCell::new(Accepted::default()));
        let listening = listen(port, accepted.clone(), around, strangers);
        let task = tokio::task::spawn_local(listening).abort_handle();
        Self { accepted, task }
    }

    /// Returns the way back on the connection that `to` opened, if it lasts.
    pub(super) fn find(&self, to: Peer) -> Option<mpsc::Sender<Bytes>> {
        let accepted = self.accepted.borrow();
        let flow = accepted.flows.get(&to.addr)?;
        (flow.transport.get() == Some(to.transport) && !flow.outbox.is_closed())
            .then(|| flow.outbox.clone())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection that somebody opened to us.
struct Flow {
    since: Instant,
    /// Whether it is from a trunk of ours.
    known: bool,
    proved: Rc<Cell<bool>>,
    /// None until its first byte has told.
    transport: Rc<Cell<Option<Transport>>>,
    outbox: mpsc::Sender<Bytes>,
    task: AbortHandle,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Flow {
    /// Who goes first when there is no room: strangers before trunks, then who never said anything valid, then the oldest.
    fn worth(&self) -> (bool, bool, std::cmp::Reverse<Duration>) {
        let age = self.since.elapsed();
        (self.known, self.proved.get(), std::cmp::Reverse(age))
    }
}

/// The connections that others opened, by where they come from.
#[derive(Default)]
struct Accepted {
    flows: BTreeMap<SocketAddr, Flow>,
}

impl Accepted {
    fn admit(
        &mut self,
        stream: TcpStream,
        from: SocketAddr,
        known: bool,
        around: &Rc<Surroundings>,
    ) {
        self.flows.retain(|_, flow| !flow.outbox.is_closed());
        let limits = around.limits;
        if self.count(source(from.ip())) >= limits.connections_per_source {
            return tracing::debug!(%from, "one connection too many of this address");
        }
        if self.flows.len() >= limits.connections && !self.make_room(known) {
            return tracing::debug!(%from, "one connection too many");
        }
        let (outbox, waiting) = mpsc::channel(WAITING_MAX);
        let (proved, transport) = (Rc::default(), Rc::default());
        let guest = Guest {
            from,
            proved: Rc::clone(&proved),
            transport: Rc::clone(&transport),
            around: around.clone(),
        };
        let task = tokio::task::spawn_local(guest.serve(stream, waiting)).abort_handle();
        let flow = Flow {
            since: Instant::now(),
            known,
            proved,
            transport,
            outbox,
            task,
        };
        self.flows.insert(from, flow);
    }

    fn count(&self, of: IpAddr) -> usize {
        let sources = self.flows.keys().map(|from| source(from.ip()));
        sources.filter(|source| *source == of).count()
    }

    /// Ends the connection that is worth least, unless that is one of a trunk and the newcomer none.
    fn make_room(&mut self, for_known: bool) -> bool {
        let least = self.flows.iter().min_by_key(|(_, flow)| flow.worth());
        let Some((from, known)) = least.map(|(from, flow)| (*from, flow.known)) else {
            return false;
        };
        if known && !for_known {
            return false;
        }
        self.flows.remove(&from);
        true
    }
}

async fn listen(
    port: TcpListener,
    accepted: Rc<RefCell<Accepted>>,
    around: Rc<Surroundings>,
    strangers: Rc<RefCell<Strangers>>,
) {
    loop {
        match port.accept().await {
            Ok((stream, from)) => {
                let (now, ip) = (Instant::now(), from.ip());
                let known = strangers.borrow().knows(now, ip);
                if strangers.borrow().is_welcome(now, ip) {
                    accepted.borrow_mut().admit(stream, from, known, &around);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "sip connection not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Who opened a connection to us, from the first byte on.
struct Guest {
    from: SocketAddr,
    proved: Rc<Cell<bool>>,
    transport: Rc<Cell<Option<Transport>>>,
    around: Rc<Surroundings>,
}

impl Guest {
    async fn serve(self, stream: TcpStream, waiting: mpsc::Receiver<Bytes>) {
        prepare(&stream, &self.around.limits);
        let silent = self.around.limits.silent;
        let transport = match timeout(silent, self.recognise(&stream)).await {
            Ok(Some(transport)) => transport,
            _ => return tracing::debug!(from = %self.from, "nothing came"),
        };
        match transport {
            Transport::Tls => self.secure(stream, waiting).await,
            _ => self.converse(stream, Transport::Tcp, waiting).await,
        }
    }

    /// One port serves TCP and TLS: the first byte tells them apart.
    async fn recognise(&self, stream: &TcpStream) -> Option<Transport> {
        if !self.around.tls.accepts() {
            return Some(Transport::Tcp);
        }
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(1..) if first == [TLS_HANDSHAKE] => Some(Transport::Tls),
            Ok(1..) => Some(Transport::Tcp),
            _ => None,
        }
    }

    async fn secure(self, stream: TcpStream, waiting: mpsc::Receiver<Bytes>) {
        let handshake = self.around.tls.accept(stream);
        match timeout(self.around.limits.connect, handshake).await {
            Ok(Ok(stream)) => self.converse(stream, Transport::Tls, waiting).await,
            Ok(Err(error)) => tracing::debug!(from = %self.from, %error, "no tls"),
            Err(_) => tracing::debug!(from = %self.from, "tls handshake not ended in time"),
        }
    }

    async fn converse<S>(self, stream: S, transport: Transport, mut waiting: mpsc::Receiver<Bytes>)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite,
    {
        self.transport.set(Some(transport));
        let peer = Peer {
            transport,
            addr: self.from,
        };
        let connection = Connection::new(stream, peer, OpenedBy::Them, self.proved, self.around);
        let closed = connection.run(&mut waiting).await;
        tracing::debug!(%peer, why = %closed, "sip connection closed");
    }
}
