use std::collections::VecDeque;

use super::Arrival;

/// Puts packets on one endless time, whatever SSRC, sequence numbers and timestamps do.
///
/// A packet that does not belong where the stream is begins it anew only if the next one follows it, or if its marker bit says that a
/// talk spurt begins (RFC 3550 §A.1 asks for two packets in a row likewise). Such beginnings are bounded in number.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    clock_rate: u32,
    ssrc: Option<u32>,
    sequence: Unwrap,
    timestamp: Unwrap,
    /// The highest sequence number so far.
    newest: i64,
    /// A packet that does not belong, until the next one tells.
    doubtful: Option<Doubtful>,
    /// When the stream began anew lately, in microseconds.
    begun: VecDeque<i64>,
    stray: u64,
}

#[derive(Clone, Debug)]
struct Doubtful {
    at_us: i64,
    packet: Arrival,
}

/// Where a packet belongs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// In the stream.
    At(Position),
    /// At the beginning of a new one, after `first` if that came before and was in doubt. `continues` says that media time goes on.
    Anew {
        first: Option<(i64, Arrival)>,
        continues: bool,
    },
    /// Before what is long over.
    Old,
    /// Not known yet, or nowhere.
    Nowhere,
}

/// Numbers without wraps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Position {
    pub(super) sequence: i64,
    pub(super) timestamp: i64,
}

impl Timeline {
    /// RFC 3550 §A.1: how far a number may be ahead of, or behind, the newest.
    const AHEAD_MAX: i64 = 3_000;
    const BEHIND_MAX: i64 = 100;
    /// A jump of media time against the clock that is a new beginning.
    const JUMP_US: i64 = 1_000_000;
    /// New beginnings in a second at most.
    pub(super) const BEGINNINGS_MAX: usize = 4;

    pub(super) fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate: clock_rate.max(1),
            ssrc: None,
            sequence: Unwrap::default(),
            timestamp: Unwrap::default(),
            newest: 0,
            doubtful: None,
            begun: VecDeque::new(),
            stray: 0,
        }
    }

    /// Packets that belonged nowhere so far.
    pub(super) fn stray(&self) -> u64 {
        self.stray
    }

    /// Forgets whose stream it is: the next packet begins anew.
    pub(super) fn clear(&mut self) {
        self.ssrc = None;
        self.doubtful = None;
    }

    /// Finds the place of a packet. `least_us` is the transit of the quickest, if any is known.
    pub(super) fn place(&mut self, now_us: i64, packet: &Arrival, least_us: Option<i64>) -> Place {
        let Some(ssrc) = self.ssrc else {
            return self.anew(now_us, None, false);
        };
        let position = self.position(packet);
        let ahead = position.sequence - self.newest;
        let transit_us = now_us - self.micros(position.timestamp);
        let near = (-Self::BEHIND_MAX..=Self::AHEAD_MAX).contains(&ahead);
        let continues = least_us.is_none_or(|least| (transit_us - least).abs() < Self::JUMP_US);
        match (ssrc == packet.ssrc, near, continues) {
            (true, true, true) => self.belongs(packet, position),
            (true, true, false) if ahead <= 0 => Place::Old,
            (true, true, false) if ahead == 1 && packet.marker => self.anew(now_us, None, false),
            (same, _, continues) => self.doubt(now_us, packet, same && continues),
        }
    }

    /// Lets a packet that begins anew be at a media time, and follow the newest. Returns where it is.
    pub(super) fn begin(&mut self, packet: &Arrival, timestamp: i64) -> Position {
        self.ssrc = Some(packet.ssrc);
        self.newest += 1;
        self.sequence.set(u64::from(packet.sequence), self.newest);
        self.timestamp.set(u64::from(packet.timestamp), timestamp);
        Position {
            sequence: self.newest,
            timestamp,
        }
    }

    /// Where a packet is if its numbers go on from those before it.
    pub(super) fn position(&self, packet: &Arrival) -> Position {
        Position {
            sequence: self.sequence.sequence(packet.sequence),
            timestamp: self.timestamp.timestamp(packet.timestamp),
        }
    }

    /// Whether the stream may begin anew now; if so, it counts.
    pub(super) fn may_begin(&mut self, now_us: i64) -> bool {
        while self
            .begun
            .front()
            .is_some_and(|at| now_us - at >= 1_000_000)
        {
            self.begun.pop_front();
        }
        let may = self.begun.len() < Self::BEGINNINGS_MAX;
        if may {
            self.begun.push_back(now_us);
        }
        may
    }

    fn belongs(&mut self, packet: &Arrival, position: Position) -> Place {
        self.stray += u64::from(self.doubtful.take().is_some());
        self.newest = self.newest.max(position.sequence);
        self.sequence
            .set(u64::from(packet.sequence), position.sequence);
        self.timestamp
            .set(u64::from(packet.timestamp), position.timestamp);
        Place::At(position)
    }

    fn doubt(&mut self, at_us: i64, packet: &Arrival, continues: bool) -> Place {
        if let Some(doubtful) = self.doubtful.take() {
            if self.follows(&doubtful.packet, packet) {
                return self.anew(at_us, Some(doubtful), continues);
            }
            self.stray += 1;
        }
        let packet = packet.clone();
        self.doubtful = Some(Doubtful { at_us, packet });
        Place::Nowhere
    }

    /// Whether one packet is the next after another, in number and in time.
    fn follows(&self, before: &Arrival, packet: &Arrival) -> bool {
        let ticks = packet.timestamp.wrapping_sub(before.timestamp);
        packet.ssrc == before.ssrc
            && packet.sequence == before.sequence.wrapping_add(1)
            && (1..=self.clock_rate).contains(&ticks)
    }

    fn anew(&mut self, now_us: i64, first: Option<Doubtful>, continues: bool) -> Place {
        if !self.may_begin(now_us) {
            self.stray += 1 + u64::from(first.is_some());
            return Place::Nowhere;
        }
        self.doubtful = None;
        let first = first.map(|doubtful| (doubtful.at_us, doubtful.packet));
        Place::Anew { first, continues }
    }

    fn micros(&self, ticks: i64) -> i64 {
        ticks.saturating_mul(1_000_000) / i64::from(self.clock_rate)
    }
}

/// Counts on where a wrapping number goes back to zero.
#[derive(Clone, Copy, Debug, Default)]
struct Unwrap {
    wrapped: u64,
    unwrapped: i64,
}

impl Unwrap {
    fn set(&mut self, wrapped: u64, unwrapped: i64) {
        *self = Self { wrapped, unwrapped };
    }

    /// The number without wraps, nearest to the last one, for a counter of 16 bits.
    fn sequence(&self, wrapped: u16) -> i64 {
        self.unwrapped + i64::from(wrapped.wrapping_sub(self.wrapped as u16) as i16)
    }

    /// The number without wraps, nearest to the last one, for a counter of 32 bits.
    fn timestamp(&self, wrapped: u32) -> i64 {
        self.unwrapped + i64::from(wrapped.wrapping_sub(self.wrapped as u32) as i32)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::jitter::Content;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Arrival {
        Arrival {
            ssrc,
            sequence,
            timestamp,
            marker: false,
            ticks: 160,
            content: Content::Voice,
            payload: Bytes::new(),
        }
    }

    /// A timeline after one packet, with number 65 535 and time 2^32 - 80, at 0.
    fn begun() -> Timeline {
        let mut timeline = Timeline::new(8_000);
        let first = packet(1, 65_535, u32::MAX - 79);
        let anew = Place::Anew {
            first: None,
            continues: false,
        };
        assert_eq!(timeline.place(0, &first, None), anew);
        assert_eq!(
            timeline.begin(&first, 1_000),
            Position {
                sequence: 1,
                timestamp: 1_000
            }
        );
        timeline
    }

    /// The transit of the first packet.
    const LEAST: Option<i64> = Some(-125_000);

    #[test]
    fn numbers_go_on_where_counters_wrap_and_go_back_with_disorder() {
        let mut timeline = begun();
        let mut place = |now_us, sequence, timestamp| match timeline.place(
            now_us,
            &packet(1, sequence, timestamp),
            LEAST,
        ) {
            Place::At(position) => (position.sequence, position.timestamp),
            other => panic!("{other:?}"),
        };
        assert_eq!(place(40_000, 1, 240), (3, 1_320));
        assert_eq!(place(41_000, 0, 80), (2, 1_160));
        assert_eq!(place(60_000, 2, 400), (4, 1_480));
    }

    #[test]
    fn a_jump_is_believed_when_the_next_packet_follows() {
        let mut timeline = begun();
        let (one, two) = (packet(1, 0, 70_000_000), packet(1, 1, 70_000_160));
        assert_eq!(timeline.place(20_000, &one, LEAST), Place::Nowhere);
        let first = Some((20_000, one));
        assert_eq!(
            timeline.place(40_000, &two, LEAST),
            Place::Anew {
                first,
                continues: false
            }
        );
        assert_eq!(timeline.stray(), 0);
    }

    /// RFC 3551 §4.1: the marker bit is where media time may jump.
    #[test]
    fn a_jump_with_a_marker_is_believed_at_once() {
        let (mut timeline, mut one) = (begun(), packet(1, 0, 70_000_000));
        one.marker = true;
        assert_eq!(
            timeline.place(20_000, &one, LEAST),
            Place::Anew {
                first: None,
                continues: false
            }
        );
    }

    #[test]
    fn numbers_that_begin_anew_while_time_goes_on_are_only_renumbered() {
        let mut timeline = begun();
        assert_eq!(
            timeline.place(20_000, &packet(1, 30_000, 80), LEAST),
            Place::Nowhere
        );
        let place = timeline.place(40_000, &packet(1, 30_001, 240), LEAST);
        assert!(
            matches!(
                place,
                Place::Anew {
                    continues: true,
                    ..
                }
            ),
            "{place:?}"
        );
    }

    #[test]
    fn strangers_between_the_packets_of_a_stream_never_begin_anything() {
        let mut timeline = begun();
        for n in 0..100_u16 {
            let now_us = i64::from(n) * 20_000 + 20_000;
            let stranger = packet(9, 77 + n, 5 + u32::from(n) * 160);
            assert_eq!(timeline.place(now_us, &stranger, LEAST), Place::Nowhere);
            let own = packet(1, n, 80 + u32::from(n) * 160);
            assert!(matches!(timeline.place(now_us, &own, LEAST), Place::At(_)));
        }
        assert_eq!(timeline.stray(), 100);
    }

    #[test]
    fn a_storm_of_beginnings_is_bounded() {
        let (mut timeline, mut begun) = (begun(), 0);
        for n in 0..10_000_u32 {
            let now_us = i64::from(n) * 1_000;
            let packet = packet(n / 2, (n % 2) as u16, n % 2);
            if matches!(timeline.place(now_us, &packet, LEAST), Place::Anew { .. }) {
                timeline.begin(&packet, 0);
                begun += 1;
            }
        }
        assert!((30..=40).contains(&begun), "{begun} in ten seconds");
    }
}
