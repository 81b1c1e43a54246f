//! The RTP ports of the phone legs: an even port for RTP and the odd one above it for RTCP (RFC 3550 §11).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// An RTP datagram longer than this is no telephone's.
const DATAGRAM_BYTES_MAX: usize = 2048;
/// How many pairs are tried before the machine is taken to be out of ports.
const TRIES_MAX: usize = 200;

/// What came in on a phone leg's ports.
#[derive(Debug)]
pub(crate) struct FromPhone<K> {
    pub(crate) call: K,
    pub(crate) rtcp: bool,
    pub(crate) from: SocketAddr,
    pub(crate) bytes: Bytes,
}

/// The two sockets of one phone leg. Dropping it closes them.
pub(crate) struct RtpPorts {
    rtp: Rc<UdpSocket>,
    rtcp: Rc<UdpSocket>,
    local: SocketAddr,
    readers: Vec<JoinHandle<()>>,
}

impl RtpPorts {
    /// Binds a free pair on `ip`.
    ///
    /// # Errors
    /// The last refusal of the operating system, after 200 tries.
    pub(crate) fn bind(ip: IpAddr) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..TRIES_MAX {
            match Self::try_bind(ip) {
                Ok(Some(ports)) => return Ok(ports),
                Ok(None) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn try_bind(ip: IpAddr) -> io::Result<Option<Self>> {
        let rtp = bind_nonblocking(SocketAddr::new(ip, 0))?;
        let local = rtp.local_addr()?;
        if local.port() % 2 != 0 {
            return Ok(None);
        }
        let Some(odd) = local.port().checked_add(1) else {
            return Ok(None);
        };
        let rtcp = bind_nonblocking(SocketAddr::new(ip, odd))?;
        Ok(Some(Self {
            rtp: Rc::new(rtp),
            rtcp: Rc::new(rtcp),
            local,
            readers: Vec::new(),
        }))
    }

    /// Returns the RTP address.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Delivers what arrives to `inbox` under the name `call`, until dropped.
    pub(crate) fn listen<K: Copy + 'static>(
        &mut self,
        call: K,
        inbox: &mpsc::Sender<FromPhone<K>>,
    ) {
        for (socket, rtcp) in [(&self.rtp, false), (&self.rtcp, true)] {
            let reader = read_all(Rc::clone(socket), call, rtcp, inbox.clone());
            self.readers.push(tokio::task::spawn_local(reader));
        }
    }

    /// Sends one RTP packet; a full socket loses it, as a network would.
    pub(crate) fn send_rtp(&self, to: SocketAddr, bytes: &[u8]) {
        let _ = self.rtp.try_send_to(bytes, to);
    }

    /// Sends one RTCP packet.
    pub(crate) fn send_rtcp(&self, to: SocketAddr, bytes: &[u8]) {
        let _ = self.rtcp.try_send_to(bytes, to);
    }
}

impl Drop for RtpPorts {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.abort();
        }
    }
}

fn bind_nonblocking(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

async fn read_all<K: Copy>(
    socket: Rc<UdpSocket>,
    call: K,
    rtcp: bool,
    inbox: mpsc::Sender<FromPhone<K>>,
) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Some(datagram) = buffer.get(..length) else {
            continue;
        };
        let heard = FromPhone {
            call,
            rtcp,
            from,
            bytes: Bytes::copy_from_slice(datagram),
        };
        if let Err(mpsc::error::TrySendError::Closed(_)) = inbox.try_send(heard) {
            return;
        }
    }
}
