//! The RTP ports of all phone legs of a thread, watched together.
//!
//! A call has two sockets of its own and a packet every 20 ms on one of them. A task for each would be woken for each packet, and would ask its socket
//! a second time to learn that nothing more waits. Here the kernel keeps the list of the sockets on which something waits (epoll, level-triggered),
//! and hands out many of them at a time.

use std::io;
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::rtp::{Port, RtpPorts};

/// Ports told of by one system call.
const READY_MAX: usize = 64;

/// Watches ports for as long as they are open.
pub(crate) struct RtpPoller {
    set: AsyncFd<OwnedFd>,
    events: Vec<epoll::Event>,
}

/// A port on which something waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ready {
    pub(crate) leg: u64,
    pub(crate) port: Port,
}

impl RtpPoller {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// The operating system has no descriptor left.
    #[expect(
        deprecated,
        reason = "its successor is unsafe for the sake of types whose descriptor may change or close; an `OwnedFd` keeps its own until it is dropped"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self {
            set: AsyncFd::with_interest(set, Interest::READABLE)?,
            events: Vec::with_capacity(READY_MAX),
        })
    }

    /// Tells of both ports under the name `leg` (of 63 bits) until they are closed.
    ///
    /// # Errors
    /// The operating system watches no further socket.
    pub(crate) fn watch(&self, leg: u64, ports: &RtpPorts) -> io::Result<()> {
        for port in [Port::Rtp, Port::Rtcp] {
            let name = epoll::EventData::new_u64(Ready { leg, port }.name());
            epoll::add(&self.set, ports.socket(port), name, epoll::EventFlags::IN)?;
        }
        Ok(())
    }

    /// Waits until something can be read on one of them.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.set.readable().await.map(drop)
    }

    /// Returns up to 64 ports on which something waits; none once all is read.
    pub(crate) fn ready(&mut self) -> Vec<Ready> {
        let events = &mut self.events;
        events.clear();
        let asked = self.set.try_io(Interest::READABLE, |set| {
            let at_once = Timespec::default();
            match epoll::wait(set, spare_capacity(events), Some(&at_once))? {
                // What tokio remembers as readable is so no longer.
                0 => Err(io::ErrorKind::WouldBlock.into()),
                _ => Ok(()),
            }
        });
        match asked {
            Ok(()) => events
                .iter()
                .map(|event| Ready::named(event.data.u64()))
                .collect(),
            // Nothing waits; or a signal came in between, and the kernel is asked again.
            Err(_) => Vec::new(),
        }
    }
}

impl Ready {
    fn name(self) -> u64 {
        self.leg << 1 | u64::from(self.port == Port::Rtcp)
    }

    fn named(name: u64) -> Self {
        let port = match name & 1 {
            0 => Port::Rtp,
            _ => Port::Rtcp,
        };
        Self {
            leg: name >> 1,
            port,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn ports() -> RtpPorts {
        RtpPorts::bind(Ipv4Addr::LOCALHOST.into()).unwrap()
    }

    #[tokio::test]
    async fn each_packet_is_told_of_until_it_is_read_and_no_longer() {
        let mut poller = RtpPoller::new().unwrap();
        let (sender, near, far) = (ports(), ports(), ports());
        poller.watch(7, &near).unwrap();
        poller.watch(u64::MAX >> 1, &far).unwrap();
        let rtcp_of_far = far.socket(Port::Rtcp).local_addr().unwrap();
        for said in [b"one", b"two"] {
            sender.send(Port::Rtp, near.local(), said);
        }
        sender.send(Port::Rtp, rtcp_of_far, b"report");
        let mut heard = Vec::new();
        poller.readable().await.unwrap();
        for _ in 0..4 {
            for Ready { leg, port } in poller.ready() {
                let ports = if leg == 7 { &near } else { &far };
                let (from, bytes) = ports.read(port).unwrap();
                assert_eq!(from, sender.local());
                heard.push((leg, port, bytes));
            }
        }
        heard.sort_by_key(|(leg, ..)| *leg);
        let expected = [
            (7, Port::Rtp, "one"),
            (7, Port::Rtp, "two"),
            (u64::MAX >> 1, Port::Rtcp, "report"),
        ];
        assert_eq!(
            heard,
            expected.map(|(leg, port, said)| (leg, port, said.into()))
        );
        assert_eq!(poller.ready(), [], "all is read");
        assert_eq!(near.read(Port::Rtp), None);
    }

    #[tokio::test]
    async fn closed_ports_are_not_told_of() {
        let mut poller = RtpPoller::new().unwrap();
        let (sender, gone, there) = (ports(), ports(), ports());
        poller.watch(1, &gone).unwrap();
        poller.watch(2, &there).unwrap();
        sender.send(Port::Rtp, gone.local(), b"for nobody");
        drop(gone);
        sender.send(Port::Rtp, there.local(), b"for somebody");
        poller.readable().await.unwrap();
        let of_there = Ready {
            leg: 2,
            port: Port::Rtp,
        };
        assert_eq!(poller.ready(), [of_there]);
    }
}
