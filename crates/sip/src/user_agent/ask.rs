use std::time::Instant;

use super::sending::Outgoing;
use super::{Body, Event, Request, UserAgent};
use crate::digest::Credentials;
use crate::transaction::Peer;
use crate::{Message, Method, NameAddr, StatusCode, Uri};

/// A request outside any call, to be sent with [`UserAgent::ask`]: an OPTIONS, a REGISTER.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What is asked; anything but INVITE, ACK and CANCEL.
    pub method: Method,
    /// Where the request is sent. Challenges are answered to this peer alone.
    pub to_peer: Peer,
    /// The request URI.
    pub uri: Uri,
    /// The From header without its tag.
    pub from: NameAddr,
    /// The To header.
    pub to: NameAddr,
    /// Further headers by name and value, such as the Contact and Expires of a REGISTER.
    pub headers: Vec<(String, String)>,
    /// What is sent along.
    pub body: Option<Body>,
    /// What a 401 or 407 of `to_peer` is answered with.
    pub credentials: Option<Credentials>,
    /// The Call-ID; a new one if none is given. All REGISTERs of one registration share theirs (RFC 3261 §10.2).
    pub call_id: Option<String>,
    /// The CSeq number; 1 if none is given. Each answered challenge takes the next one: count on from the CSeq of the response,
    /// or from [`Ask::CSEQS_MAX`] further on if none came.
    pub cseq: Option<u32>,
}

impl Ask {
    /// How many CSeq numbers one question takes at most.
    pub const CSEQS_MAX: u32 = 1 + Outgoing::ATTEMPTS_MAX as u32;
}

/// Names one question within its [`UserAgent`]. Never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AskHandle(pub(super) u64);

/// Why a question got no final response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AskEnd {
    /// Nobody answered within 64*T1.
    Unanswered,
    /// The peer cannot be reached, or the method is none that can be asked.
    Unreachable,
}

impl AskEnd {
    /// What stands for the response that never came (RFC 3261 §8.1.3.1).
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unanswered => StatusCode::REQUEST_TIMEOUT,
            Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl UserAgent {
    /// Asks something outside any call. [`Event::Replied`] or [`Event::AskFailed`] follows, once.
    ///
    /// Challenges are answered on the way, as for an INVITE (RFC 3261 §22).
    pub fn ask(&mut self, now: Instant, ask: Ask) -> AskHandle {
        let handle = AskHandle(self.next_number());
        if matches!(ask.method, Method::Invite | Method::Ack | Method::Cancel) {
            self.ask_failed(handle, AskEnd::Unreachable);
            return handle;
        }
        let tag = self.tag();
        let call_id = ask.call_id.unwrap_or_else(|| self.word(32));
        let request = Request {
            method: ask.method,
            uri: ask.uri,
            from: ask.from.with_tag(&tag),
            to: ask.to,
            call_id,
            cseq: ask.cseq.unwrap_or(1),
            routes: Vec::new(),
            headers: ask.headers,
            body: ask.body,
            in_dialog: false,
        };
        self.send(
            now,
            Outgoing::new(request, ask.to_peer, handle, ask.credentials),
        );
        handle
    }

    pub(super) fn replied(&mut self, ask: AskHandle, message: &Message) {
        let message = message.clone();
        self.tell(Event::Replied { ask, message });
    }

    pub(super) fn ask_failed(&mut self, ask: AskHandle, end: AskEnd) {
        self.tell(Event::AskFailed { ask, end });
    }
}
