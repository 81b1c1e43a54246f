use std::time::{Duration, Instant};

use super::cursor::Cursor;
use super::drift::Drift;
use super::phase::Phase;
use super::ring::{Ring, Waiting};
use super::target::Target;
use super::timeline::{Place, Position, Timeline};
use super::transits::Transits;
use super::{Arrival, Content, JitterStats, Play};

/// Holds packets of one stream until their moment, with a delay that follows the network (10 to 200 ms).
///
/// A cursor moves along the stream's media time as the caller pulls. The delay is how far the listener is behind the quickest possible
/// packet. It grows at once: a packet that came too late to be played moves the cursor back to itself. Otherwise it is led to its target
/// where nobody speaks, and by what [`JitterBuffer::excess`] asks of a time-scale.
///
/// Media time that nobody numbered a packet for is silence, not loss (RFC 3551 §4.1). A new SSRC, numbers that begin anew, or media time
/// that jumps by more than a second against the clock are led on behind what waits, so that the sound goes on.
#[derive(Clone, Debug)]
pub struct JitterBuffer {
    clock_rate: u32,
    /// Ticks of 10 ms, in which time passes without packets.
    step: u32,
    epoch: Option<Instant>,
    timeline: Timeline,
    transits: Transits,
    target: Target,
    drift: Drift,
    ring: Ring,
    /// Where the listener is, once there was a packet.
    cursor: Option<Cursor>,
    phase: Phase,
    spare_us: Option<i64>,
    has_redundancy: bool,
    stats: JitterStats,
}

impl JitterBuffer {
    /// Packets that wait at most: more than a second of 20 ms packets.
    pub const WAITING_MAX: usize = Ring::PACKETS_MAX;
    /// Bytes that wait at most.
    pub const WAITING_BYTES_MAX: usize = Ring::BYTES_MAX;
    /// Times in a second that a stream begins anew at most.
    pub const BEGINNINGS_MAX: usize = Timeline::BEGINNINGS_MAX;
    /// The longest packet, 120 ms (RFC 6716 §3.2.5), in steps.
    const PACKET_STEPS_MAX: u32 = 12;
    /// Steps made up before silence when nothing comes at all: 60 ms.
    const STARVED_MAX: u32 = 6;
    /// Packets too late in a row, and for how long, after which the network, not the packets, has changed.
    const LATE_MAX: u32 = 10;
    const LATE_US: i64 = 200_000;
    /// How much less than needed the delay may be before something is done about it.
    const PATIENCE_US: i64 = 1_000;
    /// How much more than wanted there must be before silence is left out.
    const MARGIN_US: i64 = 15_000;
    /// How much more than wanted is left behind in one step: the listener stood still.
    const STALL_US: i64 = 300_000;

    /// Makes an empty buffer for a stream with a clock of `clock_rate` hertz.
    pub fn new(clock_rate: u32) -> Self {
        let clock_rate = clock_rate.clamp(1_000, 192_000);
        Self {
            clock_rate,
            step: clock_rate / 100,
            epoch: None,
            timeline: Timeline::new(clock_rate),
            transits: Transits::default(),
            target: Target::new(0),
            drift: Drift::default(),
            ring: Ring::default(),
            cursor: None,
            phase: Phase::default(),
            spare_us: None,
            has_redundancy: false,
            stats: JitterStats::default(),
        }
    }

    /// Of the stream, in hertz.
    pub fn clock_rate(&self) -> u32 {
        self.clock_rate
    }

    /// Whether to wait a packet longer while packets are lost, because each tells again what was in the one before (Opus in-band FEC).
    pub fn expect_redundancy(&mut self, has_redundancy: bool) {
        self.has_redundancy = has_redundancy;
    }

    /// What has happened so far.
    pub fn stats(&self) -> JitterStats {
        JitterStats {
            stray: self.timeline.stray(),
            drift_ppm: self.drift.ppm(),
            ..self.stats
        }
    }

    /// Packets and bytes that wait.
    pub fn waiting(&self) -> (usize, usize) {
        self.ring.size()
    }

    /// Forgets the stream but not the network: after a hold or a change of codec the next packet begins anew.
    pub fn clear(&mut self) {
        self.timeline.clear();
        self.transits.clear();
        self.drift.clear();
        self.ring.clear();
        self.cursor = None;
    }

    /// Takes a packet in.
    pub fn push(&mut self, now: Instant, packet: Arrival) {
        self.stats.received += 1;
        let now_us = self.micros(now);
        match self.timeline.place(now_us, &packet, self.transits.least()) {
            Place::At(position) => self.keep(now_us, position, packet),
            Place::Anew {
                first: None,
                continues,
            } => self.begin(now_us, packet, continues),
            Place::Anew {
                first: Some((at_us, first)),
                continues,
            } => {
                self.begin(at_us, first, continues);
                let position = self.timeline.position(&packet);
                self.keep(now_us, position, packet);
            }
            Place::Old => self.stats.late += 1,
            Place::Nowhere => {}
        }
    }

    /// What to play next. `ready` ticks of what was pulled before have not been played yet.
    pub fn pull(&mut self, now: Instant, ready: u32) -> Play {
        let now_us = self.micros(now);
        let target_us = self.target.us(now_us);
        self.stats.target_ms = millis(target_us);
        let Some(delay_us) = self.delay_us(now_us, 0) else {
            return self.silence(self.step);
        };
        self.stats.delay_ms = millis(delay_us + self.micros_of(i64::from(ready)));
        self.leave_out(delay_us - target_us);
        let needed_us = self.target.needed_us(now_us);
        self.next(delay_us - needed_us)
    }

    /// Ticks that the listener should leave out of what is ready, or, if negative, should put in, to come to the right delay.
    ///
    /// Asked once before each frame of `frame` ticks, of which `ready` are there already.
    pub fn excess(&mut self, now: Instant, ready: u32, frame: u32) -> i64 {
        let (now_us, frame) = (self.micros(now), frame.max(1));
        self.spare_us = None;
        let Some((least, most)) = self.phase.frame(ready % frame) else {
            return 0;
        };
        let calm = self
            .cursor
            .as_ref()
            .is_none_or(|cursor| !cursor.primed || cursor.starved > 0);
        let Some(delay_us) = self.delay_us(now_us, ready).filter(|_| !calm) else {
            return 0;
        };
        // A packet is needed when less than a frame is ready; so much later than the quickest it may come.
        let margin_us = delay_us - self.micros_of(i64::from(most));
        let frame_us = self.micros_of(i64::from(frame)).max(1);
        let over_us = margin_us - self.target.needed_us(now_us);
        let frames = frames_too_many(over_us, frame_us);
        let is_even = self.target.is_least();
        self.spare_us = is_even.then_some(over_us - frames * frame_us);
        i64::from(least) + frames * i64::from(frame)
    }

    /// How much sooner the last frame that was asked for could have been, in microseconds; negative if it should have been later.
    ///
    /// Less than a frame. None unless packets come so evenly that nothing but the moments of playing makes the delay longer than its least.
    pub fn take_spare_us(&mut self) -> Option<i64> {
        self.spare_us.take()
    }

    /// Whether the packet that continues what was pulled is there.
    pub fn has_next(&self) -> bool {
        let next = self.ring.first().zip(self.cursor.as_ref());
        next.is_some_and(|(next, cursor)| next.timestamp <= cursor.timestamp && cursor.primed)
    }

    /// Whether `frame` ticks, of which `ready` are there already, could be played at once, and packets come so evenly that nothing is gained by
    /// waiting for the moment of playing.
    pub fn completes(&self, ready: u32, frame: u32) -> bool {
        let next = self.ring.first().filter(|_| self.has_next());
        let there = ready.saturating_add(next.map_or(0, |next| next.ticks));
        self.target.is_least() && there >= frame
    }

    /// The listener left out `ticks` of sound, or put in as many if negative.
    pub fn scaled(&mut self, ticks: i64) {
        let time = self.duration(ticks.unsigned_abs());
        let (count, sum) = match ticks {
            0 => return,
            1.. => (&mut self.stats.shrunk, &mut self.stats.shrunk_time),
            _ => (&mut self.stats.stretched, &mut self.stats.stretched_time),
        };
        *count += 1;
        *sum += time;
        self.phase.clear();
    }

    /// What [`Play::Lost`] said to make up was in the redundancy of the next packet.
    pub fn recovered(&mut self, ticks: u32) {
        let time = self.duration(u64::from(ticks));
        self.stats.recovered += 1;
        self.stats.concealed = self.stats.concealed.saturating_sub(1);
        self.stats.concealed_time = self.stats.concealed_time.saturating_sub(time);
    }

    /// What [`Play::Packet`] gave was damaged, and something was made up instead.
    pub fn damaged(&mut self, ticks: u32) {
        let time = self.duration(u64::from(ticks));
        self.stats.concealed += 1;
        self.stats.concealed_time += time;
        self.stats.played_time = self.stats.played_time.saturating_sub(time);
    }

    fn begin(&mut self, now_us: i64, packet: Arrival, continues: bool) {
        self.stats.reanchored += u64::from(self.cursor.is_some());
        let after = self.ring.last().map(Waiting::end);
        let at = match (&self.cursor, continues) {
            (None, _) => 0,
            (Some(_), true) => self.timeline.position(&packet).timestamp,
            (Some(cursor), false) => after.unwrap_or(cursor.timestamp).max(cursor.timestamp),
        };
        if !continues {
            self.transits.clear();
            self.drift.clear();
        }
        let position = self.timeline.begin(&packet, at);
        let cursor = self
            .cursor
            .get_or_insert_with(|| Cursor::new(at, 2 * self.step));
        cursor.broken = true;
        cursor.primed &= continues || after.is_some();
        self.keep(now_us, position, packet);
    }

    fn keep(&mut self, now_us: i64, position: Position, packet: Arrival) {
        let transit_us = now_us - self.micros_of(position.timestamp);
        let delay_us = self.transits.packet(now_us, transit_us);
        self.target.packet(now_us, delay_us);
        self.drift.packet(now_us, transit_us);
        let packet = waiting(position, packet, self.step * Self::PACKET_STEPS_MAX);
        if self.in_time(now_us, delay_us, &packet) {
            self.stats.duplicate += u64::from(!self.ring.insert(packet));
        }
        while let Some(dropped) = self.ring.overflow() {
            self.stats.overflow += 1;
            if let Some(cursor) = &mut self.cursor {
                cursor.skip(&dropped);
            }
        }
    }

    /// Whether a packet can still be played; counts it if not. The cursor goes back to it if need be.
    fn in_time(&mut self, now_us: i64, delay_us: i64, packet: &Waiting) -> bool {
        let Some(cursor) = &mut self.cursor else {
            return false;
        };
        if cursor.has_played(packet) {
            self.stats.duplicate += 1;
            return false;
        }
        let (passed, missed) = (cursor.has_passed(packet), cursor.has_missed(packet));
        if passed || missed && delay_us > Target::US_MAX {
            self.stats.late += 1;
            self.late(now_us, passed, packet);
            return false;
        }
        cursor.late = 0;
        if missed {
            cursor.timestamp = packet.timestamp;
            self.target.late(now_us, delay_us);
            self.stats.grown += 1;
        }
        true
    }

    /// A packet came too late. If all do, the way through the network has become longer.
    fn late(&mut self, now_us: i64, passed: bool, packet: &Waiting) {
        let Some(cursor) = self.cursor.as_mut().filter(|_| !passed) else {
            return;
        };
        let (packets, for_us) = cursor.late(now_us);
        let changed = packets >= Self::LATE_MAX && for_us >= Self::LATE_US;
        if changed && self.timeline.may_begin(now_us) {
            cursor.wait_for_longer(packet);
            self.transits.clear();
            self.drift.clear();
            self.stats.reanchored += 1;
        }
    }

    /// Leaves out what nobody would hear, or what nobody could make up for: silence, or all that came while the listener stood still.
    fn leave_out(&mut self, excess_us: i64) {
        let excess = self.ticks_of(excess_us);
        let stalled = excess_us > Self::STALL_US;
        let silence = self.silence_ahead();
        if !stalled && (silence == 0 || excess_us < Self::MARGIN_US) {
            return;
        }
        let left_out = if stalled { excess } else { excess.min(silence) };
        let Some(cursor) = &mut self.cursor else {
            return;
        };
        cursor.timestamp += left_out;
        cursor.broken |= stalled;
        let until = cursor.timestamp;
        self.scaled(left_out);
        while self
            .ring
            .first()
            .is_some_and(|first| stalled && first.timestamp < until)
        {
            let dropped = self.ring.pop();
            if let Some((dropped, cursor)) = dropped.zip(self.cursor.as_mut()) {
                cursor.last = Some(dropped.sequence);
            }
        }
    }

    fn next(&mut self, excess_us: i64) -> Play {
        let (Some(cursor), Some(first)) = (&mut self.cursor, self.ring.first()) else {
            return self.starved();
        };
        let short = excess_us < -Self::PATIENCE_US;
        let ahead = first.timestamp - cursor.timestamp;
        let missing = cursor.missing(first);
        if ahead > missing * i64::from(cursor.ticks) {
            return self.pause(ahead, short);
        }
        if !cursor.primed && short {
            return self.wait();
        }
        cursor.primed = true;
        cursor.starved = 0;
        if ahead > 0 {
            self.lost(ahead)
        } else {
            self.packet()
        }
    }

    fn packet(&mut self) -> Play {
        let (Some(cursor), Some(packet)) = (&mut self.cursor, self.ring.pop()) else {
            return self.starved();
        };
        let missing = cursor.missing(&packet);
        let follows = missing == 0 && !cursor.broken;
        cursor.play(&packet);
        self.stats.lost += missing.unsigned_abs();
        self.stats.played += 1;
        self.stats.played_time += self.duration(u64::from(packet.ticks));
        self.turn(missing > 0, packet.ticks);
        Play::Packet {
            payload: packet.payload,
            content: packet.content,
            ticks: packet.ticks,
            follows,
        }
    }

    /// A packet before the first that waits did not come, and `ahead` ticks are to be filled.
    fn lost(&mut self, ahead: i64) -> Play {
        let (Some(cursor), Some(first)) = (&mut self.cursor, self.ring.first()) else {
            return self.starved();
        };
        let gap = u32::try_from(ahead).unwrap_or(u32::MAX);
        // Redundancy tells of the last packet of a gap alone; whatever else bridges a short one does so from both of its ends.
        let at_once = !self.has_redundancy && gap <= Self::STARVED_MAX * self.step;
        let ticks = if at_once { gap } else { gap.min(cursor.ticks) };
        let is_before = i64::from(ticks) == ahead;
        let missing = cursor.missing(first);
        let found_lost = if is_before { missing } else { missing.min(1) };
        let next = (is_before && first.content == Content::Voice).then(|| first.payload.clone());
        cursor.last = cursor.last.map(|last| last + found_lost);
        cursor.timestamp += i64::from(ticks);
        self.stats.lost += found_lost.unsigned_abs();
        self.turn(true, ticks);
        self.made_up(next, ticks)
    }

    /// Nothing waits: a late packet is bridged, then it is silence. The cursor moves with the clock.
    fn starved(&mut self) -> Play {
        if let Some(cursor) = &mut self.cursor {
            cursor.timestamp += i64::from(self.step);
        }
        self.filled()
    }

    /// Lets time pass without moving on, so that the delay grows.
    fn wait(&mut self) -> Play {
        self.stats.grown += 1;
        self.filled()
    }

    /// Fills a step in which nothing is there.
    fn filled(&mut self) -> Play {
        let ticks = self.step;
        let Some(cursor) = &mut self.cursor else {
            return self.silence(ticks);
        };
        cursor.starved = cursor.starved.saturating_add(1);
        if cursor.starved > Self::STARVED_MAX || cursor.last.is_none() || cursor.resting {
            cursor.primed = false;
            return self.silence(ticks);
        }
        self.made_up(None, ticks)
    }

    /// Nobody speaks for `ahead` ticks; it is made longer if the delay is too short.
    fn pause(&mut self, ahead: i64, short: bool) -> Play {
        let ticks = u32::try_from(ahead).unwrap_or(u32::MAX).min(self.step);
        if short {
            self.stats.grown += 1;
        } else if let Some(cursor) = &mut self.cursor {
            cursor.timestamp += i64::from(ticks);
        }
        self.silence(ticks)
    }

    fn silence(&mut self, ticks: u32) -> Play {
        self.stats.silence_time += self.duration(u64::from(ticks));
        Play::Silence { ticks }
    }

    fn made_up(&mut self, next: Option<bytes::Bytes>, ticks: u32) -> Play {
        self.stats.concealed += 1;
        self.stats.concealed_time += self.duration(u64::from(ticks));
        Play::Lost { next, ticks }
    }

    fn turn(&mut self, lost: bool, ticks: u32) {
        let redundancy_us = if self.has_redundancy {
            self.micros_of(i64::from(ticks))
        } else {
            0
        };
        self.target.turn(lost, redundancy_us);
    }

    /// Ticks before the next packet in which there is nothing to be heard: a pause of the sender, or a loss so long that it is silence by now.
    fn silence_ahead(&self) -> i64 {
        let next = self.ring.first().zip(self.cursor.as_ref());
        next.filter(|(first, cursor)| !cursor.primed || cursor.missing(first) == 0)
            .map_or(0, |(first, cursor)| {
                (first.timestamp - cursor.timestamp).max(0)
            })
    }

    /// How far the listener is behind the quickest possible packet.
    fn delay_us(&self, now_us: i64, ready: u32) -> Option<i64> {
        let cursor = self.cursor.as_ref()?;
        let heard = self.micros_of(cursor.timestamp - i64::from(ready));
        Some(now_us - self.transits.least()? - heard)
    }

    fn micros(&mut self, now: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(now);
        i64::try_from(now.saturating_duration_since(epoch).as_micros()).unwrap_or(i64::MAX / 4)
    }

    fn micros_of(&self, ticks: i64) -> i64 {
        ticks.saturating_mul(1_000_000) / i64::from(self.clock_rate)
    }

    fn ticks_of(&self, micros: i64) -> i64 {
        micros.saturating_mul(i64::from(self.clock_rate)) / 1_000_000
    }

    fn duration(&self, ticks: u64) -> Duration {
        Duration::from_micros(ticks.saturating_mul(1_000_000) / u64::from(self.clock_rate))
    }
}

/// Frames by which packets are there too soon, or, if negative, too late, when they are `over_us` earlier than needed. The moments of playing
/// are frames apart, so that it is a matter of whole frames.
fn frames_too_many(over_us: i64, frame_us: i64) -> i64 {
    // More than the patience, so that it is not a frame more now and a frame less then.
    if (-Target::SHORT_US_MAX..-JitterBuffer::PATIENCE_US).contains(&over_us) {
        return 0;
    }
    (over_us + JitterBuffer::PATIENCE_US).div_euclid(frame_us)
}

fn waiting(position: Position, packet: Arrival, ticks_max: u32) -> Waiting {
    Waiting {
        sequence: position.sequence,
        timestamp: position.timestamp,
        ticks: packet.ticks.clamp(1, ticks_max),
        content: packet.content,
        payload: packet.payload,
    }
}

fn millis(micros: i64) -> u64 {
    u64::try_from(micros / 1_000).unwrap_or(0)
}
