use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use housecall_sip::digest::{Credentials, Denied, Guard};
use housecall_sip::transaction::{Peer, Timers};
use housecall_sip::user_agent::{self, AgentOptions, Body, CallHandle, Event, Reply, UserAgent};
use housecall_sip::{Message, Method, Name, StatusCode};

use crate::behaviour::{Behaviour, Pickup};
use crate::call::{Call, Step};
use crate::faults::{Faults, Way};
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
    credentials: Option<Credentials>,
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
            ..AgentOptions::new(options.sip, options.seed)
        });
        Network {
            agent,
            guard: Guard::new(&options.domain, options.seed.wrapping_add(1)),
            credentials: options.credentials,
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
        report
    }

    /// Lets subscribers answer and hang up.
    fn step(&mut self, now: Instant) {
        let due = |(handle, call): (&CallHandle, &mut Call)| Some((*handle, call.step(now)?));
        let due: Vec<_> = self.calls.iter_mut().filter_map(due).collect();
        for (handle, step) in due {
            match step {
                Step::Answer => self.answer(now, handle),
                Step::HangUp => self.agent.hang_up(now, handle),
            }
        }
    }

    fn speak(&mut self, now: Instant) {
        for call in self.calls.values_mut() {
            while let Some((to, bytes)) = call.speak(now) {
                let from = call.media();
                self.outputs
                    .push_back(Output::SendMedia { from, to, bytes });
            }
        }
    }

    /// Follows up whatever the user agent has to say, until it is silent.
    fn work(&mut self, now: Instant) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                user_agent::Output::Send { to, bytes } => self.way.send(now, (to, bytes)),
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
            // The 2xx carried our answer, and this network never makes an offer or a call.
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

    /// Looks up the dialled number and lets its phone ring; the reply is what the caller is told first.
    fn connect(&mut self, now: Instant, handle: CallHandle, invite: &Message) -> Reply {
        let Some(behaviour) = dialled(invite).and_then(|number| Behaviour::of(&number)) else {
            return Reply::new(StatusCode::NOT_FOUND);
        };
        if let Pickup::Refuses(status) = behaviour.pickup {
            return Reply::new(StatusCode::new(status).unwrap_or(StatusCode::DECLINE));
        }
        let Some(media) = self.free_media.pop_front() else {
            return Reply::new(StatusCode::SERVICE_UNAVAILABLE);
        };
        let seed = self.next_seed();
        let Some(mut call) = Call::new(behaviour, invite, media, seed) else {
            self.free_media.push_back(media);
            return Reply::new(StatusCode::NOT_ACCEPTABLE_HERE);
        };
        call.ring(now);
        let early = matches!(behaviour.pickup, Pickup::SpeaksFirst(_)).then(|| call.answer());
        self.calls.insert(handle, call);
        match early {
            Some(answer) => Reply::new(StatusCode::SESSION_PROGRESS).with_body(Body::sdp(answer)),
            None => Reply::new(StatusCode::RINGING),
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

    /// The 407 owed to a request that does not prove who sends it (RFC 3261 §22.3).
    fn challenge(&mut self, now: Instant, request: &Message) -> Option<Reply> {
        let credentials = self.credentials.as_ref()?;
        let place = request.method().zip(request.request_uri())?;
        let answers = request.authorizations(Name::ProxyAuthorization);
        let mut verdicts = answers
            .iter()
            .map(|answer| self.guard.check(now, answer, place, credentials));
        let stale = match verdicts.next() {
            Some(Ok(())) => return None,
            Some(Err(Denied::Stale | Denied::Replayed { .. })) => true,
            Some(Err(_)) => return Some(Reply::new(StatusCode::FORBIDDEN)),
            None => false,
        };
        let reply = Reply::new(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        let challenges = self.guard.challenge(now, stale);
        Some(challenges.iter().fold(reply, |reply, challenge| {
            reply.with_header("Proxy-Authenticate", challenge)
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

/// Digits of the number that an INVITE is for.
fn dialled(invite: &Message) -> Option<String> {
    let uri = invite.target().ok()?;
    Some(uri.user_unescaped()?.into_owned())
}
