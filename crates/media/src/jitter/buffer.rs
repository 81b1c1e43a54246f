use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::delay::DelayEstimate;
use super::timeline::Unwrap;

/// Holds packets of one stream until their moment, with a delay that follows the network (20 to 200 ms).
///
/// A cursor moves along the stream's media time as the caller pulls. The delay is how far the cursor is behind the quickest possible
/// packet. It grows at once: a packet that came too late to be played moves the cursor back to itself. It shrinks by leaving out
/// silence: gaps of a sender that says nothing, or frames that the caller found quiet.
///
/// Media time that nobody numbered a packet for is silence, not loss (RFC 3551 §4.1). A new SSRC, or media time that jumps by more than
/// a second against the clock, begins anew.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    clock_rate: u32,
    /// Ticks of 20 ms.
    frame_ticks: u32,
    epoch: Option<Instant>,
    stream: Option<Stream>,
    delay: DelayEstimate,
    stats: JitterStats,
}

/// One packet on its way in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arrival {
    /// Whose stream.
    pub ssrc: u32,
    /// As in the RTP header.
    pub sequence: u16,
    /// As in the RTP header.
    pub timestamp: u32,
    /// How long it plays, in ticks of the RTP clock.
    pub ticks: u32,
    /// The sound.
    pub payload: Bytes,
}

/// What to play next. Every kind says how long, in ticks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Play {
    /// A packet in its turn.
    Packet {
        /// The sound.
        payload: Bytes,
        /// How long it plays.
        ticks: u32,
    },
    /// A packet did not come: make something up. `next` is the packet after it, if it is there, for its redundancy.
    Lost {
        /// The packet after the lost one.
        next: Option<Bytes>,
        /// How long to make something up.
        ticks: u32,
    },
    /// Nobody speaks.
    Silence {
        /// How long.
        ticks: u32,
    },
}

/// What has happened to the packets of one direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct JitterStats {
    /// Packets that came.
    pub received: u64,
    /// Packets played in their turn.
    pub played: u64,
    /// Packets that came after their moment and were not played.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets dropped because there was no room.
    pub overflow: u64,
    /// Times that something had to be made up.
    pub concealed: u64,
    /// Times that the delay grew by waiting, or by going back to a late packet.
    pub grown: u64,
    /// Times that the delay shrank by leaving something out.
    pub shrunk: u64,
    /// Times that the stream began anew.
    pub reanchored: u64,
    /// The delay now, in milliseconds.
    pub delay_ms: u64,
    /// The delay aimed at, in milliseconds.
    pub target_ms: u64,
}

#[derive(Clone, Debug)]
struct Stream {
    ssrc: u32,
    sequence: Unwrap,
    timestamp: Unwrap,
    /// By sequence number without wraps.
    waiting: BTreeMap<i64, Waiting>,
    /// Media time, in ticks without wraps, of what is played next.
    cursor: i64,
    /// The last packet played, or found lost.
    last: Option<i64>,
    /// Things made up in a row with nothing waiting.
    starved: u32,
    /// Packets in a row that were too late.
    late_in_a_row: u32,
    /// How long the last packet played, in ticks.
    ticks: u32,
    /// Until when the delay is not shrunk again in the middle of sound, in microseconds.
    no_cut_before_us: i64,
}

#[derive(Clone, Debug)]
struct Waiting {
    timestamp: i64,
    ticks: u32,
    payload: Bytes,
}

impl JitterBuffer {
    /// Packets that wait at most: more than a second of 20 ms packets.
    pub const WAITING_MAX: usize = 64;
    /// Frames made up before silence when nothing comes at all: 60 ms.
    const STARVED_MAX: u32 = 3;
    /// A jump of media time against the clock that is a new beginning.
    const JUMP_US: i64 = 1_000_000;
    /// Packets too late in a row after which the network, not the packets, has changed.
    const LATE_IN_A_ROW_MAX: u32 = 10;
    /// How much more delay than wanted there must be before silence is left out: a frame and a half.
    const SLACK_US: i64 = 30_000;
    /// How much more before sound is cut, and how often at most.
    const EXCESS_US: i64 = 80_000;
    const CUT_EVERY_US: i64 = 500_000;
    /// How much more before it is left behind in one step: the listener stood still.
    const STALL_US: i64 = 300_000;

    /// Makes an empty buffer for a stream with a clock of `clock_rate` hertz.
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate: clock_rate.max(1_000),
            frame_ticks: clock_rate.max(1_000) / 50,
            epoch: None,
            stream: None,
            delay: DelayEstimate::new(0),
            stats: JitterStats::default(),
        }
    }

    /// What has happened so far.
    pub fn stats(&self) -> JitterStats {
        self.stats
    }

    /// Forgets the stream but not the network: after a hold or a change of codec the next packet begins anew.
    pub fn clear(&mut self) {
        self.stream = None;
        self.delay.reanchor();
    }

    /// Takes a packet in.
    pub fn push(&mut self, now: Instant, packet: Arrival) {
        self.stats.received += 1;
        let now_us = self.micros(now);
        if self
            .stream
            .as_ref()
            .is_none_or(|stream| stream.ssrc != packet.ssrc)
        {
            self.begin(now_us, &packet);
        }
        let Some((sequence, timestamp)) = self.place(now_us, &packet) else {
            return;
        };
        let delay_us = self
            .delay
            .packet(now_us, self.transit_us(now_us, timestamp));
        self.keep(now_us, delay_us, sequence, timestamp, packet);
    }

    /// What to play now. Called each time that the listener has less than a frame left; `quiet` says that what was played last can
    /// hardly be heard, so that leaving some of it out is not heard either.
    pub fn pull(&mut self, now: Instant, quiet: bool) -> Play {
        let now_us = self.micros(now);
        let target_us = self.delay.target_us(now_us);
        let ticks = self.frame_ticks;
        let Some(mut stream) = self.stream.take() else {
            return Play::Silence { ticks };
        };
        let delay_us = now_us - self.delay.least_us() - self.micros_of(stream.cursor);
        self.stats.target_ms = millis(target_us);
        self.stats.delay_ms = millis(delay_us);
        let play = if stream.must_wait(delay_us, target_us, quiet) {
            self.wait(&mut stream)
        } else {
            self.shrink(&mut stream, now_us, delay_us - target_us, quiet);
            self.next(&mut stream)
        };
        self.stream = Some(stream);
        play
    }

    fn begin(&mut self, now_us: i64, packet: &Arrival) {
        if self.stream.is_some() {
            self.stats.reanchored += 1;
        }
        self.delay.reanchor();
        self.stream = Some(Stream::new(now_us, self.frame_ticks, packet));
    }

    /// Where a packet belongs, without wraps. Begins anew if it belongs nowhere near; none if it came twice.
    fn place(&mut self, now_us: i64, packet: &Arrival) -> Option<(i64, i64)> {
        let stream = self.stream.as_mut()?;
        let before = (stream.sequence, stream.timestamp);
        let place = (
            stream.sequence.sequence(packet.sequence),
            stream.timestamp.timestamp(packet.timestamp),
        );
        if stream.waiting.contains_key(&place.0) {
            self.stats.duplicate += 1;
            return None;
        }
        let jump = self.delay.difference_us(self.transit_us(now_us, place.1));
        if jump.is_none_or(|jump| jump.abs() < Self::JUMP_US) {
            return Some(place);
        }
        self.begin_unless_old(now_us, packet, before)
    }

    /// An old packet is no reason to begin anew: only one whose number is ahead is.
    fn begin_unless_old(
        &mut self,
        now_us: i64,
        packet: &Arrival,
        before: (Unwrap, Unwrap),
    ) -> Option<(i64, i64)> {
        let stream = self.stream.as_mut()?;
        let sequence = before.0.clone().sequence(packet.sequence);
        if stream
            .last
            .is_some_and(|last| sequence <= last && sequence > last - 100)
        {
            (stream.sequence, stream.timestamp) = before;
            self.stats.late += 1;
            return None;
        }
        self.begin(now_us, packet);
        let stream = self.stream.as_mut()?;
        Some((
            stream.sequence.sequence(packet.sequence),
            stream.timestamp.timestamp(packet.timestamp),
        ))
    }

    fn keep(&mut self, now_us: i64, delay_us: i64, sequence: i64, timestamp: i64, packet: Arrival) {
        let Some(stream) = self.stream.as_mut() else {
            return;
        };
        let ticks = packet.ticks.clamp(1, 6 * self.frame_ticks);
        if stream.has_played(timestamp, ticks) {
            if stream.last == Some(sequence) {
                self.stats.duplicate += 1;
                return;
            }
            self.delay.was_late(now_us, delay_us);
            if !stream.go_back(sequence, timestamp, delay_us) {
                self.stats.late += 1;
                self.late_again(now_us, &packet);
                return;
            }
            self.stats.grown += 1;
        }
        let Some(stream) = self.stream.as_mut() else {
            return;
        };
        stream.late_in_a_row = 0;
        stream.waiting.insert(
            sequence,
            Waiting {
                timestamp,
                ticks,
                payload: packet.payload,
            },
        );
        if stream.waiting.len() > Self::WAITING_MAX {
            stream.waiting.pop_first();
            self.stats.overflow += 1;
        }
    }

    fn late_again(&mut self, now_us: i64, packet: &Arrival) {
        let Some(stream) = self.stream.as_mut() else {
            return;
        };
        stream.late_in_a_row += 1;
        if stream.late_in_a_row >= Self::LATE_IN_A_ROW_MAX {
            self.begin(now_us, packet);
        }
    }

    /// Lets time pass without moving on, so that the delay grows.
    fn wait(&mut self, stream: &mut Stream) -> Play {
        let ticks = self.frame_ticks;
        if stream.last.is_none() || stream.in_silence() {
            return Play::Silence { ticks };
        }
        self.stats.grown += 1;
        self.stats.concealed += 1;
        Play::Lost { next: None, ticks }
    }

    /// Leaves something out if the delay is more than it need be by `excess_us`.
    fn shrink(&mut self, stream: &mut Stream, now_us: i64, excess_us: i64, quiet: bool) {
        if excess_us < Self::SLACK_US || stream.last.is_none() {
            return;
        }
        let excess = excess_us.saturating_mul(i64::from(self.clock_rate)) / 1_000_000;
        let silence = stream.silence_ahead();
        if excess_us > Self::STALL_US {
            stream.skip_to(stream.cursor.saturating_add(excess));
            self.stats.shrunk += 1;
        } else if silence > 0 {
            stream.cursor += excess.min(silence);
            self.stats.shrunk += 1;
        } else if quiet || (excess_us > Self::EXCESS_US && now_us >= stream.no_cut_before_us) {
            stream.no_cut_before_us = now_us + Self::CUT_EVERY_US;
            self.stats.shrunk += u64::from(stream.skip_packet());
        }
    }

    fn next(&mut self, stream: &mut Stream) -> Play {
        let Some((&sequence, first)) = stream.waiting.first_key_value() else {
            return self.starved(stream);
        };
        stream.starved = 0;
        let ahead = first.timestamp - stream.cursor;
        if ahead <= 0 {
            return self.packet(stream);
        }
        let missing = stream.last.map_or(0, |last| (sequence - last - 1).max(0));
        if missing > 0 && ahead <= missing * i64::from(stream.ticks) {
            return self.lost(stream, sequence, ahead);
        }
        let ticks = u32::try_from(ahead)
            .unwrap_or(u32::MAX)
            .min(self.frame_ticks);
        stream.cursor += i64::from(ticks);
        Play::Silence { ticks }
    }

    fn packet(&mut self, stream: &mut Stream) -> Play {
        let Some((sequence, packet)) = stream.waiting.pop_first() else {
            return self.starved(stream);
        };
        stream.last = Some(sequence);
        stream.ticks = packet.ticks;
        stream.cursor = packet.timestamp + i64::from(packet.ticks);
        self.stats.played += 1;
        Play::Packet {
            payload: packet.payload,
            ticks: packet.ticks,
        }
    }

    /// A packet before `sequence` did not come, and `ahead` ticks are to be filled.
    fn lost(&mut self, stream: &mut Stream, sequence: i64, ahead: i64) -> Play {
        let ticks = u32::try_from(ahead).unwrap_or(u32::MAX).min(stream.ticks);
        let is_next = i64::from(ticks) == ahead;
        stream.last = Some(if is_next {
            sequence - 1
        } else {
            stream.last.unwrap_or(sequence) + 1
        });
        stream.cursor += i64::from(ticks);
        self.stats.concealed += 1;
        let next = stream
            .waiting
            .get(&sequence)
            .filter(|_| is_next)
            .map(|packet| packet.payload.clone());
        Play::Lost { next, ticks }
    }

    /// Nothing waits: a late packet is bridged, then it is silence. The cursor moves with the clock.
    fn starved(&mut self, stream: &mut Stream) -> Play {
        let ticks = self.frame_ticks;
        stream.cursor += i64::from(ticks);
        stream.starved = stream.starved.saturating_add(1);
        if stream.last.is_none() || stream.starved > Self::STARVED_MAX {
            return Play::Silence { ticks };
        }
        self.stats.concealed += 1;
        Play::Lost { next: None, ticks }
    }

    fn micros(&mut self, now: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(now);
        i64::try_from(now.saturating_duration_since(epoch).as_micros()).unwrap_or(i64::MAX / 4)
    }

    fn transit_us(&self, now_us: i64, timestamp: i64) -> i64 {
        now_us - self.micros_of(timestamp)
    }

    fn micros_of(&self, ticks: i64) -> i64 {
        ticks.saturating_mul(1_000_000) / i64::from(self.clock_rate)
    }
}

impl JitterStats {
    /// The part of what was to be played that had to be made up, 0 to 1.
    pub fn concealed_part(&self) -> f64 {
        let whole = self.played + self.concealed;
        if whole == 0 {
            0.0
        } else {
            self.concealed as f64 / whole as f64
        }
    }

    /// The delay now.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }
}

impl Stream {
    /// The counters begin one turn above zero, so that disorder at the start stays positive.
    fn new(now_us: i64, frame_ticks: u32, first: &Arrival) -> Self {
        let (mut sequence, mut timestamp) = (Unwrap::default(), Unwrap::default());
        sequence.sequence(first.sequence);
        let cursor = timestamp.timestamp(first.timestamp);
        Self {
            ssrc: first.ssrc,
            sequence,
            timestamp,
            waiting: BTreeMap::new(),
            cursor,
            last: None,
            starved: 0,
            late_in_a_row: 0,
            ticks: frame_ticks,
            no_cut_before_us: now_us,
        }
    }

    /// Whether the delay is less than it should be: by any amount while nothing sounds, else by more than half a frame.
    fn must_wait(&self, delay_us: i64, target_us: i64, quiet: bool) -> bool {
        let calm = self.last.is_none() || quiet || self.in_silence();
        delay_us + if calm { 0 } else { 10_000 } < target_us
    }

    fn in_silence(&self) -> bool {
        self.starved > JitterBuffer::STARVED_MAX || self.silence_ahead() > 0
    }

    /// Ticks of silence before the next packet, if it follows the last one by number.
    fn silence_ahead(&self) -> i64 {
        let next = self.waiting.first_key_value();
        let follows =
            next.filter(|(sequence, _)| self.last.is_none_or(|last| **sequence == last + 1));
        follows.map_or(0, |(_, packet)| (packet.timestamp - self.cursor).max(0))
    }

    /// Whether the cursor is past a packet, or so far into it that playing it would double what was heard.
    fn has_played(&self, timestamp: i64, ticks: u32) -> bool {
        timestamp + i64::from(ticks) / 2 < self.cursor && self.last.is_some()
            || self.last.is_none() && timestamp < self.cursor - i64::from(ticks) * 10
    }

    /// Goes back to a packet that came too late, unless a later one has been played or the delay would grow beyond its bound.
    fn go_back(&mut self, sequence: i64, timestamp: i64, delay_us: i64) -> bool {
        let possible = self.last.is_none_or(|last| sequence > last)
            && delay_us <= DelayEstimate::TARGET_US_MAX;
        if possible {
            self.cursor = timestamp;
        }
        possible
    }

    /// Leaves out everything before `cursor`.
    fn skip_to(&mut self, cursor: i64) {
        while let Some(first) = self.waiting.first_entry() {
            if first.get().timestamp >= cursor {
                break;
            }
            self.last = Some(*first.key());
            first.remove();
        }
        self.cursor = cursor;
    }

    /// Leaves out the packet that is due, if it follows the last; returns whether it did.
    fn skip_packet(&mut self) -> bool {
        let due = self.waiting.first_key_value().filter(|(sequence, packet)| {
            packet.timestamp <= self.cursor && self.last.is_none_or(|last| **sequence == last + 1)
        });
        let Some((&sequence, packet)) = due else {
            return false;
        };
        self.cursor = packet.timestamp + i64::from(packet.ticks);
        self.last = Some(sequence);
        self.waiting.remove(&sequence);
        true
    }
}

fn millis(micros: i64) -> u64 {
    u64::try_from(micros / 1_000).unwrap_or(0)
}
