use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use housecall_sip::transaction::{Peer, Transport};
use housecall_sip::{MAX_MESSAGE_BYTES, Message, StreamFramer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::{debug, trace};

use crate::carrier::lock;
use crate::network::{Input, Network, Output};

/// Datagrams and messages that may wait for the network; readers pause beyond that.
const WAITING_MAX: usize = 1024;
/// Messages that may wait for one slow TCP peer.
const UNSENT_MAX: usize = 64;
/// TCP peers at once.
const CONNECTIONS_MAX: usize = 64;
/// No RTP packet is longer.
const DATAGRAM_MAX: usize = 2048;

/// Everything the network sends and receives through.
#[derive(Debug)]
pub(crate) struct Sockets {
    sip: Arc<UdpSocket>,
    listener: TcpListener,
    media: BTreeMap<SocketAddr, Arc<UdpSocket>>,
    connections: BTreeMap<SocketAddr, mpsc::Sender<Bytes>>,
    /// Ends with this struct, and every reader and writer with it.
    tasks: JoinSet<()>,
}

/// What a reader has to tell.
enum Arrived {
    Sip(Peer, Message),
    Media(SocketAddr, Bytes),
    Closed(SocketAddr),
}

impl Sockets {
    pub(crate) fn new(
        sip: UdpSocket,
        listener: TcpListener,
        media: Vec<(SocketAddr, UdpSocket)>,
    ) -> Sockets {
        let media = media.into_iter().map(|(at, socket)| (at, Arc::new(socket)));
        Sockets {
            sip: Arc::new(sip),
            listener,
            media: media.collect(),
            connections: BTreeMap::new(),
            tasks: JoinSet::new(),
        }
    }

    fn read(&mut self, arrived: &mpsc::Sender<Arrived>) {
        self.tasks
            .spawn(read_sip(self.sip.clone(), arrived.clone()));
        for (at, socket) in &self.media {
            self.tasks
                .spawn(read_media(*at, socket.clone(), arrived.clone()));
        }
    }

    fn accept(&mut self, stream: TcpStream, from: SocketAddr, arrived: &mpsc::Sender<Arrived>) {
        if self.connections.len() >= CONNECTIONS_MAX {
            debug!(%from, "refused a TCP connection: {CONNECTIONS_MAX} are open");
            return;
        }
        let (reader, writer) = stream.into_split();
        let (unsent, to_send) = mpsc::channel(UNSENT_MAX);
        self.connections.insert(from, unsent);
        self.tasks.spawn(write_stream(writer, to_send));
        self.tasks.spawn(read_stream(reader, from, arrived.clone()));
    }

    /// Sends one message. An error says that the peer is out of reach.
    fn send(&self, output: &Output) -> Result<(), Peer> {
        match output {
            Output::SendSip { to, bytes } => {
                trace!(%to, "{}", String::from_utf8_lossy(bytes));
                self.send_sip(*to, bytes).map_err(|_| *to)
            }
            Output::SendMedia { from, to, bytes } => {
                // A full socket buffer loses the packet, as a network would.
                let socket = self.media.get(from);
                let _ = socket.map(|socket| socket.try_send_to(bytes, *to));
                Ok(())
            }
        }
    }

    fn send_sip(&self, to: Peer, bytes: &Bytes) -> io::Result<()> {
        match to.transport {
            Transport::Udp => match self.sip.try_send_to(bytes, to.addr) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                _ => Ok(()),
            },
            Transport::Tcp => {
                let connection = self.connections.get(&to.addr);
                let sent = connection.map(|unsent| unsent.try_send(bytes.clone()));
                sent.and_then(Result::ok)
                    .ok_or(io::ErrorKind::NotConnected.into())
            }
            Transport::Tls => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Gives the network its sockets and its clock, until `stopped`.
pub(crate) async fn run(
    network: Arc<Mutex<Network>>,
    mut sockets: Sockets,
    mut stopped: oneshot::Receiver<()>,
) {
    let (sender, mut arrived) = mpsc::channel(WAITING_MAX);
    sockets.read(&sender);
    loop {
        flush(&network, &sockets);
        let wake_at = lock(&network).poll_timeout();
        tokio::select! {
            _ = &mut stopped => return,
            Some(arrived) = arrived.recv() => take(&network, &mut sockets, arrived),
            Ok((stream, from)) = sockets.listener.accept() => sockets.accept(stream, from, &sender),
            () = sleep_until(wake_at) => lock(&network).handle_timeout(Instant::now()),
        }
    }
}

fn take(network: &Mutex<Network>, sockets: &mut Sockets, arrived: Arrived) {
    let mut network = lock(network);
    let now = Instant::now();
    match arrived {
        Arrived::Sip(from, message) => network.handle_input(now, Input::Sip { from, message }),
        Arrived::Media(at, datagram) => {
            let datagram = &datagram;
            network.handle_input(now, Input::Media { at, datagram });
        }
        Arrived::Closed(addr) => {
            sockets.connections.remove(&addr);
            let peer = Peer::tcp(addr);
            network.handle_input(now, Input::TransportFailed { peer });
        }
    }
}

fn flush(network: &Mutex<Network>, sockets: &Sockets) {
    let mut network = lock(network);
    while let Some(output) = network.poll_output() {
        if let Err(peer) = sockets.send(&output) {
            debug!(%peer, "out of reach");
            network.handle_input(Instant::now(), Input::TransportFailed { peer });
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => pending().await,
    }
}

async fn read_sip(socket: Arc<UdpSocket>, arrived: mpsc::Sender<Arrived>) {
    let mut buffer = vec![0; MAX_MESSAGE_BYTES];
    while !arrived.is_closed() {
        // An error here is an ICMP message about something sent earlier; transactions notice by themselves.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
        match Message::parse(bytes) {
            Ok(message) => deliver(&arrived, Arrived::Sip(Peer::udp(from), message)).await,
            Err(error) => debug!(%from, %error, "dropped a datagram"),
        }
    }
}

async fn read_media(at: SocketAddr, socket: Arc<UdpSocket>, arrived: mpsc::Sender<Arrived>) {
    let mut buffer = vec![0; DATAGRAM_MAX];
    while !arrived.is_closed() {
        if let Ok((length, _)) = socket.recv_from(&mut buffer).await {
            let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
            deliver(&arrived, Arrived::Media(at, bytes)).await;
        }
    }
}

async fn read_stream(mut reader: OwnedReadHalf, from: SocketAddr, arrived: mpsc::Sender<Arrived>) {
    let mut framer = StreamFramer::new();
    let mut buffer = vec![0; 4096];
    loop {
        match reader.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(length) => framer.push(buffer.get(..length).unwrap_or_default()),
        }
        if let Err(error) = deliver_framed(&mut framer, from, &arrived).await {
            debug!(%from, %error, "closed a TCP connection");
            break;
        }
    }
    deliver(&arrived, Arrived::Closed(from)).await;
}

async fn deliver_framed(
    framer: &mut StreamFramer,
    from: SocketAddr,
    arrived: &mpsc::Sender<Arrived>,
) -> Result<(), housecall_sip::FramingError> {
    while let Some(message) = framer.next_message()? {
        deliver(arrived, Arrived::Sip(Peer::tcp(from), message)).await;
    }
    Ok(())
}

async fn write_stream(mut writer: OwnedWriteHalf, mut to_send: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = to_send.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            // The reader sees the same end and tells it.
            return;
        }
    }
}

/// The receiver lives as long as the tasks do: an error would mean that both are ending.
async fn deliver(arrived: &mpsc::Sender<Arrived>, what: Arrived) {
    let _ = arrived.send(what).await;
}
