//! The media socket of a shard: many datagrams a system call, in both directions.

use std::array;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Datagrams read by one system call.
const BATCH: usize = 16;
/// Room for one datagram, or for several that the kernel joined (GRO).
const SLOT: usize = 64 * 1024;
/// The longest train handed to the kernel at once.
const TRAIN_BYTES: usize = 60_000;

/// One UDP port, read with recvmmsg and written with UDP_SEGMENT.
pub(crate) struct MediaSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    buffer: Vec<u8>,
    train: BytesMut,
}

/// A datagram to send.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Bytes,
}

impl MediaSocket {
    /// Binds the address; port 0 takes a free one.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new((&socket).into())?;
        // Key frames arrive in bursts; the default buffer of a kernel holds hardly one.
        let _ = state.set_recv_buffer_size((&socket).into(), 4 << 20);
        let _ = state.set_send_buffer_size((&socket).into(), 4 << 20);
        let local = socket.local_addr()?;
        Ok(Self {
            socket,
            state,
            local,
            buffer: vec![0; BATCH * SLOT],
            train: BytesMut::new(),
        })
    }

    /// Returns the address it is bound to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Waits until there is something to read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Reads one batch and gives each datagram to `each`. Returns whether more may wait.
    pub(crate) fn read(&mut self, mut each: impl FnMut(SocketAddr, BytesMut)) -> io::Result<bool> {
        let mut metas = [RecvMeta::default(); BATCH];
        let mut rooms = self.buffer.chunks_mut(SLOT);
        let mut slots: [_; BATCH] =
            array::from_fn(|_| IoSliceMut::new(rooms.next().unwrap_or_default()));
        let mut filled = 0;
        let result = self.socket.try_io(Interest::READABLE, || {
            filled = self
                .state
                .recv((&self.socket).into(), &mut slots, &mut metas)?;
            // Fewer than there was room for: the kernel has no more, and need not be asked to know it.
            match filled == BATCH {
                true => Ok(()),
                false => Err(io::ErrorKind::WouldBlock.into()),
            }
        });
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // An ICMP answer to an earlier send: no fault of this read.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(false),
            Err(error) => return Err(error),
        }
        for (slot, meta) in self.buffer.chunks(SLOT).zip(metas.iter().take(filled)) {
            let joined = slot.get(..meta.len).unwrap_or_default();
            for datagram in joined.chunks(meta.stride.max(1)) {
                each(meta.addr, BytesMut::from(datagram));
            }
        }
        Ok(filled == BATCH)
    }

    /// Sends all, joining runs of equal size to one destination. What the kernel refuses is dropped, as a network would.
    pub(crate) fn write(&mut self, queue: &mut Vec<Datagram>) {
        // A stable sort keeps the order within each destination.
        queue.sort_by_key(|datagram| datagram.to);
        let mut rest = queue.as_slice();
        while let Some(first) = rest.first() {
            let run = run_length(rest, self.state.max_gso_segments());
            let (now, later) = rest.split_at(run);
            self.send_run(first.to, first.bytes.len(), now);
            rest = later;
        }
        queue.clear();
    }

    fn send_run(&mut self, to: SocketAddr, segment: usize, run: &[Datagram]) {
        self.train.clear();
        for datagram in run {
            self.train.extend_from_slice(&datagram.bytes);
        }
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents: &self.train,
            segment_size: (run.len() > 1).then_some(segment),
            src_ip: None,
        };
        // The kernel is asked each time: what tokio remembers of the socket is nothing at first and old after a full buffer,
        // and by it whole trains would be dropped that the kernel takes.
        let sent = self.state.try_send((&self.socket).into(), &transmit);
        if let Err(error) = sent {
            tracing::trace!(%error, datagrams = run.len(), "datagrams dropped on their way out");
        }
    }
}

/// Returns how many datagrams from the front can travel as one train: same destination, same size, the last may be shorter.
fn run_length(queue: &[Datagram], segments_max: usize) -> usize {
    let Some(first) = queue.first() else { return 0 };
    let mut run = 1;
    let mut total = first.bytes.len();
    for pair in queue.windows(2) {
        let [before, next] = pair else { break };
        total += next.bytes.len();
        let fits = run < segments_max && total <= TRAIN_BYTES;
        let alike = next.to == first.to
            && before.bytes.len() == first.bytes.len()
            && next.bytes.len() <= first.bytes.len()
            && !next.bytes.is_empty();
        if !(fits && alike) {
            break;
        }
        run += 1;
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagrams(sizes: &[(u16, usize)]) -> Vec<Datagram> {
        let to = |port| SocketAddr::from(([127, 0, 0, 1], port));
        sizes
            .iter()
            .map(|&(port, size)| Datagram {
                to: to(port),
                bytes: Bytes::from(vec![0; size]),
            })
            .collect()
    }

    #[test]
    fn a_train_has_one_destination_one_size_and_a_shorter_end() {
        assert_eq!(
            run_length(&datagrams(&[(1, 100), (1, 100), (1, 60), (1, 60)]), 64),
            3
        );
        assert_eq!(run_length(&datagrams(&[(1, 100), (2, 100)]), 64), 1);
        assert_eq!(run_length(&datagrams(&[(1, 100), (1, 101)]), 64), 1);
        assert_eq!(
            run_length(&datagrams(&[(1, 100), (1, 100), (1, 100)]), 2),
            2
        );
        assert_eq!(run_length(&datagrams(&[]), 2), 0);
    }

    #[tokio::test]
    async fn what_is_written_in_trains_arrives_as_it_was() {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut from = MediaSocket::bind(loopback).unwrap();
        let mut to = MediaSocket::bind(loopback).unwrap();
        let mut queue: Vec<Datagram> = (0u8..9)
            .map(|n| Datagram {
                to: to.local(),
                bytes: Bytes::from(vec![n; if n == 4 { 7 } else { 300 }]),
            })
            .collect();
        from.write(&mut queue);
        let mut seen = Vec::new();
        while seen.len() < 9 {
            to.readable().await.unwrap();
            to.read(|source, bytes| {
                assert_eq!(source, from.local());
                seen.push((bytes[0], bytes.len()));
            })
            .unwrap();
        }
        let sent: Vec<(u8, usize)> = (0u8..9)
            .map(|n| (n, if n == 4 { 7 } else { 300 }))
            .collect();
        assert_eq!(seen, sent);
    }
}
