use std::time::{Duration, Instant};

use bytes::Bytes;

use super::world::{agent, invite, peer, words};
use crate::digest::{Credentials, Guard};
use crate::user_agent::{Body, CallHandle, Input, Output, UserAgent};
use crate::{Message, Name, Peer, ResponseBuilder, StatusCode};

/// A user agent and a far end that does as the test says.
pub(super) struct Stage {
    pub(super) now: Instant,
    pub(super) agent: UserAgent,
    pub(super) told: Vec<String>,
    pub(super) sent: Vec<(Peer, Message)>,
}

pub(super) fn far() -> Peer {
    peer(1)
}

impl Stage {
    pub(super) fn of(side: usize) -> Self {
        Self {
            now: Instant::now(),
            agent: agent(side, 1),
            told: Vec::new(),
            sent: Vec::new(),
        }
    }

    pub(super) fn dial(&mut self, credentials: Option<Credentials>) -> (CallHandle, Message) {
        let mut invite = invite(far());
        invite.credentials = credentials;
        let call = self.agent.invite(self.now, invite);
        self.drain();
        (call, self.last().clone())
    }

    /// Sends a re-INVITE, and returns it.
    pub(super) fn offers(&mut self, call: CallHandle, body: &'static str) -> Message {
        let body = Body::sdp(body);
        self.agent.reinvite(self.now, call, body).unwrap();
        self.drain();
        self.last().clone()
    }

    pub(super) fn hears(&mut self, message: Message) {
        let from = far();
        self.agent
            .handle_input(self.now, Input::Received { from, message });
        self.drain();
    }

    pub(super) fn hears_text(&mut self, text: &str) {
        let bytes = Bytes::from(text.replace('\n', "\r\n"));
        self.hears(Message::parse(bytes).unwrap());
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Send { to, bytes } => self.sent.push((to, Message::parse(bytes).unwrap())),
                Output::Event(event) => self.told.push(words(&event)),
            }
        }
    }

    /// Lets time pass until nothing runs any more; two patiences at most.
    pub(super) fn wait_until_idle(&mut self) {
        let limit = self.now + Duration::from_secs(65);
        while let Some(at) = self.agent.poll_timeout() {
            assert!(at <= limit);
            self.now = at;
            self.agent.handle_timeout(at);
            self.drain();
        }
        assert!(self.agent.is_idle());
    }

    pub(super) fn last(&self) -> &Message {
        &self.sent.last().unwrap().1
    }

    pub(super) fn sent_methods(&self) -> Vec<String> {
        let methods = self.sent.iter().filter_map(|(_, message)| message.method());
        methods.map(ToString::to_string).collect()
    }
}

pub(super) fn response(request: &Message, code: u16, tag: &str) -> ResponseBuilder {
    ResponseBuilder::new(request, StatusCode::new(code).unwrap()).to_tag(tag)
}

pub(super) fn ok(request: &Message, tag: &str) -> Message {
    response(request, 200, tag)
        .header(Name::Contact, format!("<sip:{tag}@10.0.0.9:5070>"))
        .body("application/sdp", Bytes::from_static(b"answer"))
        .build()
}

pub(super) fn challenge(
    request: &Message,
    guard: &mut Guard,
    now: Instant,
    stale: bool,
) -> Message {
    let [sha, md5] = guard.challenge(now, stale);
    response(request, 407, "x")
        .header(Name::ProxyAuthenticate, sha)
        .header(Name::ProxyAuthenticate, md5)
        .build()
}

pub(super) fn inside(
    method: &str,
    from_tag: &str,
    to_tag: &str,
    number: u32,
    call_id: &str,
) -> String {
    let call_id = if call_id.is_empty() {
        "unknown"
    } else {
        call_id
    };
    let to_tag = if to_tag.is_empty() {
        String::new()
    } else {
        format!(";tag={to_tag}")
    };
    format!(
        "{method} sip:housecall@10.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK{method}{number}\n\
         Max-Forwards: 70\nFrom: <sip:far@10.0.0.2>;tag={from_tag}\nTo: <sip:housecall@10.0.0.1>{to_tag}\n\
         Call-ID: {call_id}\nCSeq: {number} {method}\nContact: <sip:far@10.0.0.2>\nContent-Length: 0\n\n"
    )
}
