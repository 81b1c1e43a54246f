use std::time::{Duration, Instant};

use super::Transport;

/// The three base timer values of SIP (RFC 3261 §17.1.1.1), from which every other timer follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timers {
    /// Estimate of the round trip; everything gives up after 64 of them.
    pub t1: Duration,
    /// Longest pause between retransmissions of non-INVITE requests and INVITE responses.
    pub t2: Duration,
    /// Longest time a message stays in the network.
    pub t4: Duration,
}

impl Default for Timers {
    /// The values of RFC 3261 table 4: 500 ms, 4 s, 5 s.
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
        }
    }
}

impl Timers {
    /// How long an unanswered message is worth waiting for: 64*T1, 32 s by default.
    pub fn patience(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// The first period of `timer` (RFC 3261 table 4; L and M from RFC 6026 §7).
    fn first(&self, timer: Timer, transport: Transport) -> Duration {
        let udp = !transport.is_reliable();
        match timer {
            Timer::A | Timer::E | Timer::G => self.t1,
            Timer::B | Timer::F | Timer::H | Timer::L | Timer::M => self.patience(),
            Timer::D | Timer::J if udp => self.patience(),
            Timer::I | Timer::K if udp => self.t4,
            Timer::D | Timer::I | Timer::J | Timer::K => Duration::ZERO,
        }
    }
}

/// A transaction timer by the letter that RFC 3261 table 4 gives it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Timer {
    /// INVITE request retransmission.
    A,
    /// INVITE transaction timeout.
    B,
    /// Wait for response retransmissions to an INVITE.
    D,
    /// Non-INVITE request retransmission.
    E,
    /// Non-INVITE transaction timeout.
    F,
    /// INVITE response retransmission.
    G,
    /// Wait for the ACK.
    H,
    /// Wait for ACK retransmissions.
    I,
    /// Wait for non-INVITE request retransmissions.
    J,
    /// Wait for non-INVITE response retransmissions.
    K,
    /// Wait for INVITE retransmissions after a 2xx (RFC 6026).
    L,
    /// Wait for further 2xx after the first (RFC 6026).
    M,
}

/// The timers of one transaction: at most one that repeats a message and one that ends a wait.
#[derive(Debug)]
pub(crate) struct Clock {
    timers: Timers,
    transport: Transport,
    resend: Option<Resend>,
    deadline: Option<(Timer, Instant)>,
}

#[derive(Clone, Copy, Debug)]
struct Resend {
    timer: Timer,
    at: Instant,
    period: Duration,
}

impl Clock {
    pub(crate) fn new(timers: Timers, transport: Transport) -> Self {
        Self {
            timers,
            transport,
            resend: None,
            deadline: None,
        }
    }

    /// Starts A, E or G. Nothing is repeated over a reliable transport.
    pub(super) fn resend(&mut self, now: Instant, timer: Timer) {
        self.resend_every(now, timer, self.timers.first(timer, self.transport));
    }

    /// Starts E with its longest period, as a provisional response asks (RFC 3261 §17.1.2.2).
    pub(super) fn resend_slowly(&mut self, now: Instant, timer: Timer) {
        self.resend_every(now, timer, self.timers.t2);
    }

    fn resend_every(&mut self, now: Instant, timer: Timer, period: Duration) {
        let at = now + period;
        self.resend = (!self.transport.is_reliable()).then_some(Resend { timer, at, period });
    }

    /// Starts the timer that ends the wait in the present state.
    pub(super) fn deadline(&mut self, now: Instant, timer: Timer) {
        self.deadline = Some((timer, now + self.timers.first(timer, self.transport)));
    }

    pub(super) fn stop(&mut self) {
        self.resend = None;
        self.deadline = None;
    }

    /// When [`Clock::fire`] next has something to say.
    pub(crate) fn next(&self) -> Option<Instant> {
        let resend = self.resend.map(|resend| resend.at);
        let deadline = self.deadline.map(|(_, at)| at);
        [resend, deadline].into_iter().flatten().min()
    }

    /// Takes the timer that is due, if any; a repeating one starts its next period.
    pub(crate) fn fire(&mut self, now: Instant) -> Option<Timer> {
        // The deadline first: a message is not repeated at the moment it is given up.
        if let Some((timer, at)) = self.deadline
            && at <= now
        {
            self.deadline = None;
            return Some(timer);
        }
        let resend = self.resend.filter(|resend| resend.at <= now)?;
        let period = self.after(resend);
        // From now rather than from `at`: a process that slept owes one repetition, not a burst.
        self.resend = Some(Resend {
            at: now + period,
            period,
            ..resend
        });
        Some(resend.timer)
    }

    /// A doubles without end (RFC 3261 §17.1.1.2); E and G stop at T2 (§17.1.2.2, §17.2.1).
    fn after(&self, resend: Resend) -> Duration {
        let doubled = resend.period.saturating_mul(2);
        match resend.timer {
            Timer::A => doubled,
            _ => doubled.min(self.timers.t2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds after the start at which `timer` fires, until the deadline.
    fn firings(start: impl Fn(&mut Clock, Instant), transport: Transport) -> Vec<u128> {
        let zero = Instant::now();
        let mut clock = Clock::new(Timers::default(), transport);
        start(&mut clock, zero);
        let mut at = Vec::new();
        while let Some(next) = clock.next() {
            if clock.fire(next).is_some() {
                at.push((next - zero).as_millis());
            }
            if clock.deadline.is_none() {
                break;
            }
        }
        at
    }

    #[test]
    fn timer_a_doubles_until_timer_b() {
        let invite = |clock: &mut Clock, now| {
            clock.resend(now, Timer::A);
            clock.deadline(now, Timer::B);
        };
        let expected = [500, 1500, 3500, 7500, 15500, 31500, 32000];
        assert_eq!(firings(invite, Transport::Udp), expected);
        assert_eq!(firings(invite, Transport::Tcp), [32000]);
    }

    #[test]
    fn timer_e_stops_doubling_at_t2() {
        let bye = |clock: &mut Clock, now| {
            clock.resend(now, Timer::E);
            clock.deadline(now, Timer::F);
        };
        let expected = [
            500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500, 32000,
        ];
        assert_eq!(firings(bye, Transport::Udp), expected);
    }

    #[test]
    fn waits_for_repetitions_are_nothing_over_tcp() {
        let wait = |clock: &mut Clock, now| clock.deadline(now, Timer::K);
        assert_eq!(firings(wait, Transport::Udp), [5000]);
        assert_eq!(firings(wait, Transport::Tcp), [0]);
    }
}
