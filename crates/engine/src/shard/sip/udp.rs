use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use housecall_sip::{MAX_MESSAGE_BYTES, Message, Peer};
use socket2::SockRef;
use tokio::net::UdpSocket;

use super::obstacle::{Obstacle, Unreached};
use super::{FromSip, NotSip, is_response};

/// The receive buffer asked for: a second of a flood, so that a trunk's message is not the one that is lost. The system may give less.
const RECEIVE_BUFFER_BYTES: usize = 1024 * 1024;
/// Above this a request may be cut into fragments on its way, which firewalls like to lose (RFC 3261 §18.1.1).
const REQUEST_BYTES_SAFE: usize = 1_300;
/// Peers remembered as warned about.
const WARNED_MAX: usize = 256;

/// The SIP port for datagrams.
#[derive(Debug)]
pub(super) struct Datagrams {
    socket: UdpSocket,
    buffer: Vec<u8>,
    /// Whom large requests went to, each of which is told to the log once.
    warned: BTreeSet<SocketAddr>,
}

impl Datagrams {
    pub(super) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        // A small buffer works too.
        let _ = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        // A socket that nobody has seen writable yet would lose the first message.
        socket.writable().await?;
        Ok(Self {
            socket,
            buffer: vec![0; MAX_MESSAGE_BYTES],
            warned: BTreeSet::new(),
        })
    }

    pub(super) fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Reads one datagram. `None` when nothing waits. What comes from somebody who is not `welcome` is not even looked at: a flood
    /// costs its system calls.
    pub(super) fn read(
        &mut self,
        welcome: impl FnOnce(IpAddr) -> bool,
    ) -> Option<Result<FromSip, NotSip>> {
        let (length, addr) = self.socket.try_recv_from(&mut self.buffer).ok()?;
        if !welcome(addr.ip()) {
            return Some(Err(NotSip { length }));
        }
        let datagram = self.buffer.get(..length)?;
        let from = Peer::udp(addr);
        let message = Message::parse(Bytes::copy_from_slice(datagram));
        Some(
            message
                .map(|message| FromSip::Message { from, message })
                .map_err(|_| NotSip { length }),
        )
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// The system refuses it: no route, or too long.
    pub(super) fn send(&mut self, to: SocketAddr, message: &[u8]) -> Result<(), Unreached> {
        if message.len() > REQUEST_BYTES_SAFE && !is_response(message) {
            self.warn_of_size(to, message.len());
        }
        match self.socket.try_send_to(message, to) {
            // A full socket buffer loses the datagram; the transaction's timer sends it again.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                Err(Unreached::new(Obstacle::of_io(&error), error))
            }
            _ => Ok(()),
        }
    }

    fn warn_of_size(&mut self, to: SocketAddr, bytes: usize) {
        if self.warned.len() < WARNED_MAX && self.warned.insert(to) {
            tracing::warn!(
                %to,
                bytes,
                "a request over {REQUEST_BYTES_SAFE} bytes goes by udp and may be lost in fragments: let this trunk use tcp"
            );
        }
    }
}
