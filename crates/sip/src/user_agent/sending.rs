use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::call::Call;
use super::large::Size;
use super::nonces::{Nonces, can_be_challenged};
use super::{AskHandle, CallHandle, Output, Request, UserAgent};
use crate::dialog::Dialog;
use crate::digest::{self, Challenge, Credentials};
use crate::transaction::{Client, Peer, Transport};
use crate::{CSeq, HostPort, Message, Method, Name, RequestBuilder, Via};

/// Which request of ours a response is about: its branch, and whether it is the CANCEL that shares it (RFC 3261 §17.1.3).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct SentKey {
    pub(super) branch: Arc<str>,
    pub(super) is_cancel: bool,
}

/// A request of ours and whom it is for.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) request: Request,
    pub(super) to: Peer,
    pub(super) owner: Owner,
    pub(super) credentials: Option<Credentials>,
    /// The nonces it was challenged with, or has answered unasked.
    pub(super) nonces: Vec<String>,
    /// How often it has gone out with an answer; anew once it is changed for another reason than a challenge.
    pub(super) tries: usize,
    pub(super) size: Size,
}

/// Whom the answer to a request concerns.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    Call(CallHandle),
    Ask(AskHandle),
}

impl From<CallHandle> for Owner {
    fn from(call: CallHandle) -> Self {
        Self::Call(call)
    }
}

impl From<AskHandle> for Owner {
    fn from(ask: AskHandle) -> Self {
        Self::Ask(ask)
    }
}

/// A request of ours that may still be answered.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) what: Outgoing,
    pub(super) client: Client,
    pub(super) bytes: Bytes,
    pub(super) wanted: Wanted,
    /// The ACK of each 2xx, by its To-tag, sent again with every repetition.
    pub(super) acks: Vec<Acknowledged>,
    /// The early dialogs of forks that nobody waits for any more, by To-tag. One that answers is hung up in its own count of requests.
    pub(super) forks: BTreeMap<String, Dialog>,
    /// How often it was sent again.
    pub(super) repetitions: u32,
    /// The copy of a large request that went by TCP too, until it is clear which of the two was heard.
    pub(super) by_tcp: Option<Bytes>,
}

/// What we still want of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    Answer,
    /// Nobody waits for this INVITE any more: CANCEL it with the first provisional response, hang up if it is answered.
    Cancel,
    /// The CANCEL is sent.
    Cancelled,
}

#[derive(Debug)]
pub(super) struct Acknowledged {
    pub(super) tag: String,
    pub(super) to: Peer,
    pub(super) bytes: Bytes,
}

impl Outgoing {
    /// Answers to challenges that one request gets at most.
    pub(super) const ATTEMPTS_MAX: usize = 2;

    pub(super) fn new(
        request: Request,
        to: Peer,
        owner: impl Into<Owner>,
        credentials: Option<Credentials>,
    ) -> Self {
        Self {
            request,
            to,
            owner: owner.into(),
            credentials,
            nonces: Vec::new(),
            tries: 0,
            size: Size::default(),
        }
    }

    /// The call this request belongs to; none for a question outside any call.
    pub(super) fn call(&self) -> Option<CallHandle> {
        match self.owner {
            Owner::Call(call) => Some(call),
            Owner::Ask(_) => None,
        }
    }

    /// Whether this is a re-INVITE rather than the INVITE that makes the call.
    pub(super) fn is_reinvite(&self) -> bool {
        self.request.method == Method::Invite && self.request.in_dialog
    }

    /// Whether this is the INVITE that makes the call.
    pub(super) fn makes_call(&self) -> bool {
        self.request.method == Method::Invite && !self.request.in_dialog
    }

    /// The authorization headers, which the ACK of a 2xx repeats (RFC 3261 §13.2.2.4).
    pub(super) fn authorization(&self) -> Vec<(String, String)> {
        let headers = self.request.headers.iter();
        headers
            .filter(|(name, _)| is_authorization(name))
            .cloned()
            .collect()
    }

    /// Whether these challenges deserve another try: a new nonce at least, and two tries in all.
    fn may_answer(&self, challenges: &[(Name<'static>, Challenge)]) -> bool {
        let is_new = |(_, challenge): &(_, Challenge)| !self.nonces.contains(&challenge.nonce);
        self.tries < Self::ATTEMPTS_MAX && challenges.iter().any(is_new)
    }

    /// Puts the answers to challenges into the request, instead of those it has.
    fn authorize(&mut self, nonces: &mut Nonces) {
        let Some(credentials) = &self.credentials else {
            return;
        };
        if !can_be_challenged(&self.request.method) {
            return;
        }
        let answers = nonces.answers(self.to, &self.request, credentials, &self.nonces);
        let headers = &mut self.request.headers;
        headers.retain(|(name, _)| !is_authorization(name));
        self.tries += usize::from(!answers.is_empty());
        for (name, answer) in answers {
            headers.push((name.as_str().to_owned(), answer.to_string()));
            self.nonces.push(answer.nonce);
        }
    }
}

fn is_authorization(name: &str) -> bool {
    let name = Name::from_text(name);
    name == Name::Authorization || name == Name::ProxyAuthorization
}

impl UserAgent {
    /// Sends a request in a transaction of its own.
    pub(super) fn send(&mut self, now: Instant, mut what: Outgoing) -> SentKey {
        what.authorize(&mut self.nonces);
        let branch = format!("z9hG4bK{}", self.word(16)).into();
        let is_cancel = what.request.method == Method::Cancel;
        let key = SentKey { branch, is_cancel };
        self.send_as(now, key.clone(), what);
        key
    }

    fn send_as(&mut self, now: Instant, key: SentKey, mut what: Outgoing) {
        let mut bytes = self.write(&what.request, what.to.transport, &key.branch);
        if self.outgrows_udp(&mut what, bytes.len()) {
            bytes = self.write(&what.request, what.to.transport, &key.branch);
        }
        self.put(what.to, bytes.clone());
        let method = &what.request.method;
        let sent = Sent {
            client: Client::start(now, method, what.to.transport, self.options.timers),
            what,
            bytes,
            wanted: Wanted::Answer,
            acks: Vec::new(),
            forks: BTreeMap::new(),
            repetitions: 0,
            by_tcp: None,
        };
        self.sent.insert(key, sent);
    }

    /// Sends the CANCEL of an INVITE, once; it shares the branch of the INVITE (RFC 3261 §9.1).
    pub(super) fn send_cancel(&mut self, now: Instant, invite: &SentKey) {
        let key = SentKey {
            branch: invite.branch.clone(),
            is_cancel: true,
        };
        let Some(sent) = self.sent.get_mut(invite) else {
            return;
        };
        sent.wanted = Wanted::Cancelled;
        sent.client.limit(now);
        let cancel = sent.what.request.cancel();
        let cancel = Outgoing::new(cancel, sent.what.to, sent.what.owner, None);
        self.send_as(now, key, cancel);
    }

    /// Sends a request that gets no response of its own: an ACK.
    pub(super) fn send_ack(&mut self, ack: &Request, to: Peer) -> Bytes {
        let branch = format!("z9hG4bK{}", self.word(16));
        let bytes = self.write(ack, to.transport, &branch);
        self.put(to, bytes.clone());
        bytes
    }

    /// Sends the ACK of a refused INVITE, which belongs to its transaction (RFC 3261 §17.1.1.3).
    pub(super) fn acknowledge_refusal(&mut self, key: &SentKey, response: &Message) {
        let Some(Sent { what, .. }) = self.sent.get(key) else {
            return;
        };
        let ack = what.request.ack_of_refusal(response);
        let bytes = self.write(&ack, what.to.transport, &key.branch);
        self.put(what.to, bytes);
    }

    /// Sends a challenged request again with credentials: the same Call-ID, the next CSeq, a new branch (RFC 3261 §22.2).
    ///
    /// False if there is nothing to answer with, the challenge makes no sense, the answer was refused before, or nobody wants it any more.
    pub(super) fn retry(&mut self, now: Instant, key: &SentKey, challenge: &Message) -> bool {
        let cnonce = self.word(16);
        let Some(Sent { what, .. }) = self.sent.get(key) else {
            return false;
        };
        let (to, call_id) = (what.to, &what.request.call_id);
        let chosen = what.credentials.as_ref();
        let chosen = chosen.and_then(|credentials| digest::choose(challenge, credentials).ok());
        let Some(chosen) = chosen.filter(|chosen| what.may_answer(chosen)) else {
            self.nonces.forget(to, call_id);
            return false;
        };
        let mut again = what.clone();
        let nonces = chosen.iter().map(|(_, challenge)| challenge.nonce.clone());
        again.nonces.extend(nonces);
        self.nonces.learn(to, call_id, chosen, &cnonce);
        self.send_again(now, again, Vec::new())
    }

    /// Sends a refused request again with other headers: the same Call-ID and tags, the next CSeq, a new branch
    /// (RFC 3261 §8.1.3.5).
    ///
    /// False if the call is over that wanted it.
    pub(super) fn send_again(
        &mut self,
        now: Instant,
        mut again: Outgoing,
        headers: Vec<(String, String)>,
    ) -> bool {
        let Some(cseq) = self.next_cseq(&again) else {
            return false;
        };
        let request = &mut again.request;
        request.cseq = cseq;
        // Supported may have several lines, each with a word of its own.
        let is_replaced = |(name, value): &(String, String)| {
            let mut new = headers.iter().filter(|(new, _)| new == name);
            new.any(|(name, new)| name != Name::Supported.as_str() || new == value)
        };
        request.headers.retain(|header| !is_replaced(header));
        request.headers.extend(headers);
        let call = again.call().filter(|_| again.makes_call());
        let key = self.send(now, again);
        if let Some(call) = call
            && let Some(Call::Calling(calling)) = self.calls.get_mut(&call)
        {
            // What the refused INVITE had begun has ended with it.
            calling.early.clear();
            calling.invite = key;
            self.refuse_offer(now, call);
        }
        true
    }

    /// The CSeq that a repetition of `what` takes. None if its dialog is over: the BYE has taken the next number, and another request
    /// under that number would have the BYE refused as out of order.
    fn next_cseq(&mut self, what: &Outgoing) -> Option<u32> {
        let next = what.request.cseq.saturating_add(1).min(CSeq::MAX);
        let (Some(call), true) = (what.call(), what.request.in_dialog) else {
            return Some(next);
        };
        let tag = what.request.to.tag().unwrap_or("");
        let call = self.calls.get_mut(&call).filter(|call| call.is_with(tag));
        match call.and_then(|call| call.dialog(tag)) {
            Some(dialog) => Some(dialog.next_cseq()),
            None => (what.request.method == Method::Bye).then_some(next),
        }
    }

    pub(super) fn write(&self, request: &Request, transport: Transport, branch: &str) -> Bytes {
        let options = &self.options;
        let via = Via::new(
            &transport.to_string(),
            HostPort::from(options.local),
            branch,
        );
        let mut builder = RequestBuilder::new(request.method.clone(), &request.uri)
            .via(&via)
            .routes(&request.routes)
            .max_forwards(70)
            .from(&request.from)
            .to(&request.to)
            .call_id(&request.call_id)
            .cseq(request.cseq)
            .header(Name::UserAgent, &options.user_agent);
        // RFC 3261 §8.1.1.8, §12.2.1.1: what makes a dialog or moves its target says where we are.
        if matches!(request.method, Method::Invite | Method::Update)
            && let Some(contact) = options.contact(transport)
        {
            let allow = self.abilities.allow();
            builder = builder.contact(&contact).header(Name::Allow, allow);
        }
        for (name, value) in &request.headers {
            builder = builder.header(Name::from_text(name), value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(&body.content_type, body.bytes.clone());
        }
        builder.build().bytes().clone()
    }

    pub(super) fn put(&mut self, to: Peer, bytes: Bytes) {
        self.outputs.push_back(Output::Send { to, bytes });
    }
}
