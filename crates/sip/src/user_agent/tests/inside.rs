use std::time::Duration;

use super::stage::Stage;
use super::world::{CALLER, options};
use crate::Message;
use crate::user_agent::{AgentOptions, CallHandle, UserAgent};

/// The first call of an agent.
pub(super) const CALL: CallHandle = CallHandle(1);

/// What goes on inside a call.
impl Stage {
    /// A stage whose agent has other options.
    pub(super) fn with(side: usize, change: impl FnOnce(&mut AgentOptions)) -> Self {
        let mut options = options(side, 1);
        change(&mut options);
        Self {
            agent: UserAgent::new(options),
            ..Self::of(side)
        }
    }

    /// Lets `time` pass.
    pub(super) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.agent.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    /// Lets time pass until the user is told `words`; a minute at most.
    pub(super) fn wait_for(&mut self, words: &str) {
        let limit = self.now + Duration::from_secs(60);
        while self.told.last().is_none_or(|told| told != words) {
            self.now = self.agent.poll_timeout().filter(|at| *at <= limit).unwrap();
            self.agent.handle_timeout(self.now);
            self.drain();
        }
    }

    /// A request of the far end, `far` by its tag, inside the call that our `invite` made.
    pub(super) fn hears_inside(&mut self, invite: &Message, method: &str, cseq: u32, more: &str) {
        let from = format!("{};tag=far", invite.to().unwrap());
        let text = request(
            method,
            invite,
            &from,
            &invite.from().unwrap().to_string(),
            cseq,
            more,
            "",
        );
        self.hears_text(&text);
    }

    /// The same with an offer.
    pub(super) fn hears_offer(&mut self, invite: &Message, method: &str, cseq: u32) {
        let from = format!("{};tag=far", invite.to().unwrap());
        let to = invite.from().unwrap().to_string();
        self.hears_text(&request(method, invite, &from, &to, cseq, "", "offer"));
    }

    /// An INVITE of the far end, with further header lines.
    pub(super) fn hears_invite(&mut self, more: &str) -> Message {
        let text = format!(
            "INVITE sip:housecall@10.0.0.2:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKinvite\n\
             Max-Forwards: 70\nFrom: <sip:far@10.0.0.1>;tag=far\nTo: <sip:housecall@10.0.0.2>\nCall-ID: theirs\n\
             CSeq: 1 INVITE\nContact: <sip:far@10.0.0.1>\nContent-Type: application/sdp\n{more}Content-Length: 5\n\noffer"
        );
        let bytes = text
            .split_once("\n\n")
            .map(|(head, body)| format!("{}\r\n\r\n{body}", head.replace('\n', "\r\n")));
        let invite = Message::parse(bytes.unwrap().into()).unwrap();
        self.hears(invite.clone());
        invite
    }

    /// A request of the far end inside the call of its `invite`, which `answer` of ours has given our tag.
    pub(super) fn hears_from_caller(
        &mut self,
        invite: &Message,
        answer: &Message,
        method: &str,
        cseq: u32,
        body: &str,
    ) {
        let (from, to) = (
            invite.from().unwrap().to_string(),
            answer.to().unwrap().to_string(),
        );
        self.hears_text(&request(method, invite, &from, &to, cseq, "", body));
    }
}

/// A request inside a call. Its branch is its method and number.
pub(super) fn request(
    method: &str,
    invite: &Message,
    from: &str,
    to: &str,
    cseq: u32,
    more: &str,
    body: &str,
) -> String {
    let content = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\n"
    };
    format!(
        "{method} sip:housecall@10.0.0.1:5060 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK{method}{cseq}\n\
         Max-Forwards: 70\nFrom: {from}\nTo: {to}\nCall-ID: {}\nCSeq: {cseq} {method}\nContact: <sip:far@10.0.0.2>\n\
         {content}{more}Content-Length: {}\n\n{body}",
        invite.call_id().unwrap(),
        body.len(),
    )
}

/// An answered call of ours; the 2xx had `headers` and the tag `far`.
pub(super) fn answered(headers: &[(&'static str, &str)]) -> (Stage, CallHandle, Message) {
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(None);
    let mut answer = super::stage::response(&invite, 200, "far");
    if headers.iter().all(|(name, _)| *name != "Contact") {
        answer = answer.header(crate::Name::Contact, "<sip:far@10.0.0.2>");
    }
    for (name, value) in headers {
        answer = answer.header(crate::Name::from_text(name), value);
    }
    stage.hears(answer.build());
    stage.told.clear();
    stage.sent.clear();
    (stage, call, invite)
}
