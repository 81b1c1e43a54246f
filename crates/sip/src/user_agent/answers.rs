use std::sync::Arc;
use std::time::Instant;

use super::call::{Call, Unacknowledged};
use super::{CallHandle, End, Reply, UserAgent};
use crate::transaction::{Peer, Server, Transport};
use crate::{Fault, Message, Method, Name, ResponseBuilder, ViaRef};

/// Which transaction a request belongs to (RFC 3261 §17.2.3).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct HeardKey(Arc<HeardName>);

#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct HeardName {
    /// The branch, or for senders of RFC 2543 what stands in for it.
    branch: String,
    sent_by: String,
    method: Method,
}

/// A request of somebody else, and what we have answered.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) request: Message,
    /// Where it came from, which its Via is stamped with.
    pub(super) from: Peer,
    pub(super) server: Server,
    /// The call it is about. A request about none is answered and forgotten (RFC 3261 §8.2.7).
    pub(super) call: Option<CallHandle>,
}

impl HeardKey {
    /// The transaction of `request`; that of the INVITE for an ACK. None if the request cannot be answered anyway.
    pub(super) fn of(request: &Message) -> Option<Self> {
        let via = request.via().ok()?;
        let method = match request.method()? {
            Method::Ack => Method::Invite,
            other => other.clone(),
        };
        let branch = match via.transaction_branch() {
            Some(branch) => branch.to_owned(),
            None => old_branch(request)?,
        };
        Some(Self(Arc::new(HeardName {
            branch,
            sent_by: via.sent_by.to_string(),
            method,
        })))
    }

    /// The INVITE that a CANCEL with this key is about (RFC 3261 §9.2).
    pub(super) fn of_invite(&self) -> Self {
        Self(Arc::new(HeardName {
            method: Method::Invite,
            ..self.0.as_ref().clone()
        }))
    }
}

/// What names a transaction of RFC 2543: Call-ID, CSeq number and the sender's tag.
fn old_branch(request: &Message) -> Option<String> {
    let from = request.from().ok()?;
    let number = request.cseq().ok()?.number;
    let tag = from.tag().unwrap_or("");
    Some(format!("{} {number} {tag}", request.call_id().ok()?))
}

impl Heard {
    /// What it takes to keep it, roughly: the answer repeats most of the request.
    pub(super) fn bytes(&self) -> usize {
        self.request.bytes().len().saturating_mul(2)
    }

    /// Where the response goes (RFC 3261 §18.2.2, RFC 3581 §4): back through the connection, or to the Via's address.
    fn reply_to(&self) -> Peer {
        let Ok(mut via) = self.request.via().map(ViaRef::into_owned) else {
            return self.from;
        };
        via.stamp(self.from.addr);
        match (self.from.transport, via.response_addr()) {
            (Transport::Udp, Some(addr)) => Peer { addr, ..self.from },
            _ => self.from,
        }
    }
}

impl UserAgent {
    /// Answers the INVITE of a call that has no final answer yet.
    pub(super) fn respond_to_invite(&mut self, now: Instant, call: CallHandle, reply: &Reply) {
        let Some(Call::Invited(invited)) = self.calls.get(&call) else {
            return;
        };
        let (heard, tag) = (invited.heard.clone(), invited.local_tag.clone());
        let reply = &self.with_session(now, call, &heard, reply);
        let answer = self.answer(now, &heard, reply, &tag);
        if reply.status.is_success() {
            self.opened(call, answer);
        } else if reply.status.is_final() {
            self.end(now, call, End::ByUs);
        }
    }

    /// The same reply; a 2xx also says what becomes of the session timer (RFC 4028 §9).
    pub(super) fn with_session(
        &mut self,
        now: Instant,
        call: CallHandle,
        key: &HeardKey,
        reply: &Reply,
    ) -> Reply {
        let mut reply = reply.clone();
        if !reply.status.is_success() {
            return reply;
        }
        let session = match self.calls.get_mut(&call) {
            Some(Call::Invited(invited)) if invited.heard == *key => Some(&mut invited.session),
            Some(Call::Open(open)) => Some(&mut open.session),
            // An UPDATE before the answer: that will say.
            Some(Call::Invited(_) | Call::Calling(_)) | None => None,
        };
        if let (Some(session), Some(heard)) = (session, self.heard.get(key)) {
            reply.headers.extend(session.grant(now, &heard.request));
        }
        reply
    }

    fn opened(&mut self, call: CallHandle, answer: Option<Unacknowledged>) {
        match (self.calls.remove(&call), answer) {
            (Some(Call::Invited(invited)), Some(answer)) => {
                let open = invited.opened(answer.to, answer);
                self.calls.insert(call, Call::Open(Box::new(open)));
            }
            (other, _) => self.calls.extend(other.map(|other| (call, other))),
        }
    }

    /// Writes and sends a response. A 2xx to an INVITE comes back, to be repeated until its ACK.
    pub(super) fn answer(
        &mut self,
        now: Instant,
        key: &HeardKey,
        reply: &Reply,
        tag: &str,
    ) -> Option<Unacknowledged> {
        let heard = self.heard.get(key)?;
        let mut builder = ResponseBuilder::new(&heard.request, reply.status);
        if !tag.is_empty() {
            builder = builder.to_tag(tag);
        }
        if let Some(reason) = &reply.reason {
            builder = builder.reason(reason);
        }
        if makes_dialog(heard.request.method(), reply)
            && let Some(contact) = self.options.contact(heard.from.transport)
        {
            builder = builder
                .contact(&contact)
                .header(Name::Allow, self.abilities.allow());
        }
        for (name, value) in &reply.headers {
            builder = builder.header(Name::from_text(name), value);
        }
        if let Some(body) = &reply.body {
            builder = builder.body(&body.content_type, body.bytes.clone());
        }
        self.finish(now, key, builder)
    }

    /// Answers a request outside any call, or one that makes no sense, with what it is owed.
    pub(super) fn answer_fault(&mut self, now: Instant, key: &HeardKey, fault: &Fault) {
        let tag = self.tag_for(key);
        let Some(heard) = self.heard.get(key) else {
            return;
        };
        match fault.response(&heard.request) {
            Some(builder) => {
                self.finish(now, key, builder.to_tag(&tag));
            }
            None => self.forget_heard(key),
        }
    }

    fn finish(
        &mut self,
        now: Instant,
        key: &HeardKey,
        builder: ResponseBuilder,
    ) -> Option<Unacknowledged> {
        let heard = self.heard.get_mut(key)?;
        let message = builder
            .source(heard.from.addr)
            .header(Name::Server, &self.options.user_agent)
            .build();
        let (bytes, to) = (message.bytes().clone(), heard.reply_to());
        let status = message.status()?;
        if heard.server.respond(now, status, &bytes) {
            self.outputs.push_back(super::Output::Send {
                to,
                bytes: bytes.clone(),
            });
        }
        let awaits_ack = heard.request.method() == Some(&Method::Invite) && status.is_success();
        let is_inside = heard.request.to().is_ok_and(|to| to.tag().is_some());
        let timers = self.options.timers;
        awaits_ack.then_some(Unacknowledged {
            cseq: heard.request.cseq().ok()?.number,
            to,
            bytes,
            again_at: now + timers.t1,
            period: timers.t1,
            period_max: timers.t2,
            give_up_at: now + timers.patience(),
            first: !is_inside,
        })
    }

    /// Sends a response again to where it went before.
    pub(super) fn put_again(&mut self, key: &HeardKey, bytes: bytes::Bytes) {
        if let Some(to) = self.heard.get(key).map(Heard::reply_to) {
            self.put(to, bytes);
        }
    }
}

/// Whether the response tells the other side where to send its requests from now on (RFC 3261 §12.1.1).
fn makes_dialog(method: Option<&Method>, reply: &Reply) -> bool {
    matches!(method, Some(Method::Invite | Method::Update)) && reply.status.code() < 300
}
