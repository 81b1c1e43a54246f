use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use housecall_media::sdp::Direction;
use housecall_sip::digest::{Credentials, Denied, Guard};
use housecall_sip::transaction::{Peer, Timers};
use housecall_sip::user_agent::{self, AgentOptions, Body, CallHandle, Event, Reply, UserAgent};
use housecall_sip::{Message, Method, Name, ResponseBuilder, StatusCode};

use crate::behaviour::{Behaviour, Pickup};
use crate::call::{Call, Step};
use crate::faults::{Faults, Way};
use crate::habits::{Challenge, Habits};
use crate::registrar::Registrar;
use crate::report::Report;

/// Calls that a [`Report`] remembers after their end.
const REMEMBERED: usize = 100;

/// What a network is told about itself.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// The SIP address, as callers reach it.
    pub sip: SocketAddr,
    /// RTP addresses: each call takes one until it ends, and a call that finds none is refused with 503.
    pub media: Vec<SocketAddr>,
    /// The realm of its challenges.
    pub domain: String,
    /// What it asks of every INVITE and re-INVITE; none lets everybody in.
    pub credentials: Option<Credentials>,
    /// How patient its transactions are.
    pub timers: Timers,
    /// Where nonces, tags and SSRCs come from.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// What it does that others do not.
    pub habits: Habits,
}

impl Default for NetworkOptions {
    /// The demonstration's trunk on loopback: SIP on port 5060, 32 calls at once, user `harbour`.
    fn default() -> NetworkOptions {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        NetworkOptions {
            sip: loopback(5060),
            media: (0..32).map(|n| loopback(16_384 + 2 * n)).collect(),
            domain: "sip.carrier.test".to_owned(),
            credentials: Some(Credentials::new("harbour", "harbour-street")),
            timers: Timers::default(),
            seed: 1,
            faults: Faults::default(),
            habits: Habits::default(),
        }
    }
}

/// What the world said to the network.
#[derive(Debug)]
pub enum Input<'a> {
    /// A SIP message came in.
    Sip {
        /// Who sent it.
        from: Peer,
        /// The message.
        message: Message,
    },
    /// Nothing can be sent to a peer: its port is closed, its connection is gone.
    TransportFailed {
        /// The peer out of reach.
        peer: Peer,
    },
    /// A datagram came in at one of [`NetworkOptions::media`].
    Media {
        /// Which one.
        at: SocketAddr,
        /// What it said.
        datagram: &'a [u8],
    },
}

/// What the network wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a SIP message.
    SendSip {
        /// Where to.
        to: Peer,
        /// One whole message.
        bytes: Bytes,
    },
    /// Send an RTP packet.
    SendMedia {
        /// From which of [`NetworkOptions::media`].
        from: SocketAddr,
        /// Where to.
        to: SocketAddr,
        /// One datagram.
        bytes: Bytes,
    },
}

/// A telephone network that does no input or output: subscribers ring, answer, talk and listen in whatever time it is told.
#[derive(Debug)]
pub struct Network {
    agent: UserAgent,
    guard: Guard,
    registrar: Registrar,
    domain: String,
    credentials: Option<Credentials>,
    habits: Habits,
    /// Calls whose line is cut, by Call-ID.
    cut: BTreeSet<String>,
    calls: BTreeMap<CallHandle, Call>,
    free_media: VecDeque<SocketAddr>,
    ended: Report,
    way: Way<(Peer, Bytes)>,
    outputs: VecDeque<Output>,
    seed: u64,
}

impl Network {
    /// Makes a network without calls.
    pub fn new(options: NetworkOptions) -> Network {
        let agent = UserAgent::new(AgentOptions {
            user_agent: "housecall-carrier".to_owned(),
            timers: options.timers,
            accepts_calls: true,
            session_timer: options.habits.session_timer,
            ..AgentOptions::new(options.sip, options.seed)
        });
        Network {
            agent,
            guard: Guard::new(&options.domain, options.seed.wrapping_add(1)),
            registrar: Registrar::default(),
            domain: options.domain,
            credentials: options.credentials,
            habits: options.habits,
            cut: BTreeSet::new(),
            calls: BTreeMap::new(),
            free_media: options.media.into(),
            ended: Report::default(),
            way: Way::new(options.faults),
            outputs: VecDeque::new(),
            seed: options.seed.wrapping_add(2),
        }
    }

    /// Takes what the world said.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Sip { message, .. } if self.is_cut(&message) => return,
            Input::Sip { from, message } if message.method() == Some(&Method::Register) => {
                self.register(now, from, &message);
            }
            Input::Sip { from, message } => {
                let input = user_agent::Input::Received { from, message };
                self.agent.handle_input(now, input);
            }
            Input::TransportFailed { peer } => {
                let input = user_agent::Input::TransportFailed { peer };
                self.agent.handle_input(now, input);
            }
            Input::Media { at, datagram } => {
                let call = self.calls.values_mut().find(|call| call.media() == at);
                call.into_iter().for_each(|call| call.hear(datagram));
            }
        }
        self.work(now);
    }

    /// When [`Network::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let calls = self.calls.values().filter_map(Call::poll_timeout);
        let rest = [self.agent.poll_timeout(), self.way.poll_timeout()];
        calls.chain(rest.into_iter().flatten()).min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        self.step(now);
        self.speak(now);
        self.work(now);
    }

    /// Takes the next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What every subscriber has heard so far.
    pub fn report(&self) -> Report {
        let mut report = self.ended.clone();
        report.calls.extend(self.calls.values().map(Call::heard));
        report.registered = self.registrar.contacts();
        report
    }

    /// Lets subscribers answer and hang up.
    fn step(&mut self, now: Instant) {
        let due = |(handle, call): (&CallHandle, &mut Call)| Some((*handle, call.step(now)?));
        let due: Vec<_> = self.calls.iter_mut().filter_map(due).collect();
        for (handle, step) in due {
            match step {
                Step::Answer => self.answer(now, handle),
                Step::Refuse(status) => self.respond(now, handle, refusal(status)),
                Step::HangUp => self.agent.hang_up(now, handle),
                Step::Offer(direction) => self.offer(now, handle, direction),
                Step::Press(keys) => self
                    .calls
                    .get_mut(&handle)
                    .into_iter()
                    .for_each(|it| it.press(keys)),
                Step::Vanish => self.vanish(now, handle),
            }
        }
    }

    fn speak(&mut self, now: Instant) {
        for call in self.calls.values_mut() {
            let from = call.media();
            while let Some((to, bytes)) = call.speak(now) {
                self.outputs
                    .push_back(Output::SendMedia { from, to, bytes });
            }
            let report = call.report(now);
            self.outputs
                .extend(report.map(|(to, bytes)| Output::SendMedia { from, to, bytes }));
        }
    }

    /// Describes a session anew. When that crosses an offer of the caller's, the agent says when to try again.
    fn offer(&mut self, now: Instant, handle: CallHandle, direction: Direction) {
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        let body = Body::sdp(call.offer(direction));
        // Their ACK may be late, or a request of theirs under way: then this is not the moment.
        if self.agent.reinvite(now, handle, body).is_err() {
            call.offer_later(now, direction);
        }
    }

    /// From now on nothing of this call arrives here or leaves. The user agent says goodbye, which nobody hears.
    fn vanish(&mut self, now: Instant, handle: CallHandle) {
        let call_id = self.calls.get(&handle).map(Call::call_id);
        self.cut.extend(call_id.map(str::to_owned));
        self.ended(handle);
        self.agent.hang_up(now, handle);
    }

    fn is_cut(&self, message: &Message) -> bool {
        let call_id = message.call_id();
        !self.cut.is_empty() && call_id.is_ok_and(|call_id| self.cut.contains(call_id))
    }

    fn send(&mut self, now: Instant, to: Peer, bytes: Bytes) {
        let is_cut = !self.cut.is_empty()
            && Message::parse(bytes.clone()).is_ok_and(|message| self.is_cut(&message));
        if !is_cut {
            self.way.send(now, (to, bytes));
        }
    }

    /// Follows up whatever the user agent has to say, until it is silent.
    fn work(&mut self, now: Instant) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                user_agent::Output::Send { to, bytes } => self.send(now, to, bytes),
                user_agent::Output::Event(event) => self.event(now, event),
            }
        }
        while let Some((to, bytes)) = self.way.arrived(now) {
            self.outputs.push_back(Output::SendSip { to, bytes });
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Invited { call, message, .. } => self.invited(now, call, &message),
            Event::Reinvited { call, message } => self.reinvited(now, call, &message),
            Event::Ended { call, .. } => self.ended(call),
            Event::Info { call, message } => {
                let call = self.calls.get_mut(&call);
                call.into_iter().for_each(|it| it.info(message.body()));
            }
            Event::ReinviteAnswered { call, message } => {
                let call = self.calls.get_mut(&call);
                call.into_iter().for_each(|it| it.agreed(message.body()));
            }
            Event::ReinviteRefused { call, .. } => {
                self.calls.get_mut(&call).and_then(Call::take_offered);
            }
            Event::ReinviteAgain { call } => {
                let wanted = self.calls.get_mut(&call).and_then(Call::take_offered);
                wanted
                    .into_iter()
                    .for_each(|wanted| self.offer(now, call, wanted));
            }
            Event::RefreshWanted { call } => self.offer(now, call, Direction::SendRecv),
            // The 2xx carried our answer, and this network never makes a call.
            _ => {}
        }
    }

    fn invited(&mut self, now: Instant, handle: CallHandle, invite: &Message) {
        let reply = match self.challenge(now, invite) {
            Some(challenge) => challenge,
            None => self.connect(now, handle, invite),
        };
        self.respond(now, handle, reply);
    }

    /// Answers a REGISTER, without a transaction: repeated, it changes nothing more.
    fn register(&mut self, now: Instant, from: Peer, request: &Message) {
        let reply = match self.challenge(now, request) {
            Some(challenge) => challenge,
            None => self.registrar.register(now, request),
        };
        let answer = ResponseBuilder::new(request, reply.status).source(from.addr);
        let headers = reply.headers.iter();
        let answer = headers.fold(answer.to_tag("registrar"), |answer, (name, value)| {
            answer.header(Name::from_text(name), value)
        });
        self.send(now, from, answer.build().bytes().clone());
    }

    /// Looks up the dialled number and lets its phone ring; the reply is what the caller is told first.
    fn connect(&mut self, now: Instant, handle: CallHandle, invite: &Message) -> Reply {
        let Some(behaviour) = dialled(invite).and_then(|number| Behaviour::of(&number)) else {
            return Reply::new(StatusCode::NOT_FOUND);
        };
        if let Some(refusal) = self.refuses(behaviour.pickup) {
            return refusal;
        }
        let Some(media) = self.free_media.pop_front() else {
            return Reply::new(StatusCode::SERVICE_UNAVAILABLE);
        };
        let seed = self.next_seed();
        let security = self.habits.security;
        let Some(mut call) = Call::new(behaviour, invite, media, security, seed) else {
            self.free_media.push_back(media);
            return Reply::new(StatusCode::NOT_ACCEPTABLE_HERE);
        };
        call.ring(now);
        let speaks = matches!(
            behaviour.pickup,
            Pickup::SpeaksFirst(_) | Pickup::SpeaksAndRefuses(..)
        );
        let early = speaks.then(|| call.answer());
        self.calls.insert(handle, call);
        let reply = match early {
            Some(answer) => Reply::new(StatusCode::SESSION_PROGRESS).with_body(Body::sdp(answer)),
            None => Reply::new(StatusCode::RINGING),
        };
        match self.habits.reliable {
            true => reply.reliable(),
            false => reply,
        }
    }

    /// The final response of a subscriber who does not even ring.
    fn refuses(&self, pickup: Pickup) -> Option<Reply> {
        match pickup {
            Pickup::Refuses(status) => Some(refusal(status)),
            Pickup::Redirects(number) => {
                let contact = format!("<sip:+{number}@{}>", self.domain);
                let moved = Reply::new(StatusCode::MOVED_TEMPORARILY);
                Some(moved.with_header("Contact", &contact))
            }
            Pickup::Unavailable(retry_after) => {
                let seconds = retry_after.as_secs().to_string();
                let busy = Reply::new(StatusCode::SERVICE_UNAVAILABLE);
                Some(busy.with_header("Retry-After", &seconds))
            }
            _ => None,
        }
    }

    fn answer(&mut self, now: Instant, handle: CallHandle) {
        let Some(call) = self.calls.get_mut(&handle) else {
            return;
        };
        call.answered(now);
        let reply = Reply::new(StatusCode::OK).with_body(Body::sdp(call.answer()));
        self.respond(now, handle, reply);
    }

    /// A re-INVITE or UPDATE: hold, resume, or nothing new.
    fn reinvited(&mut self, now: Instant, handle: CallHandle, request: &Message) {
        let reply = match self.challenge(now, request) {
            Some(challenge) => challenge,
            None => self.renegotiate(handle, request),
        };
        self.respond(now, handle, reply);
    }

    fn renegotiate(&mut self, handle: CallHandle, request: &Message) -> Reply {
        let Some(call) = self.calls.get_mut(&handle) else {
            return Reply::new(StatusCode::CALL_DOES_NOT_EXIST);
        };
        let is_update = request.method() == Some(&Method::Update);
        if request.body().is_empty() && is_update {
            return Reply::new(StatusCode::OK);
        }
        match call.meet(request.body()) {
            Some(()) => Reply::new(StatusCode::OK).with_body(Body::sdp(call.answer())),
            None => Reply::new(StatusCode::NOT_ACCEPTABLE_HERE),
        }
    }

    fn ended(&mut self, handle: CallHandle) {
        let Some(call) = self.calls.remove(&handle) else {
            return;
        };
        self.free_media.push_back(call.media());
        self.ended.calls.push(call.ended());
        let excess = self.ended.calls.len().saturating_sub(REMEMBERED);
        self.ended.calls.drain(..excess);
    }

    /// The challenge owed to a request that does not prove who sends it (RFC 3261 §22.2, §22.3).
    fn challenge(&mut self, now: Instant, request: &Message) -> Option<Reply> {
        let credentials = self.credentials.as_ref()?;
        let place = request.method().zip(request.request_uri())?;
        let (status, asks, answered_by) = match self.habits.challenge {
            Challenge::Proxy => (
                StatusCode::PROXY_AUTHENTICATION_REQUIRED,
                "Proxy-Authenticate",
                Name::ProxyAuthorization,
            ),
            Challenge::Server => (
                StatusCode::UNAUTHORIZED,
                "WWW-Authenticate",
                Name::Authorization,
            ),
        };
        let answers = request.authorizations(answered_by);
        let mut verdicts = answers
            .iter()
            .map(|answer| self.guard.check(now, answer, place, credentials));
        let stale = match verdicts.next() {
            Some(Ok(())) => return None,
            Some(Err(Denied::Stale | Denied::Replayed { .. })) => true,
            Some(Err(_)) => return Some(Reply::new(StatusCode::FORBIDDEN)),
            None => false,
        };
        let challenges = self.guard.challenge(now, stale);
        // The strongest comes first (RFC 8760 §2.4).
        let kept = challenges.iter().skip(usize::from(self.habits.md5_only));
        Some(kept.fold(Reply::new(status), |reply, challenge| {
            reply.with_header(asks, challenge)
        }))
    }

    fn respond(&mut self, now: Instant, handle: CallHandle, reply: Reply) {
        // The caller may have given up in the same moment: then there is nobody left to answer.
        if self.agent.respond(now, handle, reply).is_err() {
            self.ended(handle);
        }
    }

    fn next_seed(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(1);
        self.seed
    }
}

fn refusal(status: u16) -> Reply {
    Reply::new(StatusCode::new(status).unwrap_or(StatusCode::DECLINE))
}

/// Digits of the number that an INVITE is for.
fn dialled(invite: &Message) -> Option<String> {
    let uri = invite.target().ok()?;
    Some(uri.user_unescaped()?.into_owned())
}
