//! Whether a peer is alive, found out with OPTIONS (RFC 3261 §11).
//!
//! ```text
//!              any answer                    silence (three)
//!   Unknown ───────────────► Up ◄─────────────────────────────► Down
//!      └── silence (three) ──────────────────► 503 at once ──────┘
//!                                              two answers
//! ```
//!
//! Any final response says that somebody is there, even 404 or 501 (RFC 3261 §11.2: the answer to OPTIONS is what an INVITE would
//! get, and many trunks answer neither well), but for two: 408 comes from a proxy that heard nothing itself and is a silence, and 503
//! says that no call will be taken, with the time to leave the peer alone (§21.5.4).

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{Message, StatusCode};

/// The longest time that a peer can ask to be left alone; whatever is longer would hide its return.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// Watches one peer. It asks nothing itself: [`handle_timeout`](Ping::handle_timeout) says when an OPTIONS is to be sent.
#[derive(Debug)]
pub struct Ping {
    options: PingOptions,
    random: StdRng,
    health: Health,
    /// Answers, or silences, in a row that speak against `health`.
    doubts: u8,
    next: Instant,
    /// Until when the last question may be answered before it counts as a silence.
    open_until: Option<Instant>,
}

/// How a [`Ping`] asks.
#[derive(Clone, Copy, Debug)]
pub struct PingOptions {
    /// The pause between two questions while all is well, give or take a tenth so that peers are not asked in step.
    pub interval: Duration,
    /// The pause while something is in doubt.
    pub interval_in_doubt: Duration,
    /// How long an answer may take before it counts as a silence. Shorter than 64*T1: a later answer still counts as one.
    pub patience: Duration,
    /// Silences in a row after which the peer is down: one lost datagram is not an outage.
    pub down_after: u8,
    /// Answers in a row after which it is up again, so that a peer that comes and goes is not trusted at once.
    pub up_after: u8,
}

impl PingOptions {
    /// Asks every `interval`; three silences, each of 4 s or of the interval if that is less, are an outage, and two answers its end.
    pub fn every(interval: Duration) -> Self {
        Self {
            interval,
            interval_in_doubt: interval.min(Duration::from_secs(5)),
            patience: interval.min(Duration::from_secs(4)),
            down_after: 3,
            up_after: 2,
        }
    }
}

/// What is known of a peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Health {
    /// Nothing yet.
    Unknown,
    /// It answers.
    Up,
    /// It does not, or wants no calls.
    Down(DownBecause),
}

/// Why a peer is taken for down.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DownBecause {
    /// Nothing came back.
    #[error("it does not answer")]
    Silence,
    /// The port is closed, the connection is refused.
    #[error("it cannot be reached")]
    Unreachable,
    /// It says so itself (503).
    #[error("it says that it is unavailable")]
    Unavailable,
}

impl Ping {
    /// Asks for the first time at once.
    pub fn new(now: Instant, options: PingOptions, seed: u64) -> Self {
        Self {
            options,
            random: StdRng::seed_from_u64(seed),
            health: Health::Unknown,
            doubts: 0,
            next: now,
            open_until: None,
        }
    }

    /// What is known.
    pub fn health(&self) -> Health {
        self.health
    }

    /// When [`handle_timeout`](Ping::handle_timeout) next has something to do.
    pub fn poll_timeout(&self) -> Instant {
        self.open_until.map_or(self.next, |until| until)
    }

    /// Counts a question that nobody answered, and says whether one is to be sent now.
    #[must_use = "true asks for an OPTIONS"]
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.open_until.is_some_and(|until| until <= now) {
            self.silent(now, DownBecause::Silence);
        }
        let is_due = self.open_until.is_none() && self.next <= now;
        if is_due {
            self.open_until = Some(now + self.options.patience);
        }
        is_due
    }

    /// Takes the final response to any question of ours, however late.
    pub fn replied(&mut self, now: Instant, message: &Message) {
        match message.status() {
            Some(StatusCode::SERVICE_UNAVAILABLE) => self.unavailable(now, message),
            Some(StatusCode::REQUEST_TIMEOUT) => self.silent(now, DownBecause::Silence),
            _ => self.alive(now),
        }
    }

    /// The last question could not be sent.
    pub fn unreachable(&mut self, now: Instant) {
        // A question that is given up 64*T1 later was counted as a silence long before.
        if self.open_until.is_some() {
            self.silent(now, DownBecause::Unreachable);
        }
    }

    /// Asks at once: a call has just found the peer wanting.
    pub fn suspect(&mut self, now: Instant) {
        if self.open_until.is_none() && self.health != Health::Down(DownBecause::Unavailable) {
            self.next = self.next.min(now);
        }
    }

    fn alive(&mut self, now: Instant) {
        self.open_until = None;
        let is_down = matches!(self.health, Health::Down(_));
        self.doubts = if is_down { self.doubts + 1 } else { 0 };
        if !is_down || self.doubts >= self.options.up_after {
            self.doubts = 0;
            self.health = Health::Up;
        }
        self.pause(now);
    }

    fn silent(&mut self, now: Instant, because: DownBecause) {
        self.open_until = None;
        if matches!(self.health, Health::Down(_)) {
            self.doubts = 0;
        } else {
            self.doubts = self.doubts.saturating_add(1);
            if self.doubts >= self.options.down_after {
                self.doubts = 0;
                self.health = Health::Down(because);
            }
        }
        self.pause(now);
    }

    /// RFC 3261 §21.5.4, §20.33: nothing is sent before the time it names.
    fn unavailable(&mut self, now: Instant, message: &Message) {
        self.open_until = None;
        self.doubts = 0;
        self.health = Health::Down(DownBecause::Unavailable);
        self.pause(now);
        if let Ok(Some(retry)) = message.retry_after() {
            self.next = self.next.max(now + retry.after.min(RETRY_AFTER_MAX));
        }
    }

    fn pause(&mut self, now: Instant) {
        let is_sure = self.health == Health::Up && self.doubts == 0;
        let pause = match is_sure {
            true => self.options.interval,
            false => self.options.interval_in_doubt,
        };
        self.next = now + pause.mul_f64(self.random.random_range(0.9..1.1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    /// A peer that is watched in virtual time; it answers as `says`.
    struct Watched {
        ping: Ping,
        start: Instant,
        now: Instant,
        /// When questions were sent, in seconds.
        asked: Vec<f64>,
    }

    enum Says {
        Status(&'static str),
        Nothing,
        PortClosed,
    }

    impl Watched {
        fn new(seed: u64) -> Self {
            let now = Instant::now();
            let ping = Ping::new(now, PingOptions::every(INTERVAL), seed);
            Self {
                ping,
                start: now,
                now,
                asked: Vec::new(),
            }
        }

        /// Asks until `questions` more have met their end.
        fn ask(&mut self, questions: usize, says: Says) -> Health {
            for _ in 0..questions {
                while !self.ping.handle_timeout(self.now) {
                    self.now = self.ping.poll_timeout();
                }
                self.asked.push((self.now - self.start).as_secs_f64());
                match says {
                    Says::Status(line) => self.ping.replied(self.now, &response(line)),
                    Says::PortClosed => self.ping.unreachable(self.now),
                    Says::Nothing => {
                        self.now = self.ping.poll_timeout();
                        let _ = self.ping.handle_timeout(self.now);
                    }
                }
            }
            self.ping.health()
        }

        fn last_pause(&self) -> f64 {
            let mut last = self.asked.iter().rev();
            last.next().unwrap() - last.next().unwrap()
        }
    }

    fn response(line: &str) -> Message {
        let text = format!(
            "SIP/2.0 {line}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom: <sip:a@b.c>;tag=1\r\n\
             To: <sip:a@b.c>;tag=2\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse(text.into()).unwrap()
    }

    /// RFC 3261 §11.2: the answer is what an INVITE would get; that there is one is what counts.
    #[test]
    fn any_answer_is_a_sign_of_life() {
        for line in [
            "200 OK",
            "404 Not Found",
            "405 No",
            "501 No",
            "486 Busy",
            "401 Who",
        ] {
            let mut watched = Watched::new(1);
            assert_eq!(watched.ask(1, Says::Status(line)), Health::Up, "{line}");
        }
    }

    #[test]
    fn questions_come_at_the_interval_but_not_in_step() {
        for seed in 0..50 {
            let mut watched = Watched::new(seed);
            watched.ask(2, Says::Status("200 OK"));
            let pause = watched.last_pause();
            assert!((27.0..33.0).contains(&pause), "seed {seed}: {pause} s");
        }
        let pause_of = |seed| {
            let mut watched = Watched::new(seed);
            watched.ask(2, Says::Status("200 OK"));
            watched.last_pause()
        };
        assert_ne!(pause_of(1), pause_of(2));
    }

    #[test]
    fn one_lost_answer_is_not_an_outage_and_three_are() {
        let mut watched = Watched::new(3);
        watched.ask(1, Says::Status("200 OK"));
        assert_eq!(watched.ask(2, Says::Nothing), Health::Up);
        assert!(watched.last_pause() < 10.0, "asks sooner when in doubt");
        assert_eq!(watched.ask(1, Says::Status("200 OK")), Health::Up);
        assert_eq!(watched.ask(2, Says::Nothing), Health::Up);
        let down = Health::Down(DownBecause::Silence);
        assert_eq!(watched.ask(1, Says::Nothing), down);
        // Down is found within half a minute of the first silence.
        let first = watched.asked.len() - 3;
        assert!(watched.asked.last().unwrap() - watched.asked[first] < 30.0);
    }

    /// RFC 3261 §16.7: a proxy says 408 for a server that said nothing to it.
    #[test]
    fn a_408_is_a_silence() {
        let mut watched = Watched::new(4);
        let down = Health::Down(DownBecause::Silence);
        assert_eq!(
            watched.ask(2, Says::Status("408 Request Timeout")),
            Health::Unknown
        );
        assert_eq!(watched.ask(1, Says::Status("408 Request Timeout")), down);
    }

    #[test]
    fn a_closed_port_is_down_after_three_tries() {
        let mut watched = Watched::new(5);
        assert_eq!(watched.ask(2, Says::PortClosed), Health::Unknown);
        let down = Health::Down(DownBecause::Unreachable);
        assert_eq!(watched.ask(1, Says::PortClosed), down);
    }

    #[test]
    fn a_peer_that_comes_back_answers_twice_before_it_is_trusted() {
        let mut watched = Watched::new(6);
        let down = watched.ask(3, Says::Nothing);
        assert_eq!(watched.ask(1, Says::Status("200 OK")), down);
        assert_eq!(watched.ask(1, Says::Nothing), down);
        assert_eq!(watched.ask(1, Says::Status("200 OK")), down);
        assert_eq!(watched.ask(1, Says::Status("200 OK")), Health::Up);
    }

    /// RFC 3261 §21.5.4: after a 503 with Retry-After the server is left alone for that time.
    #[test]
    fn a_503_is_down_at_once_and_left_alone_for_as_long_as_it_says() {
        let mut watched = Watched::new(7);
        watched.ask(1, Says::Status("200 OK"));
        let down = watched.ask(
            1,
            Says::Status("503 Service Unavailable\r\nRetry-After: 120"),
        );
        assert_eq!(down, Health::Down(DownBecause::Unavailable));
        watched.ping.suspect(watched.now);
        watched.ask(1, Says::Status("200 OK"));
        assert!((120.0..121.0).contains(&watched.last_pause()));
        // Nobody is left alone for ever.
        watched.ask(
            1,
            Says::Status("503 Service Unavailable\r\nRetry-After: 4294967295"),
        );
        watched.ask(1, Says::Nothing);
        assert!((3600.0..3601.0).contains(&watched.last_pause()));
    }

    #[test]
    fn a_late_answer_is_an_answer() {
        let mut watched = Watched::new(8);
        watched.ask(2, Says::Nothing);
        watched.ping.replied(watched.now, &response("200 OK"));
        assert_eq!(watched.ping.health(), Health::Up);
        // The agent gives the first question up after 64*T1; that says nothing new.
        watched.ping.unreachable(watched.now);
        assert_eq!(watched.ping.health(), Health::Up);
    }

    #[test]
    fn a_suspect_is_asked_at_once() {
        let mut watched = Watched::new(9);
        watched.ask(1, Says::Status("200 OK"));
        watched.ping.suspect(watched.now);
        watched.ask(1, Says::Status("200 OK"));
        assert_eq!(watched.last_pause(), 0.0);
    }
}
