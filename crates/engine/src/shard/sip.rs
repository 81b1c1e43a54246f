//! The SIP sockets of a shard: one UDP port, and TCP connections as trunks ask for them.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use housecall_sip::{Message, Peer, StreamFramer, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The largest SIP message that is read.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// A trunk that accepts no connection in this time is taken for dead.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);
/// Messages waiting for one slow connection; further ones are lost, and retransmission or a timer deals with it.
const WAITING_MAX: usize = 64;

/// What came in on a SIP socket.
#[derive(Debug)]
pub(crate) enum FromSip {
    /// A whole message.
    Message { from: Peer, message: Message },
    /// The connection to this peer is gone or could not be made.
    TransportFailed { peer: Peer },
}

/// Sends and receives SIP for every call of the shard.
pub(crate) struct SipSockets {
    udp: UdpSocket,
    local: SocketAddr,
    buffer: Vec<u8>,
    connections: HashMap<SocketAddr, mpsc::Sender<Bytes>>,
    inbox: mpsc::Sender<FromSip>,
}

impl SipSockets {
    /// Binds the UDP port. What TCP connections bring goes to `inbox`.
    pub(crate) async fn bind(
        address: SocketAddr,
        inbox: mpsc::Sender<FromSip>,
    ) -> io::Result<Self> {
        let udp = UdpSocket::bind(address).await?;
        let local = udp.local_addr()?;
        Ok(Self {
            udp,
            local,
            buffer: vec![0; MESSAGE_BYTES_MAX],
            connections: HashMap::new(),
            inbox,
        })
    }

    /// Returns the address peers answer to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Waits until a datagram can be read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.udp.readable().await
    }

    /// Reads one datagram. `None` when nothing waits or what came is not SIP.
    pub(crate) fn read(&mut self) -> Option<Result<FromSip, NotSip>> {
        let (length, addr) = self.udp.try_recv_from(&mut self.buffer).ok()?;
        let datagram = self.buffer.get(..length)?;
        let from = Peer {
            transport: Transport::Udp,
            addr,
        };
        let message = Message::parse(Bytes::copy_from_slice(datagram));
        Some(
            message
                .map(|message| FromSip::Message { from, message })
                .map_err(|_| NotSip { length }),
        )
    }

    /// Sends one message to where it goes, connecting first where the transport asks for it.
    pub(crate) fn send(&mut self, to: Peer, message: Bytes) {
        match to.transport {
            Transport::Udp => {
                // A full socket buffer loses the datagram; the transaction's timer sends it again.
                let _ = self.udp.try_send_to(&message, to.addr);
            }
            Transport::Tcp => self.send_tcp(to, message),
            // Nothing here speaks TLS: the call hears so, and nothing leaves in the clear.
            Transport::Tls => {
                let _ = self.inbox.try_send(FromSip::TransportFailed { peer: to });
            }
        }
    }

    fn send_tcp(&mut self, to: Peer, message: Bytes) {
        self.connections
            .retain(|_, connection| !connection.is_closed());
        let inbox = &self.inbox;
        let connection = self
            .connections
            .entry(to.addr)
            .or_insert_with(|| connect(to, inbox.clone()));
        if connection.try_send(message).is_err() {
            let _ = self.inbox.try_send(FromSip::TransportFailed { peer: to });
        }
    }
}

/// A datagram that no SIP parser could frame.
#[derive(Debug)]
pub(crate) struct NotSip {
    pub(crate) length: usize,
}

fn connect(peer: Peer, inbox: mpsc::Sender<FromSip>) -> mpsc::Sender<Bytes> {
    let (sender, outbox) = mpsc::channel(WAITING_MAX);
    tokio::task::spawn_local(async move {
        if let Err(error) = converse(peer, outbox, &inbox).await {
            tracing::debug!(%error, "sip connection ended");
        }
        let _ = inbox.send(FromSip::TransportFailed { peer }).await;
    });
    sender
}

async fn converse(
    peer: Peer,
    mut outbox: mpsc::Receiver<Bytes>,
    inbox: &mpsc::Sender<FromSip>,
) -> io::Result<()> {
    let stream = timeout(CONNECT_LIMIT, TcpStream::connect(peer.addr)).await??;
    stream.set_nodelay(true)?;
    let (mut reading, mut writing) = stream.into_split();
    let mut framer = StreamFramer::new();
    let mut buffer = BytesMut::with_capacity(8 * 1024);
    loop {
        tokio::select! {
            read = reading.read_buf(&mut buffer) => {
                if read? == 0 {
                    return Ok(());
                }
                framer.push(&buffer);
                buffer.clear();
                while let Some(message) = framer.next_message().map_err(io::Error::other)? {
                    if inbox.send(FromSip::Message { from: peer, message }).await.is_err() {
                        return Ok(());
                    }
                }
            }
            message = outbox.recv() => match message {
                Some(message) => writing.write_all(&message).await?,
                None => return Ok(()),
            },
        }
    }
}
