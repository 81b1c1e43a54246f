//! The RTP ports of the phone legs: an even port for RTP and the odd one above it for RTCP (RFC 3550 §11).

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use bytes::Bytes;
use housecall_bridge::Input;

/// An RTP datagram longer than this is no telephone's.
const DATAGRAM_BYTES_MAX: usize = 2048;
/// How many pairs are tried before the machine is taken to be out of ports.
const TRIES_MAX: usize = 200;

/// One of a leg's two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Port {
    Rtp,
    Rtcp,
}

/// The two sockets of one phone leg. Dropping it closes them.
#[derive(Debug)]
pub(crate) struct RtpPorts {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    local: SocketAddr,
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
        Ok(Some(Self { rtp, rtcp, local }))
    }

    /// Returns the RTP address.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn socket(&self, port: Port) -> &UdpSocket {
        match port {
            Port::Rtp => &self.rtp,
            Port::Rtcp => &self.rtcp,
        }
    }

    /// Takes what came first of what waits. None when nothing does.
    pub(crate) fn read(&self, port: Port) -> Option<(SocketAddr, Bytes)> {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        // An ICMP answer to an earlier send is no fault of this read.
        let (length, from) = self.socket(port).recv_from(&mut buffer).ok()?;
        Some((from, Bytes::copy_from_slice(buffer.get(..length)?)))
    }

    /// The same, as what it is to a call.
    pub(crate) fn input(&self, port: Port) -> Option<Input> {
        let (from, bytes) = self.read(port)?;
        Some(match port {
            Port::Rtp => Input::Rtp { from, bytes },
            Port::Rtcp => Input::Rtcp { from, bytes },
        })
    }

    /// Sends one packet; a full socket loses it, as a network would.
    pub(crate) fn send(&self, port: Port, to: SocketAddr, bytes: &[u8]) {
        let _ = self.socket(port).send_to(bytes, to);
    }
}

fn bind_nonblocking(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
