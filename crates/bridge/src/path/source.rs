use std::net::SocketAddr;
use std::time::{Duration, Instant};

use housecall_media::rtp::RtpPacket;

/// Learns where the other side's sound really comes from, and sends ours there: symmetric RTP (RFC 4961).
///
/// Networks between us may change the address that SDP names, so other addresses are believed too, but only after several packets in a
/// row that fit together, and only while neither the named address nor the one already believed is heard. From then on the address is
/// locked: a stranger who guesses our port is not heard.
#[derive(Clone, Debug)]
pub(super) struct Source {
    named: SocketAddr,
    locked: Option<Locked>,
    /// What the named address has shown so far, apart from the rest, so that a stranger cannot undo it.
    named_run: Option<Run>,
    other_run: Option<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Locked {
    addr: SocketAddr,
    heard: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    addr: SocketAddr,
    ssrc: u32,
    sequence: u16,
    in_a_row: u32,
}

impl Source {
    /// Packets in a row that make an address believed.
    const IN_A_ROW: u32 = 4;
    /// Silence of a locked address after which another may be learned: its mapping in the network may have changed.
    const LOST_AFTER: Duration = Duration::from_secs(3);

    pub(super) fn new(named: SocketAddr) -> Self {
        Self {
            named,
            locked: None,
            named_run: None,
            other_run: None,
        }
    }

    /// Learns anew if SDP now names another address.
    pub(super) fn rename(&mut self, named: SocketAddr) {
        if named != self.named {
            *self = Self::new(named);
        }
    }

    /// Where to send to: what is heard goes before what was said.
    pub(super) fn addr(&self) -> SocketAddr {
        self.locked.map_or(self.named, |locked| locked.addr)
    }

    /// Whether an address is the other side's, for reports, which come from a port of their own.
    pub(super) fn is_host(&self, from: SocketAddr) -> bool {
        from.ip() == self.addr().ip() || from.ip() == self.named.ip()
    }

    /// Whether to listen to a packet that is plausible in itself.
    pub(super) fn accepts(&mut self, now: Instant, from: SocketAddr, packet: &RtpPacket) -> bool {
        if let Some(locked) = self.locked.as_mut().filter(|locked| locked.addr == from) {
            locked.heard = now;
            return true;
        }
        let convinced = self.count(from, packet);
        if convinced && self.may_change(now, from) {
            self.locked = Some(Locked {
                addr: from,
                heard: now,
            });
            return true;
        }
        // The address that SDP names is heard from its first packet, while nobody is locked.
        self.locked.is_none() && from == self.named
    }

    /// Counts packets in a row from one address; whether there are enough now.
    fn count(&mut self, addr: SocketAddr, packet: &RtpPacket) -> bool {
        let run = if addr == self.named {
            &mut self.named_run
        } else {
            &mut self.other_run
        };
        let RtpPacket { ssrc, sequence, .. } = *packet;
        let follows = |run: &Run| {
            run.addr == addr && run.ssrc == ssrc && run.sequence.wrapping_add(1) == sequence
        };
        let in_a_row = run
            .filter(follows)
            .map_or(1, |run| run.in_a_row.saturating_add(1));
        *run = Some(Run {
            addr,
            ssrc,
            sequence,
            in_a_row,
        });
        in_a_row >= Self::IN_A_ROW
    }

    /// The named address may take over from a learned one at any time; others only once the locked one is silent.
    fn may_change(&self, now: Instant, from: SocketAddr) -> bool {
        let lost =
            |locked: &Locked| now.saturating_duration_since(locked.heard) >= Self::LOST_AFTER;
        from == self.named || self.locked.as_ref().is_none_or(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const NAMED: &str = "192.0.2.1:4000";
    const OTHER: &str = "198.51.100.9:6000";
    const STRANGER: &str = "203.0.113.66:666";

    struct World {
        start: Instant,
        source: Source,
    }

    impl World {
        fn new() -> Self {
            Self {
                start: Instant::now(),
                source: Source::new(NAMED.parse().unwrap()),
            }
        }

        /// Sends packets `sequences` of one SSRC, 20 ms apart from `ms` on; returns how many were accepted.
        fn send(
            &mut self,
            ms: u64,
            from: &str,
            ssrc: u32,
            sequences: std::ops::Range<u16>,
        ) -> usize {
            let mut accepted = 0;
            for (sequence, n) in sequences.zip(0_u64..) {
                let packet = RtpPacket {
                    payload_type: 0,
                    marker: false,
                    sequence,
                    timestamp: u32::from(sequence) * 160,
                    ssrc,
                    payload: Bytes::from_static(&[0xff; 160]),
                };
                let now = self.start + Duration::from_millis(ms + 20 * n);
                accepted += usize::from(self.source.accepts(now, from.parse().unwrap(), &packet));
            }
            accepted
        }
    }

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_named_address_is_heard_at_once_and_a_stranger_never() {
        let mut world = World::new();
        assert_eq!(world.send(0, NAMED, 1, 0..10), 10);
        assert_eq!(world.send(200, STRANGER, 9, 0..100), 0);
        assert_eq!(world.send(2_200, NAMED, 1, 10..20), 10);
        assert_eq!(world.source.addr(), addr(NAMED));
    }

    #[test]
    fn another_address_is_learned_after_four_in_a_row() {
        let mut world = World::new();
        assert_eq!(world.send(0, OTHER, 1, 0..10), 7);
        assert_eq!(world.source.addr(), addr(OTHER));
        assert_eq!(world.send(0, STRANGER, 9, 0..100), 0);
    }

    #[test]
    fn packets_that_do_not_fit_together_teach_nothing() {
        let mut world = World::new();
        for n in 0..50 {
            assert_eq!(world.send(n * 20, STRANGER, n as u32, 0..1), 0);
        }
        for n in 0..50 {
            assert_eq!(
                world.send(n * 20, STRANGER, 1, (n as u16 * 7)..(n as u16 * 7 + 1)),
                0
            );
        }
    }

    #[test]
    fn the_named_address_takes_over_from_a_stranger_who_was_first() {
        let mut world = World::new();
        assert_eq!(world.send(0, STRANGER, 9, 0..5), 2);
        assert_eq!(world.send(100, NAMED, 1, 0..10), 7);
        assert_eq!(world.source.addr(), addr(NAMED));
        assert_eq!(world.send(400, STRANGER, 9, 5..50), 0);
    }

    #[test]
    fn a_new_mapping_is_learned_once_the_old_one_is_silent() {
        let mut world = World::new();
        world.send(0, NAMED, 1, 0..10);
        assert_eq!(world.send(300, OTHER, 1, 10..30), 0);
        assert_eq!(world.send(3_500, OTHER, 1, 30..40), 10);
        assert_eq!(world.source.addr(), addr(OTHER));
    }
}
