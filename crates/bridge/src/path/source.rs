use std::net::SocketAddr;
use std::time::{Duration, Instant};

use housecall_media::rtp::RtpPacket;

/// Learns where the other side's sound really comes from, and sends ours there: symmetric RTP (RFC 4961).
///
/// Networks between us may change the address that SDP names, so other addresses are believed too: another port of the named host, or
/// anything that SRTP has authenticated, after several packets in a row that fit together; another host only if besides nothing has come
/// from where it should for a while. All that holds only while neither the named address nor the one already believed is heard. From then on
/// the address is locked: a stranger who guesses our port is neither heard nor sent anything.
#[derive(Clone, Debug)]
pub(super) struct Source {
    named: SocketAddr,
    /// Addresses named before, by another fork or before the sound moved: what still comes from them teaches nothing.
    former: [Option<SocketAddr>; Source::FORMER],
    locked: Option<Locked>,
    /// What the named address has shown so far, apart from the rest, so that a stranger cannot undo it.
    named_run: Option<Run>,
    other_run: Option<Run>,
    /// Since when another host has been heard instead of the named address.
    strange_since: Option<Instant>,
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
    /// How long the named address may let another host speak in its place. A phone that answers is heard within a few hundred
    /// milliseconds: whoever floods our ports in the hope to be first is not believed in that time.
    const STRANGE_FOR: Duration = Duration::from_secs(1);
    /// Former addresses remembered: as many forks as ring in practice.
    const FORMER: usize = 4;

    pub(super) fn new(named: SocketAddr) -> Self {
        Self {
            named,
            former: [None; Self::FORMER],
            locked: None,
            named_run: None,
            other_run: None,
            strange_since: None,
        }
    }

    /// Learns anew if SDP now names another address.
    pub(super) fn rename(&mut self, named: SocketAddr) {
        if named == self.named {
            return;
        }
        let mut former = self.former;
        former.rotate_right(1);
        if let Some(latest) = former.first_mut() {
            *latest = Some(self.named);
        }
        for addr in &mut former {
            *addr = addr.filter(|addr| *addr != named);
        }
        *self = Self {
            former,
            ..Self::new(named)
        };
    }

    /// Where to send to: what is heard goes before what was said.
    pub(super) fn addr(&self) -> SocketAddr {
        self.locked.map_or(self.named, |locked| locked.addr)
    }

    /// Whether an address is the other side's, for reports, which come from a port of their own.
    pub(super) fn is_host(&self, from: SocketAddr) -> bool {
        from.ip() == self.addr().ip() || from.ip() == self.named.ip()
    }

    /// Whether to listen to a packet that is plausible in itself. `authentic` says that SRTP has proved its sender.
    pub(super) fn accepts(
        &mut self,
        now: Instant,
        from: SocketAddr,
        packet: &RtpPacket,
        authentic: bool,
    ) -> bool {
        if let Some(locked) = self.locked.as_mut().filter(|locked| locked.addr == from) {
            locked.heard = now;
            return true;
        }
        if self.former.contains(&Some(from)) && !authentic {
            return false;
        }
        let convinced = self.count(from, packet);
        let patient = authentic || self.is_patient(now, from);
        if convinced && patient && self.may_change(now, from) {
            self.locked = Some(Locked {
                addr: from,
                heard: now,
            });
            return true;
        }
        // The address that SDP names is heard from its first packet, while nobody is locked; and who proves himself always is.
        authentic || (self.locked.is_none() && from == self.named)
    }

    /// Whether another host has spoken in the named one's place for long enough, if it is another host.
    fn is_patient(&mut self, now: Instant, from: SocketAddr) -> bool {
        if from == self.named {
            self.strange_since = None;
        }
        if from.ip() == self.named.ip() {
            return true;
        }
        let since = *self.strange_since.get_or_insert(now);
        now.saturating_duration_since(since) >= Self::STRANGE_FOR
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
    const SAME_HOST: &str = "192.0.2.1:40444";
    const OTHER: &str = "198.51.100.9:6000";
    const STRANGER: &str = "203.0.113.66:666";

    struct World {
        start: Instant,
        source: Source,
        authentic: bool,
    }

    impl World {
        fn new() -> Self {
            Self {
                authentic: false,
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
                accepted += usize::from(self.source.accepts(
                    now,
                    from.parse().unwrap(),
                    &packet,
                    self.authentic,
                ));
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
    fn another_port_is_learned_after_four_in_a_row() {
        let mut world = World::new();
        assert_eq!(world.send(0, SAME_HOST, 1, 0..10), 7);
        assert_eq!(world.source.addr(), addr(SAME_HOST));
        assert_eq!(world.send(0, STRANGER, 9, 0..100), 0);
    }

    #[test]
    fn another_host_is_learned_only_after_a_second_without_the_named_one() {
        let mut world = World::new();
        assert_eq!(world.send(0, OTHER, 1, 0..50), 0);
        assert_eq!(world.send(1_000, OTHER, 1, 50..60), 10);
        assert_eq!(world.source.addr(), addr(OTHER));
        // The named one is heard again from its fourth packet on, and then alone.
        assert_eq!(world.send(1_200, NAMED, 2, 0..10), 7);
        assert_eq!(world.source.addr(), addr(NAMED));
        assert_eq!(world.send(1_400, OTHER, 1, 60..90), 0);
    }

    #[test]
    fn what_is_authentic_is_heard_at_once_and_believed_after_four_in_a_row() {
        let mut world = World::new();
        world.authentic = true;
        assert_eq!(world.send(0, OTHER, 1, 0..3), 3);
        assert_eq!(world.source.addr(), addr(NAMED));
        assert_eq!(world.send(60, OTHER, 1, 3..4), 1);
        assert_eq!(world.source.addr(), addr(OTHER));
    }

    #[test]
    fn an_address_named_before_teaches_nothing() {
        let mut world = World::new();
        world.send(0, NAMED, 1, 0..10);
        world.source.rename(addr(OTHER));
        assert_eq!(world.send(200, NAMED, 1, 10..200), 0);
        assert_eq!(world.source.addr(), addr(OTHER));
        world.source.rename(addr(NAMED));
        assert_eq!(world.send(4_200, NAMED, 1, 200..210), 10);
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
        assert_eq!(world.send(0, STRANGER, 9, 0..60), 10);
        assert_eq!(world.send(1_200, NAMED, 1, 0..10), 7);
        assert_eq!(world.source.addr(), addr(NAMED));
        assert_eq!(world.send(1_400, STRANGER, 9, 60..110), 0);
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
