use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use housecall_sip::digest::Credentials;
use housecall_sip::user_agent::{Ask, AskEnd, AskHandle, Event, Input, Output};
use housecall_sip::{AgentOptions, Message, Method, NameAddr, Peer, Uri, UriError, UserAgent};
use tokio::sync::oneshot;

use super::{Traced, Way};
use crate::shard::sip::SipSockets;

/// A question to a trunk, outside any call. It changes nothing there.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked.
    pub what: Asked,
    /// Whom.
    pub peer: Peer,
    /// The host of the addresses in it.
    pub domain: String,
    /// What a challenge is answered with.
    pub credentials: Option<Credentials>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// Whether the trunk is there (OPTIONS, RFC 3261 §11).
    Alive,
    /// Where this account is registered: a REGISTER without a Contact, which registers nothing (RFC 3261 §10.2.3). Only who has
    /// the password is told.
    Registered,
}

/// A final response, whatever it says.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The response.
    pub message: Traced,
    /// How long it took, with the answer to a challenge.
    pub took: Duration,
}

/// Why there is no response.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoReply {
    /// Nobody answered in time.
    #[error("no answer")]
    Silence,
    /// The network says that the trunk cannot be reached, or no connection could be made.
    #[error("not reachable")]
    Unreachable,
    /// The trunk's settings make no SIP address.
    #[error("the settings make no SIP address: {0}")]
    BadAddress(#[from] UriError),
    /// The telephone's thread is gone.
    #[error("the telephone has stopped")]
    Stopped,
}

pub(super) type Waiting = oneshot::Sender<Result<Reply, NoReply>>;

/// The questions that a telephone has asked.
pub(super) struct Questions {
    agent: UserAgent,
    open: BTreeMap<AskHandle, (Peer, Instant, Waiting)>,
}

impl Questions {
    pub(super) fn new(local: SocketAddr) -> Self {
        Self {
            agent: UserAgent::new(AgentOptions::new(local, rand::random())),
            open: BTreeMap::new(),
        }
    }

    pub(super) fn ask(&mut self, now: Instant, question: &Question, waiting: Waiting) {
        match ask_of(question) {
            Ok(ask) => {
                let handle = self.agent.ask(now, ask);
                self.open.insert(handle, (question.peer, now, waiting));
            }
            Err(error) => drop(waiting.send(Err(error.into()))),
        }
    }

    pub(super) fn response(&mut self, now: Instant, from: Peer, message: Message) {
        let input = Input::Received { from, message };
        self.agent.handle_input(now, input);
    }

    pub(super) fn transport_failed(&mut self, now: Instant, peer: Peer) {
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
                Output::Send { to, bytes } => sip.send(to, bytes),
                Output::Event(Event::Replied { ask, message }) => self.replied(now, ask, &message),
                Output::Event(Event::AskFailed { ask, end }) => self.failed(ask, end),
                Output::Event(_) => {}
            }
        }
    }

    fn replied(&mut self, now: Instant, ask: AskHandle, message: &Message) {
        if let Some((peer, asked, waiting)) = self.open.remove(&ask) {
            let message = Traced::new(Way::Received, peer, message.bytes());
            let took = now.saturating_duration_since(asked);
            let _ = waiting.send(Ok(Reply { message, took }));
        }
    }

    fn failed(&mut self, ask: AskHandle, end: AskEnd) {
        if let Some((_, _, waiting)) = self.open.remove(&ask) {
            let _ = waiting.send(Err(match end {
                AskEnd::Unanswered => NoReply::Silence,
                AskEnd::Unreachable => NoReply::Unreachable,
            }));
        }
    }
}

fn ask_of(question: &Question) -> Result<Ask, UriError> {
    let domain = &question.domain;
    let user = question
        .credentials
        .as_ref()
        .map(|known| known.username.as_str());
    let host = Uri::parse(&format!("sip:{domain}"))?;
    let us = match user {
        Some(user) => Uri::sip(user, domain)?,
        None => host.clone(),
    };
    let (method, to) = match question.what {
        Asked::Alive => (Method::Options, host.clone()),
        Asked::Registered => (Method::Register, us.clone()),
    };
    Ok(Ask {
        method,
        to_peer: question.peer,
        uri: host,
        from: NameAddr::new(us),
        to: NameAddr::new(to),
        headers: Vec::new(),
        body: None,
        credentials: question.credentials.clone(),
        call_id: None,
        cseq: None,
    })
}
