use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::agenda::Agenda;
use crate::user_agent::{
    AgentOptions, Body, CallHandle, End, Event, Input, Invite, Output, Reply, UserAgent,
};
use crate::{Message, NameAddr, Peer, StatusCode, Uri};

pub(super) const CALLER: usize = 0;
pub(super) const ANSWERER: usize = 1;

/// Two user agents, the network between them, and virtual time.
pub(super) struct World {
    pub(super) now: Instant,
    start: Instant,
    random: StdRng,
    pub(super) agents: [UserAgent; 2],
    /// What each side was told, in order.
    pub(super) told: [Vec<String>; 2],
    /// The call of each side.
    pub(super) calls: [Option<CallHandle>; 2],
    /// Messages that reached their addressee, by first line.
    pub(super) arrived: Vec<String>,
    in_flight: Agenda<(usize, Bytes)>,
    plans: Agenda<Plan>,
    network: Network,
    pub(super) answers: Answers,
}

/// What the network does to each message, in percent.
#[derive(Clone, Copy)]
pub(super) struct Network {
    pub(super) lost: u32,
    pub(super) repeated: u32,
    pub(super) delay_ms: (u64, u64),
}

pub(super) const GOOD: Network = Network {
    lost: 0,
    repeated: 0,
    delay_ms: (1, 10),
};

pub(super) const BAD: Network = Network {
    lost: 25,
    repeated: 15,
    delay_ms: (1, 400),
};

/// How the answering side treats an INVITE.
#[derive(Clone, Copy)]
pub(super) enum Answers {
    After(Duration),
    With(StatusCode),
    RingsForEver,
    /// Sound before the answer, sent reliably.
    ReliablyAfter(Duration),
}

#[derive(Clone, Copy)]
pub(super) enum Plan {
    Answer,
    HangUp(usize),
    Reinvite(usize),
}

impl World {
    pub(super) fn new(seed: u64, network: Network) -> Self {
        let now = Instant::now();
        Self {
            now,
            start: now,
            random: StdRng::seed_from_u64(seed),
            agents: [agent(CALLER, seed), agent(ANSWERER, seed)],
            told: [Vec::new(), Vec::new()],
            calls: [None, None],
            arrived: Vec::new(),
            in_flight: Agenda::new(),
            plans: Agenda::new(),
            network,
            answers: Answers::After(Duration::from_secs(2)),
        }
    }

    pub(super) fn dial(&mut self) {
        let call = self.agents[CALLER].invite(self.now, invite(peer(ANSWERER)));
        self.calls[CALLER] = Some(call);
        self.drain();
    }

    pub(super) fn plan(&mut self, after: Duration, plan: Plan) {
        self.plans.put(self.now + after, plan);
    }

    /// Runs until nothing is left to happen or `limit` has passed; says how long it took.
    pub(super) fn run(&mut self, limit: Duration) -> Duration {
        let until = self.now + limit;
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now - self.start
    }

    pub(super) fn is_idle(&self) -> bool {
        self.agents.iter().all(UserAgent::is_idle)
    }

    pub(super) fn has_arrived(&self, first_words: &str) -> usize {
        let lines = self.arrived.iter();
        lines.filter(|line| line.starts_with(first_words)).count()
    }

    fn next(&self) -> Option<Instant> {
        let timers = self.agents.iter().filter_map(UserAgent::poll_timeout);
        let flight = self.in_flight.next();
        timers.chain(flight).chain(self.plans.next()).min()
    }

    fn step(&mut self) {
        let now = self.now;
        if let Some((to, bytes)) = self.in_flight.take_due(now) {
            self.arrive(to, bytes);
        } else if let Some(plan) = self.plans.take_due(now) {
            self.carry_out(plan);
        } else {
            self.agents
                .iter_mut()
                .for_each(|agent| agent.handle_timeout(now));
        }
        self.drain();
    }

    fn arrive(&mut self, to: usize, bytes: Bytes) {
        let message = Message::parse(bytes).unwrap();
        let line = String::from_utf8_lossy(message.bytes())
            .lines()
            .next()
            .unwrap()
            .to_owned();
        self.arrived.push(line);
        let from = peer(1 - to);
        self.agents[to].handle_input(self.now, Input::Received { from, message });
    }

    fn carry_out(&mut self, plan: Plan) {
        match plan {
            Plan::Answer => {
                // The call may be over by now.
                let reply = Reply::new(StatusCode::OK).with_body(Body::sdp("answer"));
                let call = self.calls[ANSWERER].unwrap();
                let _ = self.agents[ANSWERER].respond(self.now, call, reply);
            }
            Plan::HangUp(side) => {
                if let Some(call) = self.calls[side] {
                    self.agents[side].hang_up(self.now, call);
                }
            }
            Plan::Reinvite(side) => {
                // On a bad network the INVITE may not have arrived by now.
                if let Some(call) = self.calls[side] {
                    let _ = self.agents[side].reinvite(self.now, call, Body::sdp("hold"));
                }
            }
        }
    }

    fn drain(&mut self) {
        for side in [CALLER, ANSWERER] {
            while let Some(output) = self.agents[side].poll_output() {
                match output {
                    Output::Send { to, bytes } => self.carry(to, bytes),
                    Output::Event(event) => self.hear(side, event),
                }
            }
        }
    }

    fn carry(&mut self, to: Peer, bytes: Bytes) {
        let to = if to == peer(CALLER) { CALLER } else { ANSWERER };
        let copies = if self.chance(self.network.lost) {
            0
        } else {
            1 + u32::from(self.chance(self.network.repeated))
        };
        for _ in 0..copies {
            let delay = self
                .random
                .random_range(self.network.delay_ms.0..=self.network.delay_ms.1);
            let at = self.now + Duration::from_millis(delay);
            self.in_flight.put(at, (to, bytes.clone()));
        }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn hear(&mut self, side: usize, event: Event) {
        self.told[side].push(words(&event));
        match event {
            Event::Invited { call, .. } => self.invited(call),
            Event::Reinvited { call, .. } => {
                let reply = Reply::new(StatusCode::OK).with_body(Body::sdp("answer"));
                self.agents[side].respond(self.now, call, reply).unwrap();
                self.drain();
            }
            Event::ReinviteAgain { .. } => self.plan(Duration::ZERO, Plan::Reinvite(side)),
            _ => {}
        }
    }

    fn invited(&mut self, call: CallHandle) {
        self.calls[ANSWERER] = Some(call);
        let reply = match self.answers {
            Answers::After(wait) => {
                self.plan(wait, Plan::Answer);
                Reply::new(StatusCode::RINGING)
            }
            Answers::ReliablyAfter(wait) => {
                self.plan(wait, Plan::Answer);
                let early = Reply::new(StatusCode::SESSION_PROGRESS);
                early.with_body(Body::sdp("answer")).reliable()
            }
            Answers::RingsForEver => Reply::new(StatusCode::RINGING),
            Answers::With(status) => Reply::new(status),
        };
        self.agents[ANSWERER]
            .respond(self.now, call, reply)
            .unwrap();
    }
}

pub(super) fn peer(side: usize) -> Peer {
    Peer::udp(format!("10.0.0.{}:5060", side + 1).parse().unwrap())
}

pub(super) fn agent(side: usize, seed: u64) -> UserAgent {
    UserAgent::new(options(side, seed))
}

pub(super) fn options(side: usize, seed: u64) -> AgentOptions {
    AgentOptions {
        contact_user: "housecall".to_owned(),
        accepts_calls: side == ANSWERER,
        ..AgentOptions::new(peer(side).addr, seed * 2 + side as u64)
    }
}

pub(super) fn invite(to_peer: Peer) -> Invite {
    Invite {
        to_peer,
        uri: Uri::parse("sip:+61491570006@sip.carrier.test;user=phone").unwrap(),
        from: NameAddr::parse("<sip:+61255500142@sip.carrier.test>").unwrap(),
        to: NameAddr::parse("<sip:+61491570006@sip.carrier.test>").unwrap(),
        headers: Vec::new(),
        body: Some(Body::sdp("offer")),
        credentials: None,
    }
}

/// An event in words that a test can compare.
pub(super) fn words(event: &Event) -> String {
    match event {
        Event::Progress { message, .. } => format!("progress {}", message.status().unwrap()),
        Event::Answered { .. } => "answered".to_owned(),
        Event::Invited { .. } => "invited".to_owned(),
        Event::Acknowledged { .. } => "acknowledged".to_owned(),
        Event::Reinvited { message, .. } => format!("offered by {}", message.method().unwrap()),
        Event::ReinviteAnswered { .. } => "re-INVITE answered".to_owned(),
        Event::ReinviteRefused { status, .. } => format!("re-INVITE refused {status}"),
        Event::ReinviteAgain { .. } => "re-INVITE again".to_owned(),
        Event::Confirmed { .. } => "confirmed".to_owned(),
        Event::Info { message, .. } => format!("info {}", message.body().escape_ascii()),
        Event::InfoAnswered { status, .. } => format!("info answered {status}"),
        Event::Replied { message, .. } => format!("replied {}", message.status().unwrap()),
        Event::AskFailed { end, .. } => format!("ask failed: {end:?}"),
        Event::RefreshWanted { .. } => "refresh wanted".to_owned(),
        Event::Ended { end, .. } => format!("ended: {}", end_words(end)),
    }
}

fn end_words(end: &End) -> String {
    match end {
        End::Refused(message) => format!("refused {}", message.status().unwrap()),
        End::Unanswered => "unanswered".to_owned(),
        End::Unreachable => "unreachable".to_owned(),
        End::ByUs => "by us".to_owned(),
        End::ByThem(_) => "by them".to_owned(),
        End::Cancelled => "cancelled".to_owned(),
        End::NotAcknowledged => "not acknowledged".to_owned(),
        End::Forgotten => "forgotten".to_owned(),
        End::SessionExpired => "session expired".to_owned(),
    }
}
