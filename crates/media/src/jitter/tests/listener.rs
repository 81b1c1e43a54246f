use std::time::{Duration, Instant};

use crate::jitter::{Arrival, JitterBuffer, JitterStats, Play};

/// Plays a frame every 20 ms as the playout does, but knows only how long everything is.
pub(super) struct Listener {
    pub(super) buffer: JitterBuffer,
    start: Instant,
    rate: u32,
    frame: u32,
    /// Ticks that were pulled and not played.
    ready: u32,
    /// Frames to be played before sound may be scaled again.
    rest: u32,
    pub(super) is_quiet: bool,
    pub(super) heard: Vec<Heard>,
}

/// Something that was pulled, and when its beginning is heard, in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) at_us: u64,
    pub(super) play: Play,
}

impl Heard {
    /// The number that the sender wrote into the packet.
    pub(super) fn number(&self) -> Option<u64> {
        match &self.play {
            Play::Packet { payload, .. } => {
                payload.as_ref().try_into().ok().map(u64::from_be_bytes)
            }
            _ => None,
        }
    }
}

impl Listener {
    /// A pitch period of a low voice, in parts of a second, and how often it is left out: the slowest that the time-scale is.
    const PERIODS_PER_SECOND: u32 = 200;
    const FRAMES_PER_CHANGE: u32 = 5;

    pub(super) fn new(start: Instant, rate: u32) -> Self {
        Self {
            buffer: JitterBuffer::new(rate),
            start,
            rate,
            frame: rate / 50,
            ready: 0,
            rest: 0,
            is_quiet: false,
            heard: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, at_us: u64, packet: Arrival) {
        self.buffer.push(self.at(at_us), packet);
    }

    pub(super) fn stats(&self) -> JitterStats {
        self.buffer.stats()
    }

    /// Plays the frame that is due.
    pub(super) fn frame(&mut self, now_us: u64) {
        let now = self.at(now_us);
        let excess = self.buffer.excess(now, self.ready, self.frame);
        self.gather(now_us, now);
        self.scale(excess);
        self.gather(now_us, now);
        self.ready -= self.frame;
        self.rest = self.rest.saturating_sub(1);
    }

    fn at(&self, us: u64) -> Instant {
        self.start + Duration::from_micros(us)
    }

    fn gather(&mut self, now_us: u64, now: Instant) {
        while self.ready < self.frame {
            let play = self.buffer.pull(now, self.ready);
            let at_us = now_us + u64::from(self.ready) * 1_000_000 / u64::from(self.rate);
            self.ready += play.ticks();
            self.heard.push(Heard { at_us, play });
        }
    }

    fn scale(&mut self, excess: i64) {
        let period = i64::from(self.rate / Self::PERIODS_PER_SECOND);
        let least = if self.is_quiet {
            period / 5
        } else {
            period / 2
        };
        if excess.abs() < least || (self.rest > 0 && !self.is_quiet) {
            return;
        }
        let most = if self.is_quiet { 2 * period } else { period };
        let size = excess.abs().min(most);
        let change = size * excess.signum();
        self.ready = u32::try_from(i64::from(self.ready) - change).unwrap();
        self.buffer.scaled(change);
        self.rest = Self::FRAMES_PER_CHANGE;
    }
}
