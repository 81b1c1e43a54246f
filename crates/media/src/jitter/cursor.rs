use super::Content;
use super::played::Played;
use super::ring::Waiting;

/// Where the listener is in the stream.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// Media time, in ticks without wraps, of what is pulled next.
    pub(super) timestamp: i64,
    /// The last packet pulled, or found lost.
    pub(super) last: Option<i64>,
    played: Played,
    /// How long the last packet played, in ticks.
    pub(super) ticks: u32,
    /// Whether the delay has been waited for since nothing was heard.
    pub(super) primed: bool,
    /// Whether the sender said that it pauses.
    pub(super) resting: bool,
    /// Whether what is pulled next does not continue what was.
    pub(super) broken: bool,
    /// Steps in a row that nothing was there.
    pub(super) starved: u32,
    /// Packets in a row that were too late to be played, and since when, in microseconds.
    pub(super) late: u32,
    pub(super) late_since_us: i64,
}

impl Cursor {
    /// Waits for its first packet at a media time.
    pub(super) fn new(timestamp: i64, ticks: u32) -> Self {
        Self {
            timestamp,
            last: None,
            played: Played::default(),
            ticks,
            primed: false,
            resting: false,
            broken: false,
            starved: 0,
            late: 0,
            late_since_us: 0,
        }
    }

    /// Packets between the last one and this that are not there.
    pub(super) fn missing(&self, next: &Waiting) -> i64 {
        self.last
            .map_or(0, |last| (next.sequence - last - 1).max(0))
    }

    /// Whether this very packet was pulled before.
    pub(super) fn has_played(&self, packet: &Waiting) -> bool {
        self.last.is_some() && self.played.contains(packet.sequence)
    }

    /// Whether the sender had gone on from this packet when it came.
    pub(super) fn has_passed(&self, packet: &Waiting) -> bool {
        self.last.is_some_and(|last| packet.sequence <= last)
    }

    /// Whether so much of a packet's time is over that playing it would double what was heard.
    pub(super) fn has_missed(&self, packet: &Waiting) -> bool {
        packet.timestamp + i64::from(packet.ticks) / 2 < self.timestamp
    }

    pub(super) fn play(&mut self, packet: &Waiting) {
        self.last = self.last.max(Some(packet.sequence));
        self.played.mark(packet.sequence);
        self.ticks = packet.ticks;
        self.timestamp = packet.end();
        self.resting = packet.content == Content::Noise;
        self.broken = false;
    }

    /// Goes past a packet that is not played.
    pub(super) fn skip(&mut self, packet: &Waiting) {
        self.timestamp = self.timestamp.max(packet.end());
        self.last = self.last.max(Some(packet.sequence));
        self.broken = true;
    }

    /// Counts a packet that was too late; returns how many have been in a row, and for how long.
    pub(super) fn late(&mut self, now_us: i64) -> (u32, i64) {
        if self.late == 0 {
            self.late_since_us = now_us;
        }
        self.late += 1;
        (self.late, now_us - self.late_since_us)
    }

    /// The way through the network has become longer: this packet, and so media time, is taken to be later than it says.
    pub(super) fn wait_for_longer(&mut self, packet: &Waiting) {
        self.late = 0;
        self.primed = false;
        self.timestamp = packet.end();
    }
}
