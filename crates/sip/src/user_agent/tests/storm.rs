//! Whole calls through a forking network that loses a fifth of all messages each way, by seed.
//!
//! `HOUSECALL_STORMS=10000 cargo test -p housecall-sip --lib storm` weathers them all.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::agenda::Agenda;
use super::forks::{Forks, Way};
use super::world::{ANSWERER, CALLER, invite, options, peer, words};
use crate::user_agent::{
    Body, CallHandle, Event, Input, Output, Refresher, Reliable, Reply, SessionTimer, UserAgent,
};
use crate::{Message, StatusCode};

/// Messages lost on the way between the caller and the network, in percent, each way.
const LOST: u32 = 20;
const REPEATED: u32 = 10;
/// Milliseconds on that way; the range is what reorders.
const DELAY_MS: std::ops::RangeInclusive<u64> = 1..=400;
/// By then everybody hangs up whatever is left.
const CURFEW: Duration = Duration::from_secs(220);
/// A last message may be sent 64*T1 after the curfew (a BYE that waited for an ACK), repeated for as long and remembered for as long.
const QUIET: Duration = Duration::from_secs(3 * 32 + 5);

/// A caller, a network that forks, and everybody whom it rings.
struct Storm {
    now: Instant,
    random: StdRng,
    /// The caller first, then each that may answer.
    people: Vec<Person>,
    forks: Forks,
    in_flight: Agenda<(usize, Instant, Bytes)>,
    plans: Agenda<(usize, Plan)>,
    /// Nobody learns that UPDATE is allowed.
    hides_update: bool,
    /// Both sides want this call: nobody hangs up early, and somebody answers.
    is_wanted: bool,
    /// How often the caller, and those whom it calls, were told what, and what became of messages.
    seen: BTreeMap<String, u32>,
    /// When the message that arrived last had left, by whom it was for.
    left: BTreeMap<usize, Instant>,
}

struct Person {
    agent: UserAgent,
    call: Option<CallHandle>,
    habit: Habit,
    /// It wants a PRACK for its ringing (RFC 3262).
    confirms: bool,
    answered: bool,
    ended: usize,
}

/// What somebody does who is called.
#[derive(Clone, Copy)]
enum Habit {
    Answers(Duration),
    Refuses(Duration),
    LetsItRing,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    Reply(StatusCode),
    Reinvite,
    Update,
    HangUp,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let count = random.random_range(1..=3);
        let kinds = [Reliable::Off, Reliable::Supported, Reliable::Required];
        let reliable = kinds[random.random_range(0..3)];
        let people = (0..=count)
            .map(|number| Person::new(number, seed, reliable, &mut random))
            .collect();
        let now = Instant::now();
        let mut storm = Self {
            now,
            forks: Forks::new(count, random.random_range(0..2) == 0),
            hides_update: random.random_range(0..3) == 0,
            random,
            people,
            in_flight: Agenda::new(),
            plans: Agenda::new(),
            is_wanted: false,
            seen: BTreeMap::new(),
            left: BTreeMap::new(),
        };
        if count > 1 {
            storm.see("forked");
        }
        storm.plan_all();
        let call = storm.people[CALLER]
            .agent
            .invite(now, invite(peer(ANSWERER)));
        storm.people[CALLER].call = Some(call);
        storm.drain();
        storm
    }

    /// Early hang-ups in every third call; changes by anybody at any time, often at the same.
    fn plan_all(&mut self) {
        let hangs_up_early = self.random.random_range(0..3) == 0;
        let answers = |person: &Person| matches!(person.habit, Habit::Answers(_));
        self.is_wanted = !hangs_up_early && self.people[1..].iter().any(answers);
        let end_ms = match hangs_up_early {
            true => self.random.random_range(0..12_000),
            false => self.random.random_range(60_000..200_000),
        };
        let who = self.random.random_range(0..self.people.len());
        self.plan(Duration::from_millis(end_ms), who, Plan::HangUp);
        for _ in 0..self.random.random_range(0..6) {
            let at = Duration::from_millis(self.random.random_range(1_000..100_000) / 500 * 500);
            let change = [Plan::Reinvite, Plan::Update][self.random.random_range(0..2)];
            for person in 0..self.people.len() {
                if self.random.random_range(0..2) == 0 {
                    self.plan(at, person, change);
                }
            }
        }
        for person in 0..self.people.len() {
            self.plan(CURFEW, person, Plan::HangUp);
        }
    }

    fn plan(&mut self, after: Duration, person: usize, plan: Plan) {
        self.plans.put(self.now + after, (person, plan));
    }

    /// Runs until nothing is left to happen, or the quiet after the curfew is over.
    fn run(&mut self) {
        let until = self.now + CURFEW + QUIET;
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.step();
            self.drain();
        }
    }

    fn next(&self) -> Option<Instant> {
        let timers = self
            .people
            .iter()
            .filter_map(|person| person.agent.poll_timeout());
        let flight = self.in_flight.next();
        timers.chain(flight).chain(self.plans.next()).min()
    }

    fn step(&mut self) {
        let now = self.now;
        if let Some((to, left, bytes)) = self.in_flight.take_due(now) {
            if self.left.insert(to, left).is_some_and(|other| other > left) {
                self.see("overtaken");
            }
            let message = Message::parse(bytes).unwrap();
            let from = peer(if to == CALLER { ANSWERER } else { CALLER });
            self.people[to]
                .agent
                .handle_input(now, Input::Received { from, message });
        } else if let Some((person, plan)) = self.plans.take_due(now) {
            self.people[person].carry_out(now, plan);
        } else {
            self.people
                .iter_mut()
                .for_each(|person| person.agent.handle_timeout(now));
        }
    }

    fn drain(&mut self) {
        for number in 0..self.people.len() {
            while let Some(output) = self.people[number].agent.poll_output() {
                match output {
                    Output::Send { bytes, .. } => self.carry(number, bytes),
                    Output::Event(event) => self.hear(number, event),
                }
            }
        }
    }

    /// Every message crosses the bad line between the caller and the network; what the network makes of it does not.
    fn carry(&mut self, from: usize, bytes: Bytes) {
        let message = Message::parse(self.hidden(bytes)).unwrap();
        let ways = match from {
            CALLER if self.chance(LOST) => return self.see("lost on the way out"),
            CALLER => self.forks.leave_caller(&message),
            fork => self.forks.leave_fork(fork, &message),
        };
        for Way { to, bytes } in ways {
            if to == CALLER && self.chance(LOST) {
                self.see("lost on the way in");
                continue;
            }
            if self.chance(REPEATED) {
                self.see("doubled");
                self.depart(to, bytes.clone());
            }
            self.depart(to, bytes);
        }
    }

    fn depart(&mut self, to: usize, bytes: Bytes) {
        let delay = Duration::from_millis(self.random.random_range(DELAY_MS));
        self.in_flight.put(self.now + delay, (to, self.now, bytes));
    }

    fn see(&mut self, what: &str) {
        *self.seen.entry(what.to_owned()).or_default() += 1;
    }

    fn hidden(&self, bytes: Bytes) -> Bytes {
        if !self.hides_update {
            return bytes;
        }
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replace(", UPDATE", "").into()
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn hear(&mut self, number: usize, event: Event) {
        let now = self.now;
        let who = if number == CALLER { "caller" } else { "called" };
        self.see(&format!("{who}: {}", words(&event)));
        let person = &mut self.people[number];
        match event {
            Event::Invited { call, .. } => {
                assert!(person.call.is_none(), "called twice");
                person.call = Some(call);
                let ringing = match person.confirms {
                    true => Reply::new(StatusCode::RINGING).reliable(),
                    false => Reply::new(StatusCode::RINGING),
                };
                person.agent.respond(now, call, ringing).unwrap();
                match person.habit {
                    Habit::Answers(after) => self.plan(after, number, Plan::Reply(StatusCode::OK)),
                    Habit::Refuses(after) => {
                        self.plan(after, number, Plan::Reply(StatusCode::BUSY_HERE));
                    }
                    Habit::LetsItRing => {}
                }
            }
            Event::Answered { .. } => person.answered = true,
            Event::Reinvited { call, .. } => {
                let reply = Reply::new(StatusCode::OK).with_body(Body::sdp("answer"));
                person.agent.respond(now, call, reply).unwrap();
            }
            Event::ReinviteAgain { .. } | Event::RefreshWanted { .. } => {
                person.carry_out(now, Plan::Reinvite);
            }
            Event::Ended { .. } => person.ended += 1,
            _ => {}
        }
    }

    /// What must be true at the end of every call.
    fn judge(&self, seed: u64) {
        for (number, person) in self.people.iter().enumerate() {
            let told = usize::from(person.call.is_some());
            assert_eq!(
                person.ended, told,
                "seed {seed}: person {number} is told the end once"
            );
            assert!(
                person.agent.is_idle(),
                "seed {seed}: person {number} still holds something"
            );
        }
    }
}

impl Person {
    fn new(number: usize, seed: u64, reliable: Reliable, random: &mut StdRng) -> Self {
        let side = number.min(ANSWERER);
        let mut options = options(side, seed * 8 + number as u64);
        options.reliable = reliable;
        options.session_timer = [90, 120, 1800]
            .get(random.random_range(0..4))
            .map(|seconds| SessionTimer {
                expires: Duration::from_secs(*seconds),
                refresher: [Refresher::Us, Refresher::Them, Refresher::Either]
                    [random.random_range(0..3)],
                ..SessionTimer::default()
            });
        let after = Duration::from_millis(random.random_range(0..6_000));
        let habit = match random.random_range(0..10) {
            0..7 => Habit::Answers(after),
            7..9 => Habit::Refuses(after),
            _ => Habit::LetsItRing,
        };
        Self {
            agent: UserAgent::new(options),
            call: None,
            habit,
            confirms: reliable != Reliable::Off,
            answered: false,
            ended: 0,
        }
    }

    /// Does it if there is a call and the moment allows it.
    fn carry_out(&mut self, now: Instant, plan: Plan) {
        let Some(call) = self.call else {
            return;
        };
        match plan {
            Plan::Reply(status) => {
                let reply = Reply::new(status).with_body(Body::sdp("answer"));
                let _ = self.agent.respond(now, call, reply);
            }
            Plan::Reinvite => {
                let _ = self.agent.reinvite(now, call, Body::sdp("hold"));
            }
            Plan::Update => {
                let _ = self.agent.update(now, call, Some(Body::sdp("hold")));
            }
            Plan::HangUp => self.agent.hang_up(now, call),
        }
    }
}

/// What no storm may be without: what a bad network does, forks, glare, and hang-ups by either side at any time.
const SEEN: [&str; 23] = [
    "forked",
    "lost on the way out",
    "lost on the way in",
    "doubled",
    "overtaken",
    "caller: progress 180",
    "caller: progress 199",
    "caller: answered",
    "called: confirmed",
    "called: acknowledged",
    "caller: re-INVITE again",
    "called: re-INVITE again",
    "caller: offered by INVITE",
    "called: offered by INVITE",
    "caller: offered by UPDATE",
    "called: offered by UPDATE",
    "caller: refresh wanted",
    "called: refresh wanted",
    "called: ended: cancelled",
    "caller: ended: by us",
    "caller: ended: by them",
    "called: ended: by us",
    "called: ended: by them",
];

/// No stuck dialog, no leaked transaction, and of a thousand calls that both sides want at most one is not set up.
#[test]
fn every_call_through_a_storm_ends_on_both_sides() {
    let storms = std::env::var("HOUSECALL_STORMS");
    let storms = storms.map_or(400, |count| count.parse().unwrap());
    let (mut wanted, mut set_up) = (0, 0);
    let mut seen = BTreeMap::new();
    for seed in 0..storms {
        let mut storm = Storm::new(seed);
        storm.run();
        storm.judge(seed);
        for (what, count) in &storm.seen {
            *seen.entry(what.clone()).or_insert(0) += count;
        }
        if storm.is_wanted {
            wanted += 1;
            set_up += u64::from(storm.people[CALLER].answered);
        }
    }
    let missing = wanted - set_up;
    println!("{storms} storms: of {wanted} calls that both sides want, {set_up} were set up");
    println!("{seen:#?}");
    let unseen = SEEN.into_iter().filter(|what| !seen.contains_key(*what));
    let unseen: Vec<&str> = unseen.collect();
    assert!(unseen.is_empty(), "no storm without {unseen:?}");
    assert!(
        missing * 1_000 <= wanted,
        "{missing} of {wanted} calls were not set up"
    );
}
