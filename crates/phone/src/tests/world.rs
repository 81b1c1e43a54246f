use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::Key;
use housecall_media::sdp::{AudioSession, Codec, Description, Direction, SrtpOffer};
use housecall_media::srtp::SrtpKey;
use housecall_sip::digest::Credentials;
use housecall_sip::digest::Guard;
use housecall_sip::user_agent::{
    Body, CallHandle, Event as AgentEvent, Input as AgentInput, Output as AgentOutput, Reply,
};
use housecall_sip::{AgentOptions, Message, Method, Name, Peer, StatusCode, UserAgent};

use crate::{Call, Country, Dial, Event, Input, Number, Output, Route, Trunk};

/// A call, a far end that follows a script, the network between them, and virtual time.
pub(super) struct World {
    pub(super) now: Instant,
    start: Instant,
    seed: Random,
    network: Network,
    pub(super) call: Call,
    /// One for each route.
    pub(super) fars: Vec<Far>,
    /// What the call told.
    pub(super) told: Vec<Event>,
    /// When it told that, after dialling.
    pub(super) told_at: Vec<Duration>,
    /// What the far ends heard.
    pub(super) heard: Vec<Message>,
    /// The Call-IDs that the call said were its own.
    pub(super) call_ids: Vec<String>,
    in_flight: BTreeMap<(Instant, u64), (Way, Bytes)>,
    plans: BTreeMap<(Instant, u64), Plan>,
    last: u64,
}

/// From a far end to the call, or the other way.
#[derive(Clone, Copy, Debug)]
enum Way {
    FromFar(usize),
    ToFar(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Plan {
    HangUp,
    Hold,
    Resume,
    MediaLost,
    Press(char),
    Far(Act),
    /// What one of several far ends does.
    FarOf(usize, Act),
    /// The port of a far end is found closed.
    Unreachable(usize),
}

/// What the far end does on its own account.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Answer,
    HangUp,
    Refuse(u16),
    /// An INFO that says so.
    Press(&'static str),
    Hold(Direction),
    /// A re-INVITE whose address is 0.0.0.0.
    HoldTheOldWay,
    /// A re-INVITE without an offer.
    AskForOffer,
}

#[derive(Clone, Copy)]
pub(super) struct Network {
    pub(super) lost: u64,
    pub(super) repeated: u64,
    pub(super) delay_ms_max: u64,
}

pub(super) const GOOD: Network = Network {
    lost: 0,
    repeated: 0,
    delay_ms_max: 10,
};

pub(super) const BAD: Network = Network {
    lost: 25,
    repeated: 15,
    delay_ms_max: 400,
};

/// The far end: a user agent and what it does when called.
pub(super) struct Far {
    agent: UserAgent,
    call: Option<CallHandle>,
    /// How many INVITEs were let in.
    calls: u32,
    audio: AudioSession,
    /// What the other side offered last.
    pub(super) offer: Option<Description>,
    pub(super) script: Script,
    guard: Option<Guard>,
    /// What it heard.
    pub(super) messages: Vec<Message>,
}

/// What the far end does when it is called.
#[derive(Clone, Copy)]
pub(super) enum Script {
    AnswersAfter(Duration),
    /// With further headers.
    Refuses(u16, &'static [(&'static str, &'static str)]),
    RingsForEver,
    /// 183 with sound, then the answer.
    EarlyThenAnswers(Duration),
    /// 183 with sound, then a 200 without a body.
    EarlyOnly(Duration),
    /// 180, and a refusal a second later.
    RingsThenRefuses(u16),
    /// 183 with sound, and a refusal a second later.
    EarlyThenRefuses(u16),
    /// 183 without sound, and a refusal a second later.
    WorksThenRefuses(u16),
    /// Challenges, and hears nothing more.
    DeafAfterChallenge,
    /// Hears nothing, for so long. Then it rings for ever.
    DeafFor(Duration),
    Silent,
    NoCodec,
    /// Rings, and answers with SRTP after that.
    Srtp(Duration),
    /// Redirects the first INVITE, and rings for ever at the second.
    RedirectsOnce(&'static [(&'static str, &'static str)]),
    /// Answers, and refuses every re-INVITE.
    RefusesChanges(u16),
    /// Answers, and is known to take no UPDATE.
    NoUpdate(Duration),
    /// Takes no named events, and answers.
    NoKeys,
    /// Refuses SRTP with this status, and answers plain RTP at once.
    PlainOnly(u16),
    /// Answers with SRTP and a codec that nobody offered.
    SrtpNoCodec,
    /// Answers SRTP with the line switched off, and plain RTP as it should.
    SwitchesSrtpOff,
}

/// A small generator of our own, so that these tests need no further crate.
pub(super) struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // The constants of Knuth's MMIX generator.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn credentials() -> Credentials {
    Credentials::new("harbour", "tide")
}

pub(super) fn far_peer(far: usize) -> Peer {
    let last = u8::try_from(far + 2).unwrap();
    Peer::udp(([10, 0, 0, last], 5060).into())
}

fn our_peer() -> Peer {
    Peer::udp("10.0.0.1:5060".parse().unwrap())
}

pub(super) fn dial(seed: u64) -> Dial {
    dial_by(seed, &[trunk()])
}

pub(super) fn trunk() -> Trunk {
    Trunk::new("Carrier", "sip.carrier.test").with_credentials(credentials())
}

pub(super) fn dial_by(seed: u64, trunks: &[Trunk]) -> Dial {
    let routes = trunks.iter().enumerate();
    let route = |(far, trunk): (usize, &Trunk)| Route::new(trunk.clone(), far_peer(far));
    Dial::new(
        routes.map(route).collect(),
        Number::parse("02 5550 0142", Country::Au).unwrap(),
        Number::parse("0491 570 006", Country::Au).unwrap(),
        our_peer().addr,
        "10.0.0.1:40000".parse().unwrap(),
        seed,
    )
}

impl World {
    pub(super) fn new(seed: u64, network: Network, script: Script) -> Self {
        Self::with(dial(seed), network, &[script])
    }

    /// A call by several routes, each with a far end that follows its script.
    pub(super) fn with(dial: Dial, network: Network, scripts: &[Script]) -> Self {
        let now = Instant::now();
        let seed = dial.seed;
        let fars = scripts.iter().enumerate();
        let mut world = Self {
            now,
            start: now,
            seed: Random(seed.wrapping_add(1)),
            network,
            call: Call::dial(now, dial).unwrap(),
            fars: fars
                .map(|(far, script)| Far::new(seed, far, *script))
                .collect(),
            told: Vec::new(),
            told_at: Vec::new(),
            heard: Vec::new(),
            call_ids: Vec::new(),
            in_flight: BTreeMap::new(),
            plans: BTreeMap::new(),
            last: 0,
        };
        world.drain();
        world
    }

    pub(super) fn with_guard(mut self) -> Self {
        self.fars[0].guard = Some(Guard::new("sip.carrier.test", 7));
        self
    }

    pub(super) fn plan(&mut self, after: Duration, plan: Plan) {
        self.last += 1;
        self.plans.insert((self.now + after, self.last), plan);
    }

    /// Runs for `time`, or until nothing is left to happen.
    pub(super) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = until;
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// How many requests of this method one far end heard.
    pub(super) fn heard_by(&self, far: usize, method: &Method) -> usize {
        let messages = self.fars[far].messages.iter();
        messages
            .filter(|message| message.method() == Some(method))
            .count()
    }

    pub(super) fn heard_count(&self, method: Method) -> usize {
        self.heard
            .iter()
            .filter(|message| message.method() == Some(&method))
            .count()
    }

    pub(super) fn last_told(&self) -> &Event {
        self.told.last().unwrap()
    }

    fn next(&self) -> Option<Instant> {
        let fars = self.fars.iter().map(|far| far.agent.poll_timeout());
        let timers = fars.chain([self.call.poll_timeout()]);
        let flight = self.in_flight.keys().next().map(|(at, _)| *at);
        let plan = self.plans.keys().next().map(|(at, _)| *at);
        timers.flatten().chain(flight).chain(plan).min()
    }

    fn step(&mut self) {
        let now = self.now;
        if let Some(entry) = self
            .in_flight
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let (way, bytes) = entry.remove();
            self.arrive(way, Message::parse(bytes).unwrap());
        } else if let Some(entry) = self
            .plans
            .first_entry()
            .filter(|entry| entry.key().0 <= now)
        {
            let plan = entry.remove();
            self.carry_out(plan);
        } else {
            self.call.handle_timeout(now);
            self.fars
                .iter_mut()
                .for_each(|far| far.agent.handle_timeout(now));
        }
        self.drain();
    }

    fn arrive(&mut self, way: Way, message: Message) {
        match way {
            Way::FromFar(far) => {
                let from = far_peer(far);
                self.call
                    .handle_input(self.now, Input::Sip { from, message });
            }
            Way::ToFar(far) => {
                self.heard.push(message.clone());
                self.fars[far].messages.push(message.clone());
                let from = our_peer();
                self.fars[far]
                    .agent
                    .handle_input(self.now, AgentInput::Received { from, message });
            }
        }
    }

    fn carry_out(&mut self, plan: Plan) {
        match plan {
            Plan::HangUp => self.call.hang_up(self.now),
            // In the bad network a verb may come at the wrong moment.
            Plan::Hold => drop(self.call.hold(self.now)),
            Plan::Resume => drop(self.call.resume(self.now)),
            Plan::MediaLost => self.call.handle_input(self.now, Input::MediaLost),
            Plan::Press(key) => {
                let key = Key::new(key).unwrap();
                self.call.press(self.now, key).unwrap();
            }
            Plan::Far(act) => self.fars[0].act(self.now, act),
            Plan::FarOf(far, act) => self.fars[far].act(self.now, act),
            Plan::Unreachable(far) => {
                let peer = far_peer(far);
                self.call
                    .handle_input(self.now, Input::TransportFailed { peer });
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.call.poll_output() {
            match output {
                Output::CallId(call_id) => self.call_ids.push(call_id),
                Output::SendSip { to, bytes } => {
                    let message = Message::parse(bytes.clone()).unwrap();
                    let call_id = message.call_id().unwrap();
                    assert!(self.call_ids.iter().any(|known| known == call_id));
                    let fars = 0..self.fars.len();
                    let far = fars.into_iter().find(|far| far_peer(*far) == to).unwrap();
                    self.carry(Way::ToFar(far), bytes);
                }
                Output::Event(event) => {
                    self.told.push(event);
                    self.told_at.push(self.elapsed());
                }
            }
        }
        for far in 0..self.fars.len() {
            while let Some(output) = self.fars[far].agent.poll_output() {
                match output {
                    AgentOutput::Send { bytes, .. } => {
                        let bytes = self.fars[far].worded(bytes);
                        self.carry(Way::FromFar(far), bytes);
                    }
                    AgentOutput::Event(event) => {
                        if let Some((after, act)) = self.fars[far].hear(self.now, event) {
                            self.plan(after, Plan::FarOf(far, act));
                        }
                    }
                }
            }
        }
    }

    /// Whether the far end of this way does not hear yet.
    fn is_deaf(&self, way: Way) -> bool {
        let (Way::FromFar(far) | Way::ToFar(far)) = way;
        let far = &self.fars[far];
        match far.script {
            Script::DeafFor(time) => self.elapsed() < time,
            Script::DeafAfterChallenge => {
                let invites = far.messages.iter();
                let invites = invites.filter(|it| it.method() == Some(&Method::Invite));
                matches!(way, Way::FromFar(_)) && invites.count() > 1
            }
            _ => false,
        }
    }

    fn carry(&mut self, to: Way, bytes: Bytes) {
        let is_lost = self.seed.below(100) < self.network.lost;
        let copies = match is_lost || self.is_deaf(to) {
            true => 0,
            false => 1 + u64::from(self.seed.below(100) < self.network.repeated),
        };
        for _ in 0..copies {
            let delay = Duration::from_millis(1 + self.seed.below(self.network.delay_ms_max));
            self.last += 1;
            self.in_flight
                .insert((self.now + delay, self.last), (to, bytes.clone()));
        }
    }
}

impl Far {
    fn new(seed: u64, far: usize, script: Script) -> Self {
        let at = far_peer(far).addr;
        let agent = UserAgent::new(AgentOptions {
            contact_user: "carrier".to_owned(),
            user_agent: "Carrier".to_owned(),
            accepts_calls: true,
            ..AgentOptions::new(at, !seed ^ far as u64)
        });
        let codecs = match script {
            Script::NoCodec | Script::SrtpNoCodec => vec![Codec::Opus],
            Script::NoKeys => vec![Codec::Pcmu],
            _ => vec![Codec::Pcmu, Codec::TelephoneEvent],
        };
        let audio = AudioSession::new(5, (at.ip(), 50000).into(), &codecs);
        Self {
            agent,
            call: None,
            calls: 0,
            audio: match script {
                Script::Srtp(_) | Script::SrtpNoCodec => audio.with_srtp(SrtpOffer {
                    local: SrtpKey::random([9; SrtpKey::BYTES]),
                }),
                _ => audio,
            },
            offer: None,
            script,
            guard: None,
            messages: Vec::new(),
        }
    }

    /// What goes out: an old switch does not know UPDATE.
    fn worded(&self, bytes: Bytes) -> Bytes {
        match (self.script, std::str::from_utf8(&bytes)) {
            (Script::NoUpdate(_), Ok(text)) => text.replace(", UPDATE", "").into(),
            _ => bytes,
        }
    }

    /// Reacts to an event, and says what it will do later.
    fn hear(&mut self, now: Instant, event: AgentEvent) -> Option<(Duration, Act)> {
        match event {
            AgentEvent::Invited { call, message, .. } if self.lets_in(now, &message) => {
                self.call = Some(call);
                self.calls += 1;
                self.offer = Description::parse(message.body()).ok();
                return self.ring(now);
            }
            AgentEvent::Invited { call, .. } => self.challenge(now, call),
            AgentEvent::Reinvited { .. } if let Script::RefusesChanges(status) = self.script => {
                self.respond(now, Reply::new(StatusCode::new(status).unwrap()));
            }
            AgentEvent::Reinvited { message, .. } => {
                self.offer = Description::parse(message.body()).ok();
                let answer = self.answer(Direction::SendRecv);
                self.respond(now, Reply::new(StatusCode::OK).with_body(answer));
            }
            _ => {}
        }
        None
    }

    fn ring(&mut self, now: Instant) -> Option<(Duration, Act)> {
        let ringing = Reply::new(StatusCode::RINGING);
        let after = match self.script {
            Script::AnswersAfter(after) | Script::Srtp(after) | Script::NoUpdate(after) => {
                self.respond(now, ringing);
                after
            }
            Script::RingsForEver | Script::DeafFor(_) => {
                self.respond(now, ringing);
                return None;
            }
            Script::EarlyThenAnswers(after) | Script::EarlyOnly(after) => {
                let body = self.answer(Direction::SendRecv);
                self.respond(
                    now,
                    Reply::new(StatusCode::SESSION_PROGRESS).with_body(body),
                );
                self.respond(now, ringing);
                after
            }
            Script::RedirectsOnce(_) if self.calls > 1 => {
                self.respond(now, ringing);
                return None;
            }
            Script::RedirectsOnce(headers) => {
                return self.refuse(now, 302, headers);
            }
            Script::Refuses(status, headers) => {
                return self.refuse(now, status, headers);
            }
            Script::RingsThenRefuses(status) => {
                self.respond(now, ringing);
                return Some((secs(1), Act::Refuse(status)));
            }
            Script::EarlyThenRefuses(status) => {
                let body = self.answer(Direction::SendRecv);
                let early = Reply::new(StatusCode::SESSION_PROGRESS).with_body(body);
                self.respond(now, early);
                return Some((secs(1), Act::Refuse(status)));
            }
            Script::WorksThenRefuses(status) => {
                self.respond(now, Reply::new(StatusCode::SESSION_PROGRESS));
                return Some((secs(1), Act::Refuse(status)));
            }
            Script::PlainOnly(status) if self.is_offered_srtp() => {
                self.respond(now, Reply::new(StatusCode::new(status).unwrap()));
                return None;
            }
            Script::NoCodec
            | Script::SrtpNoCodec
            | Script::NoKeys
            | Script::RefusesChanges(_)
            | Script::PlainOnly(_)
            | Script::SwitchesSrtpOff => Duration::ZERO,
            Script::Silent | Script::DeafAfterChallenge => return None,
        };
        Some((after, Act::Answer))
    }

    fn refuse(
        &mut self,
        now: Instant,
        status: u16,
        headers: &[(&str, &str)],
    ) -> Option<(Duration, Act)> {
        let mut reply = Reply::new(StatusCode::new(status).unwrap());
        for (name, value) in headers {
            reply = reply.with_header(name, value);
        }
        self.respond(now, reply);
        None
    }

    fn is_offered_srtp(&self) -> bool {
        let offer = self.offer.as_ref().unwrap();
        offer.media[0].protocol == "RTP/SAVP"
    }

    fn lets_in(&mut self, now: Instant, invite: &Message) -> bool {
        let Some(guard) = &mut self.guard else {
            return true;
        };
        let answers = invite.authorizations(Name::ProxyAuthorization);
        let request = (&Method::Invite, invite.request_uri().unwrap());
        answers
            .first()
            .is_some_and(|answer| guard.check(now, answer, request, &credentials()).is_ok())
    }

    fn challenge(&mut self, now: Instant, call: CallHandle) {
        let [sha, md5] = self.guard.as_mut().unwrap().challenge(now, false);
        let reply = Reply::new(StatusCode::PROXY_AUTHENTICATION_REQUIRED)
            .with_header("Proxy-Authenticate", &sha)
            .with_header("Proxy-Authenticate", &md5);
        self.agent.respond(now, call, reply).unwrap();
    }

    fn answer(&mut self, ours: Direction) -> Body {
        if let Script::SwitchesSrtpOff = self.script
            && self.is_offered_srtp()
        {
            // RFC 3264 §6: the line is repeated with port 0.
            let offer = self
                .audio
                .offer(ours)
                .replace("m=audio 50000 RTP/AVP", "m=audio 0 RTP/SAVP");
            assert!(offer.contains("m=audio 0 RTP/SAVP"), "{offer}");
            return Body::sdp(offer);
        }
        let answer = self
            .offer
            .as_ref()
            .map(|offer| self.audio.answer(offer, ours));
        match answer {
            Some(Ok(answer)) => Body::sdp(answer.sdp),
            _ => Body::sdp(self.audio.offer(ours)),
        }
    }

    fn respond(&mut self, now: Instant, reply: Reply) {
        if let Some(call) = self.call {
            let _ = self.agent.respond(now, call, reply);
        }
    }

    fn act(&mut self, now: Instant, act: Act) {
        let Some(call) = self.call else {
            return;
        };
        match act {
            Act::Answer if matches!(self.script, Script::EarlyOnly(_)) => {
                self.respond(now, Reply::new(StatusCode::OK));
            }
            Act::Answer => {
                let body = self.answer(Direction::SendRecv);
                self.respond(now, Reply::new(StatusCode::OK).with_body(body));
            }
            Act::Refuse(status) => {
                self.respond(now, Reply::new(StatusCode::new(status).unwrap()));
            }
            Act::HangUp => self.agent.hang_up(now, call),
            Act::Press(signal) => {
                let body = Body {
                    content_type: "application/dtmf-relay".to_owned(),
                    bytes: format!("Signal={signal}\r\n").into(),
                };
                let _ = self.agent.info(now, call, body);
            }
            Act::Hold(direction) => {
                let body = Body::sdp(self.audio.offer(direction));
                let _ = self.agent.reinvite(now, call, body);
            }
            Act::HoldTheOldWay => {
                let offer = self.audio.offer(Direction::SendRecv);
                let at = self.audio.addr().ip().to_string();
                let held = offer.replace(&format!("c=IN IP4 {at}"), "c=IN IP4 0.0.0.0");
                assert_ne!(offer, held);
                let _ = self.agent.reinvite(now, call, Body::sdp(held));
            }
            Act::AskForOffer => {
                let _ = self.agent.reinvite(now, call, Body::sdp(Bytes::new()));
            }
        }
    }
}
