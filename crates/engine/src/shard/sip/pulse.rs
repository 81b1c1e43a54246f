use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::options::SipLimits;

/// A ping in a stream, four bytes, and its pong, two (RFC 5626 §4.4.1).
pub(super) const PING: &[u8] = b"\r\n\r\n";
pub(super) const PONG: &[u8] = b"\r\n";

/// The sense of time of one connection: when to ping, and when to give up.
#[derive(Debug)]
pub(super) struct Pulse {
    opened_by: OpenedBy,
    limits: SipLimits,
    /// The rest after which this connection is pinged: its own share of `ping_after`, so that connections do not beat as one.
    ping_after: Duration,
    /// When it was opened.
    since: Instant,
    /// When bytes last went either way.
    active: Instant,
    /// When bytes last came.
    heard: Instant,
    /// When the message began that is not whole yet.
    unfinished_since: Option<Instant>,
    /// Whether a valid message ever came.
    proved: bool,
    pinged: Option<Instant>,
    /// Whether this peer has shown that it answers pings. Many ignore them, as RFC 3261 §7.5 lets them; such a peer's silence says nothing.
    answers_pings: bool,
    line_ends: usize,
    pace: Bucket,
}

/// Who opened a connection: that side pings, the other answers (RFC 5626 §3.5.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OpenedBy {
    Us,
    Them,
}

/// Why time ran out for a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum TimedOut {
    #[error("no valid message in {0:?}")]
    Silent(Duration),
    #[error("nothing at all for {0:?}")]
    Idle(Duration),
    #[error("a message not whole after {0:?}")]
    Unfinished(Duration),
    #[error("a ping not answered in {0:?}")]
    NoPong(Duration),
}

impl Pulse {
    /// A connection that was just opened. `random`, from 0 to 1, sets its pings apart from those of others.
    pub(super) fn new(now: Instant, opened_by: OpenedBy, limits: SipLimits, random: f64) -> Self {
        let pace = limits.messages_a_second;
        Self {
            opened_by,
            limits,
            ping_after: limits
                .ping_after
                .mul_f64(0.8 + 0.2 * random.clamp(0.0, 1.0)),
            since: now,
            active: now,
            heard: now,
            unfinished_since: None,
            proved: false,
            pinged: None,
            answers_pings: false,
            line_ends: 0,
            pace: Bucket::new(now, pace, pace),
        }
    }

    /// Bytes came; `unfinished` of them wait for the rest of their message.
    pub(super) fn heard(&mut self, now: Instant, unfinished: usize) {
        (self.active, self.heard) = (now, now);
        self.pinged = None;
        self.unfinished_since = match unfinished {
            0 => None,
            _ => self.unfinished_since.or(Some(now)),
        };
    }

    /// A whole message came.
    pub(super) fn heard_message(&mut self, now: Instant, is_valid: bool) {
        self.proved |= is_valid;
        // The next one has its own time to become whole.
        self.unfinished_since = None;
        self.line_ends = 0;
        if self.opened_by == OpenedBy::Them {
            self.pace.take(now);
        }
    }

    /// Line ends came between messages. Returns how many pings are to be answered.
    pub(super) fn heard_line_ends(&mut self, bytes: usize) -> usize {
        if self.opened_by == OpenedBy::Us {
            self.answers_pings |= bytes > 0;
            return 0;
        }
        let bytes = self.line_ends.saturating_add(bytes);
        self.line_ends = bytes % PING.len();
        bytes / PING.len()
    }

    /// Bytes went.
    pub(super) fn sent(&mut self, now: Instant) {
        self.active = now;
    }

    /// Whether more may be read now; if not, [`Pulse::next`] says when.
    pub(super) fn may_read(&self, now: Instant) -> bool {
        self.opened_by == OpenedBy::Us || self.pace.ready_at() <= now
    }

    /// When [`Pulse::fire`] wants to be called, or reading may go on.
    pub(super) fn next(&self, now: Instant) -> Instant {
        let paced = self.pace.ready_at();
        let paced = (!self.may_read(now)).then_some(paced);
        let limits = self.deadlines().map(|(at, _)| at);
        let ping = self.ping_at();
        limits
            .into_iter()
            .chain([paced, ping])
            .flatten()
            .min()
            .unwrap_or(now + self.limits.idle)
    }

    /// Does what is due. `Ok(true)` when a ping is to be sent.
    ///
    /// # Errors
    /// The connection is to be closed.
    pub(super) fn fire(&mut self, now: Instant) -> Result<bool, TimedOut> {
        for (at, timed_out) in self.deadlines() {
            if at.is_some_and(|at| at <= now) {
                return Err(timed_out);
            }
        }
        if self.ping_at().is_some_and(|at| at <= now) {
            (self.pinged, self.active) = (Some(now), now);
            return Ok(true);
        }
        Ok(false)
    }

    fn ping_at(&self) -> Option<Instant> {
        (self.opened_by == OpenedBy::Us).then(|| self.active + self.ping_after)
    }

    fn deadlines(&self) -> [(Option<Instant>, TimedOut); 4] {
        let SipLimits {
            silent,
            idle,
            message_within,
            pong_within,
            ..
        } = self.limits;
        let theirs = self.opened_by == OpenedBy::Them;
        let unfinished = self.unfinished_since.map(|since| since + message_within);
        let pong = self.pinged.filter(|_| self.answers_pings);
        [
            (unfinished, TimedOut::Unfinished(message_within)),
            (
                (theirs && !self.proved).then(|| self.since + silent),
                TimedOut::Silent(silent),
            ),
            (theirs.then(|| self.heard + idle), TimedOut::Idle(idle)),
            (
                pong.map(|pinged| pinged + pong_within),
                TimedOut::NoPong(pong_within),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: fn() -> SipLimits = SipLimits::default;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn ours() -> (Pulse, Instant) {
        let now = Instant::now();
        (Pulse::new(now, OpenedBy::Us, LIMITS(), 1.0), now)
    }

    fn theirs() -> (Pulse, Instant) {
        let now = Instant::now();
        (Pulse::new(now, OpenedBy::Them, LIMITS(), 1.0), now)
    }

    /// RFC 5626 §4.4.1: between 80 and 100 % of the interval, anew for each connection.
    #[test]
    fn rest_is_pinged_after_24_to_30_seconds() {
        let now = Instant::now();
        for (random, after) in [(0.0, 24), (0.5, 27), (1.0, 30)] {
            let mut pulse = Pulse::new(now, OpenedBy::Us, LIMITS(), random);
            assert_eq!(pulse.next(now), now + secs(after));
            assert_eq!(pulse.fire(now + secs(after - 1)), Ok(false));
            assert_eq!(pulse.fire(now + secs(after)), Ok(true));
            assert_eq!(pulse.next(now), now + secs(2 * after), "and again");
        }
    }

    #[test]
    fn traffic_either_way_is_no_rest() {
        let (mut pulse, now) = ours();
        pulse.sent(now + secs(20));
        pulse.heard(now + secs(25), 0);
        assert_eq!(pulse.fire(now + secs(54)), Ok(false));
        assert_eq!(pulse.fire(now + secs(55)), Ok(true));
    }

    /// RFC 5626 §4.4.1: a flow whose pong stays out for 10 s has failed.
    #[test]
    fn a_peer_that_answers_pings_must_go_on_doing_so() {
        let (mut pulse, now) = ours();
        assert_eq!(pulse.fire(now + secs(30)), Ok(true));
        pulse.heard(now + secs(31), 0);
        assert_eq!(pulse.heard_line_ends(PONG.len()), 0);
        assert_eq!(pulse.fire(now + secs(61)), Ok(true));
        assert_eq!(pulse.fire(now + secs(70)), Ok(false));
        let failed = Err(TimedOut::NoPong(secs(10)));
        assert_eq!(pulse.fire(now + secs(71)), failed);
    }

    /// RFC 3261 §7.5: line ends before a message may as well be ignored.
    #[test]
    fn a_peer_that_never_answered_a_ping_is_not_given_up_for_it() {
        let (mut pulse, mut now) = ours();
        for _ in 0..100 {
            now += secs(30);
            assert_eq!(pulse.fire(now), Ok(true));
        }
    }

    #[test]
    fn pings_are_counted_across_reads() {
        let (mut pulse, now) = theirs();
        assert_eq!(pulse.heard_line_ends(3), 0);
        assert_eq!(pulse.heard_line_ends(1), 1);
        assert_eq!(pulse.heard_line_ends(9), 2);
        pulse.heard_message(now, true);
        assert_eq!(pulse.heard_line_ends(3), 0, "no rest of before");
    }

    #[test]
    fn who_never_sends_a_valid_message_has_30_seconds_whatever_else_comes() {
        let (mut pulse, now) = theirs();
        (1..30).for_each(|second| {
            pulse.heard(now + secs(second), 0);
            pulse.heard_message(now + secs(second), false);
            assert_eq!(pulse.fire(now + secs(second)), Ok(false));
        });
        let silent = Err(TimedOut::Silent(secs(30)));
        assert_eq!(pulse.fire(now + secs(30)), silent);
    }

    #[test]
    fn who_has_may_rest_ten_minutes() {
        let (mut pulse, now) = theirs();
        pulse.heard(now, 0);
        pulse.heard_message(now, true);
        assert_eq!(pulse.fire(now + secs(599)), Ok(false));
        assert_eq!(pulse.fire(now + secs(600)), Err(TimedOut::Idle(secs(600))));
    }

    #[test]
    fn a_message_that_drips_is_waited_for_five_seconds_from_its_first_byte() {
        for (mut pulse, now) in [ours(), theirs()] {
            (0..5).for_each(|second| {
                pulse.heard(now + secs(second), 100);
                assert_eq!(pulse.fire(now + secs(second)), Ok(false));
            });
            pulse.heard(now + secs(5), 100);
            let unfinished = Err(TimedOut::Unfinished(secs(5)));
            assert_eq!(pulse.fire(now + secs(5)), unfinished);
        }
    }

    #[test]
    fn the_next_message_has_its_own_five_seconds() {
        let (mut pulse, now) = theirs();
        pulse.heard(now, 100);
        pulse.heard_message(now + secs(4), true);
        pulse.heard(now + secs(4), 50);
        assert_eq!(pulse.fire(now + secs(8)), Ok(false));
        let unfinished = Err(TimedOut::Unfinished(secs(5)));
        assert_eq!(pulse.fire(now + secs(9)), unfinished);
    }

    #[test]
    fn two_hundred_messages_a_second_are_read_and_the_rest_waits() {
        let (mut pulse, now) = theirs();
        let read = (0..1_000)
            .take_while(|_| {
                let may = pulse.may_read(now);
                pulse.heard_message(now, true);
                may
            })
            .count();
        assert_eq!(read, 200);
        assert_eq!(pulse.next(now), now + Duration::from_millis(5));
        assert!(pulse.may_read(now + Duration::from_millis(5)));
    }
}
