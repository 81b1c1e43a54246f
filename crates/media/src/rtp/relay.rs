use super::{RtpPacket, RtpSender};
use crate::jitter::Arrival;

/// Sends the packets of another stream on in ours: their payloads as they are, their numbers fitted to ours.
///
/// What was lost or changed places on its way to us shows in our numbers too, so that the listener's own jitter buffer deals with it. Each
/// number is sent once (a nonce of SRTP may be made of it, RFC 7714 §8.1): what comes twice, or from before the relay joined, is dropped.
#[derive(Clone, Debug, Default)]
pub struct Relay {
    joined: Option<Joined>,
}

#[derive(Clone, Debug)]
struct Joined {
    ssrc: u32,
    /// What is added to their numbers to make ours.
    sequence_offset: u16,
    timestamp_offset: u32,
    /// The highest of their numbers so far, and the time after that packet.
    highest: u16,
    ends: u32,
    /// Which of the numbers before the highest have come: bit 0 is the highest itself.
    seen: u64,
    /// How many numbers before the highest are of this joining.
    reach: u16,
}

impl Relay {
    /// A packet further ahead or behind than this is of a stream that began anew (RFC 3550 appendix A.1).
    const JUMP: u16 = 1_000;
    /// The same for media time, in ticks: 10 s of 48 kHz.
    const JUMP_TICKS: u32 = 480_000;

    /// Fits a packet into ours; none if it may not be sent.
    pub fn packet(
        &mut self,
        sender: &mut RtpSender,
        payload_type: u8,
        marker: bool,
        packet: &Arrival,
    ) -> Option<RtpPacket> {
        let joined = match self.joined.take() {
            Some(joined) if joined.goes_on(packet) => joined,
            before => {
                before.inspect(|before| before.hand_over(sender));
                Joined::new(sender, packet)
            }
        };
        let joined = self.joined.insert(joined);
        if !joined.takes(packet) {
            return None;
        }
        let sequence = packet.sequence.wrapping_add(joined.sequence_offset);
        let timestamp = packet.timestamp.wrapping_add(joined.timestamp_offset);
        let payload = packet.payload.clone();
        Some(sender.numbered(sequence, timestamp, payload_type, marker, payload))
    }

    /// Ends the relay, so that the sender's own packets follow: none of them in the past.
    pub fn leave(&mut self, sender: &mut RtpSender) {
        if let Some(joined) = self.joined.take() {
            joined.hand_over(sender);
        }
    }
}

impl Joined {
    fn new(sender: &RtpSender, packet: &Arrival) -> Self {
        Self {
            ssrc: packet.ssrc,
            sequence_offset: sender.sequence().wrapping_sub(packet.sequence),
            timestamp_offset: sender.timestamp().wrapping_sub(packet.timestamp),
            highest: packet.sequence,
            ends: packet.timestamp.wrapping_add(packet.ticks),
            seen: 0,
            reach: 0,
        }
    }

    fn goes_on(&self, packet: &Arrival) -> bool {
        let numbers = packet.sequence.wrapping_sub(self.highest) as i16;
        let time = packet.timestamp.wrapping_sub(self.ends) as i32;
        self.ssrc == packet.ssrc
            && numbers.unsigned_abs() <= Relay::JUMP
            && time.unsigned_abs() <= Relay::JUMP_TICKS
    }

    /// Notes a packet; false if its number was sent, or may have been.
    fn takes(&mut self, packet: &Arrival) -> bool {
        let ahead = packet.sequence.wrapping_sub(self.highest);
        if ahead < 0x8000 && ahead > 0 {
            self.seen = self.seen.checked_shl(ahead.into()).unwrap_or(0);
            self.reach = self.reach.saturating_add(ahead).min(63);
            self.highest = packet.sequence;
            self.ends = packet.timestamp.wrapping_add(packet.ticks);
        }
        let behind = self.highest.wrapping_sub(packet.sequence);
        if behind > self.reach {
            return false;
        }
        let bit = 1 << behind;
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }

    fn hand_over(&self, sender: &mut RtpSender) {
        let ends = self.ends.wrapping_add(self.timestamp_offset);
        if (ends.wrapping_sub(sender.timestamp()) as i32) > 0 {
            sender.advance(ends.wrapping_sub(sender.timestamp()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jitter::Content;
    use bytes::Bytes;

    fn arrival(sequence: u16, timestamp: u32) -> Arrival {
        Arrival {
            ssrc: 77,
            sequence,
            timestamp,
            marker: false,
            ticks: 960,
            content: Content::Voice,
            payload: Bytes::from_static(b"sound"),
        }
    }

    /// Numbers ours so far, then relays; gives each number and time relative to the first of ours.
    struct World {
        relay: Relay,
        sender: RtpSender,
        first: (u16, u32),
    }

    impl World {
        fn new() -> Self {
            let mut sender = RtpSender::new(4);
            let own = sender.packet(111, true, Bytes::from_static(b"own"));
            sender.advance(960);
            Self {
                relay: Relay::default(),
                sender,
                first: (own.sequence, own.timestamp),
            }
        }

        fn relay(&mut self, packet: Arrival) -> Option<(u16, u32)> {
            let sent = self.relay.packet(&mut self.sender, 111, false, &packet)?;
            Some(self.place(&sent))
        }

        fn own(&mut self) -> (u16, u32) {
            self.relay.leave(&mut self.sender);
            let sent = self.sender.packet(111, false, Bytes::from_static(b"own"));
            self.place(&sent)
        }

        fn place(&self, sent: &RtpPacket) -> (u16, u32) {
            (
                sent.sequence.wrapping_sub(self.first.0),
                sent.timestamp.wrapping_sub(self.first.1),
            )
        }
    }

    #[test]
    fn numbers_go_on_through_theirs_and_ours_across_every_wrap() {
        let mut world = World::new();
        for n in 0..70_000_u32 {
            let packet = arrival(
                65_000_u16.wrapping_add(n as u16),
                4_294_000_000_u32.wrapping_add(n * 960),
            );
            assert_eq!(world.relay(packet), Some(((n + 1) as u16, (n + 1) * 960)));
        }
        assert_eq!(world.own(), (70_001_u32 as u16, 70_001 * 960));
        // The other side begins again, with other numbers: ours go on.
        world.sender.advance(960);
        assert_eq!(
            world.relay(arrival(5, 5)),
            Some((70_002_u32 as u16, 70_002 * 960))
        );
    }

    #[test]
    fn loss_and_disorder_show_and_duplicates_do_not() {
        let mut world = World::new();
        let at = |n: u16| arrival(100 + n, 960 * u32::from(n));
        assert_eq!(world.relay(at(0)), Some((1, 960)));
        assert_eq!(world.relay(at(3)), Some((4, 3_840)));
        assert_eq!(world.relay(at(2)), Some((3, 2_880)));
        assert_eq!(world.relay(at(2)), None);
        assert_eq!(world.relay(at(3)), None);
        assert_eq!(world.relay(at(4)), Some((5, 4_800)));
        // From before we joined: that number of ours is another packet's.
        assert_eq!(world.relay(arrival(99, 0)), None);
        assert_eq!(world.own(), (6, 5_760));
    }

    #[test]
    fn another_stream_and_a_jump_are_joined_anew() {
        let mut world = World::new();
        assert_eq!(world.relay(arrival(1, 0)), Some((1, 960)));
        let other = Arrival {
            ssrc: 78,
            ..arrival(50_000, 9)
        };
        assert_eq!(world.relay(other), Some((2, 1_920)));
        let jumped = Arrival {
            ssrc: 78,
            ..arrival(20_000, 969)
        };
        assert_eq!(world.relay(jumped), Some((3, 2_880)));
        let later = Arrival {
            ssrc: 78,
            ..arrival(20_001, 900_000_000)
        };
        assert_eq!(world.relay(later), Some((4, 3_840)));
    }

    /// No number is ever sent twice, whatever comes.
    #[test]
    fn a_storm_of_numbers_sends_none_twice() {
        for seed in 0..200_u32 {
            let (mut world, mut state) = (World::new(), seed);
            let mut next = move |below: u32| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) % below
            };
            let mut sent = Vec::new();
            for n in 0..400_u32 {
                let near = (1_000 + n).wrapping_sub(next(90)) as u16;
                let sequence = if next(40) == 0 {
                    next(65_536) as u16
                } else {
                    near
                };
                sent.extend(world.relay(arrival(sequence, n * 960)).map(|place| place.0));
                if next(60) == 0 {
                    sent.push(world.own().0);
                }
            }
            let all = sent.len();
            sent.sort_unstable();
            sent.dedup();
            assert_eq!(sent.len(), all, "seed {seed}");
        }
    }
}
