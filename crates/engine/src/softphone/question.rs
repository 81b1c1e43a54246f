use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use housecall_sip::registration::{Registration, RegistrationState};
use housecall_sip::user_agent::{Ask, AskEnd, AskHandle, Event, Input, Output};
use housecall_sip::{AgentOptions, Message, Peer, UriError, UserAgent};
use tokio::sync::oneshot;

use super::{Traced, Way};
use crate::shard::sip::SipSockets;
use crate::sip::{Obstacle, Unreached};
use crate::trunks::{TrunkSetup, asks};

/// Messages of one question that are kept: as many as two challenges and all repetitions of a request take.
const TRACE_MAX: usize = 64;

/// A question to a trunk, outside any call, as an engine would ask it.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked.
    pub what: Asked,
    /// Whom.
    pub peer: Peer,
    /// Whose peer that is, and what a challenge is answered with.
    pub setup: Arc<TrunkSetup>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// Whether the trunk is there (OPTIONS, RFC 3261 §11).
    Alive,
    /// Where this account is registered: a REGISTER without a Contact, which changes nothing (RFC 3261 §10.2.3). Only who has the
    /// password is told.
    Registered,
    /// To be registered, as the trunk's [mode](crate::TrunkMode) says. [`Asked::Leave`] ends it.
    Register,
    /// To be registered no more.
    Leave,
}

/// A final response, whatever it says.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The response.
    pub message: Traced,
    /// How long it took, with the answer to a challenge.
    pub took: Duration,
    /// Every message of the question, the first 64 at most.
    pub trace: Vec<Traced>,
    /// For how long the trunk keeps our registration, after [`Asked::Register`]. None if it keeps none, whatever its status says.
    pub granted: Option<Duration>,
}

/// Why there is no response.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoReply {
    /// Nobody answered in time.
    #[error("no answer")]
    Silence,
    /// The network says that the trunk cannot be reached, or no connection could be made.
    #[error(transparent)]
    Unreachable(#[from] Unreached),
    /// The trunk's settings make no SIP address.
    #[error("the settings make no SIP address: {0}")]
    BadAddress(#[from] UriError),
    /// The trunk's settings know no registration, or there is none to end.
    #[error("there is no registration with this trunk")]
    NoRegistration,
    /// The telephone's thread is gone.
    #[error("the telephone has stopped")]
    Stopped,
}

pub(super) type Waiting = oneshot::Sender<Result<Reply, NoReply>>;

/// The questions that a telephone has asked.
pub(super) struct Questions {
    local: SocketAddr,
    agent: UserAgent,
    open: BTreeMap<AskHandle, Open>,
    /// The last registration that was asked for.
    registration: Option<Registration>,
    broken: BTreeMap<Peer, Unreached>,
}

/// A question without an answer.
struct Open {
    peer: Peer,
    asked: Instant,
    call_id: String,
    registers: bool,
    trace: Vec<Traced>,
    waiting: Waiting,
}

impl Questions {
    /// `local` is our SIP address as trunks see it.
    pub(super) fn new(local: SocketAddr) -> Self {
        Self {
            local,
            agent: UserAgent::new(AgentOptions::new(local, rand::random())),
            open: BTreeMap::new(),
            registration: None,
            broken: BTreeMap::new(),
        }
    }

    pub(super) fn ask(&mut self, now: Instant, question: &Question, waiting: Waiting) {
        match self.ask_of(now, question) {
            Ok(ask) => {
                let open = Open {
                    peer: question.peer,
                    asked: now,
                    call_id: ask.call_id.clone().unwrap_or_default(),
                    registers: question.what == Asked::Register,
                    trace: Vec::new(),
                    waiting,
                };
                self.open.insert(self.agent.ask(now, ask), open);
            }
            Err(why) => drop(waiting.send(Err(why))),
        }
    }

    fn ask_of(&mut self, now: Instant, question: &Question) -> Result<Ask, NoReply> {
        let Question { what, peer, setup } = question;
        let ask = match what {
            Asked::Alive => {
                let we = asks::agent(setup, self.local, rand::random());
                asks::options(&setup.trunk, *peer, &we)?
            }
            Asked::Registered => asks::bindings(setup, *peer)?,
            Asked::Register => return self.register(now, *peer, setup),
            Asked::Leave => {
                let registration = self.registration.as_mut();
                let ask = registration.and_then(|it| it.stop(now));
                return ask.ok_or(NoReply::NoRegistration);
            }
        };
        Ok(Ask {
            call_id: Some(format!("{:032x}", rand::random::<u128>())),
            ..ask
        })
    }

    fn register(&mut self, now: Instant, peer: Peer, setup: &TrunkSetup) -> Result<Ask, NoReply> {
        let we = asks::agent(setup, self.local, rand::random());
        let registration = asks::registration(now, setup, &we, rand::random())?;
        let mut registration = registration.ok_or(NoReply::NoRegistration)?;
        registration.set_peers(now, vec![peer]);
        let ask = registration.handle_timeout(now);
        self.registration = Some(registration);
        ask.ok_or(NoReply::NoRegistration)
    }

    pub(super) fn response(&mut self, now: Instant, from: Peer, message: Message) {
        self.note(Way::Received, from, &message);
        let input = Input::Received { from, message };
        self.agent.handle_input(now, input);
    }

    pub(super) fn transport_failed(&mut self, now: Instant, peer: Peer, why: Unreached) {
        self.broken.insert(peer, why);
        let input = Input::TransportFailed { peer };
        self.agent.handle_input(now, input);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.agent.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
    }

    /// Sends what is to be sent, and passes replies on.
    pub(super) fn drain(&mut self, now: Instant, sip: &mut SipSockets) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Send { to, bytes } => {
                    if let Ok(message) = Message::parse(bytes.clone()) {
                        self.note(Way::Sent, to, &message);
                    }
                    sip.send(to, bytes);
                }
                Output::Event(Event::Replied { ask, message }) => self.replied(now, ask, &message),
                Output::Event(Event::AskFailed { ask, end }) => self.failed(ask, end),
                Output::Event(_) => {}
            }
        }
    }

    fn note(&mut self, way: Way, peer: Peer, message: &Message) {
        let id = message.call_id().unwrap_or_default();
        let open = self.open.values_mut().find(|open| open.call_id == id);
        if let Some(open) = open.filter(|open| open.trace.len() < TRACE_MAX) {
            open.trace.push(Traced::new(way, peer, message.bytes()));
        }
    }

    fn replied(&mut self, now: Instant, ask: AskHandle, message: &Message) {
        let Some(open) = self.open.remove(&ask) else {
            return;
        };
        let registration = self.registration.as_mut().filter(|_| open.registers);
        let mut granted = None;
        if let Some(registration) = registration {
            // A 423 is followed by a REGISTER for longer.
            if let Some(again) = registration.replied(now, message) {
                self.open.insert(self.agent.ask(now, again), open);
                return;
            }
            granted = granted_by(registration, now);
        }
        let reply = Reply {
            message: Traced::new(Way::Received, open.peer, message.bytes()),
            took: now.saturating_duration_since(open.asked),
            trace: open.trace,
            granted,
        };
        let _ = open.waiting.send(Ok(reply));
    }

    fn failed(&mut self, ask: AskHandle, end: AskEnd) {
        let Some(open) = self.open.remove(&ask) else {
            return;
        };
        let unreached = || {
            let known = self.broken.get(&open.peer).cloned();
            known.unwrap_or_else(|| Unreached::new(Obstacle::Closed, "it cannot be reached"))
        };
        let why = match end {
            AskEnd::Unanswered => NoReply::Silence,
            AskEnd::Unreachable => NoReply::Unreachable(unreached()),
        };
        let _ = open.waiting.send(Err(why));
    }
}

fn granted_by(registration: &Registration, now: Instant) -> Option<Duration> {
    match registration.state(now) {
        RegistrationState::Registered { until, .. } => Some(until.saturating_duration_since(now)),
        _ => None,
    }
}
