use std::time::Instant;

use super::answers::{Heard, HeardKey};
use super::call::{Call, Invited};
use super::confirming::Confirming;
use super::offered::from_tag;
use super::session_timer::{self, Session};
use super::{CallHandle, End, Event, Reply, UserAgent};
use crate::dialog::Dialog;
use crate::transaction::{Peer, Server};
use crate::{Fault, Message, Method, Name, StatusCode, validate};

/// Bytes of requests of others kept at once; more are dropped, and repeated by their senders if they are in earnest. Some 13,000 of the
/// usual size; somebody inside a call may send what he likes.
const HEARD_BYTES_MAX: usize = 16 * 1024 * 1024;

impl UserAgent {
    pub(super) fn request(&mut self, now: Instant, from: Peer, message: Message) {
        let Some(key) = HeardKey::of(&message) else {
            return;
        };
        if message.method() == Some(&Method::Ack) {
            return self.acknowledged(now, &key, message);
        }
        if let Some(heard) = self.heard.get_mut(&key) {
            let again = heard.server.repeated(now);
            again
                .into_iter()
                .for_each(|bytes| self.put_again(&key, bytes));
            return;
        }
        if self.heard_bytes < HEARD_BYTES_MAX {
            self.hear(&key, from, &message);
            self.judge(now, &key, from, message);
            self.forget_stranger(&key);
        }
    }

    /// Keeps nothing of a request that is about no call: however many there are, they fill no memory. Repeated, it gets the same answer
    /// again, with the same tag (RFC 3261 §8.2.7).
    fn forget_stranger(&mut self, key: &HeardKey) {
        if self
            .heard
            .get(key)
            .is_some_and(|heard| heard.call.is_none())
        {
            self.forget_heard(key);
        }
    }

    pub(super) fn forget_heard(&mut self, key: &HeardKey) {
        let bytes = self.heard.remove(key).map_or(0, |heard| heard.bytes());
        self.heard_bytes = self.heard_bytes.saturating_sub(bytes);
    }

    fn hear(&mut self, key: &HeardKey, from: Peer, message: &Message) {
        let Some(method) = message.method() else {
            return;
        };
        let heard = Heard {
            request: message.clone(),
            from,
            server: Server::start(method, from.transport, self.options.timers),
            call: self.call_of(message),
        };
        self.heard_bytes = self.heard_bytes.saturating_add(heard.bytes());
        self.heard.insert(key.clone(), heard);
    }

    fn judge(&mut self, now: Instant, key: &HeardKey, from: Peer, message: Message) {
        let verdict = validate(&message).and_then(|()| self.check(&message));
        if let Err(fault) = verdict {
            return self.answer_fault(now, key, &fault);
        }
        let has_tag = message.to().is_ok_and(|to| to.tag().is_some());
        match (message.method(), has_tag) {
            (Some(Method::Cancel), _) => self.cancelled(now, key),
            (_, true) => self.inside(now, key, message),
            (_, false) => self.outside(now, key, from, message),
        }
    }

    /// RFC 3261 §8.2: what we do not speak is refused. Inside a call, [`UserAgent::inside`] has better reasons to refuse.
    fn check(&self, message: &Message) -> Result<(), Fault> {
        match message.method() {
            Some(Method::Info) => Ok(()),
            Some(Method::Refer | Method::Subscribe | Method::Notify)
                if self.call_of(message).is_some() =>
            {
                Ok(())
            }
            _ => self.abilities.check(message),
        }
    }

    /// The ACK of a refusal belongs to the transaction, that of a 2xx to the dialog (RFC 3261 §17.1.1.3, §13.2.2.4).
    fn acknowledged(&mut self, now: Instant, key: &HeardKey, message: Message) {
        if let Some(heard) = self.heard.get_mut(key) {
            heard.server.acknowledged(now);
        }
        let Ok(cseq) = message.cseq() else {
            return;
        };
        let Some(call) = self.call_of(&message) else {
            return;
        };
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        let waiting = open.unacknowledged.len();
        open.unacknowledged
            .retain(|answer| answer.cseq != cseq.number);
        if open.unacknowledged.len() == waiting {
            return;
        }
        if open.hung_up {
            self.give_up(now, call, End::ByUs);
        } else {
            self.tell(Event::Acknowledged { call, message });
        }
    }

    /// CANCEL ends an INVITE that has no final answer, and changes nothing otherwise (RFC 3261 §9.2).
    fn cancelled(&mut self, now: Instant, key: &HeardKey) {
        let invite = key.of_invite();
        let Some(heard) = self.heard.get(&invite) else {
            return self.reply(now, key, StatusCode::CALL_DOES_NOT_EXIST);
        };
        let (is_open, call) = (!heard.server.is_answered(), heard.call);
        if let Some(heard) = self.heard.get_mut(key) {
            heard.call = call;
        }
        self.reply(now, key, StatusCode::OK);
        if !is_open {
            return;
        }
        let Some(call) = call else {
            return;
        };
        let reply = Reply::new(StatusCode::REQUEST_TERMINATED);
        match self.calls.get_mut(&call) {
            Some(Call::Invited(invited)) => {
                let tag = invited.local_tag.clone();
                self.answer(now, &invite, &reply, &tag);
                self.end(now, call, End::Cancelled);
            }
            // The call goes on without the re-INVITE.
            Some(Call::Open(open)) => {
                open.offered.take_if(|offered| *offered == invite);
                self.answer(now, &invite, &reply, "");
            }
            Some(Call::Calling(_)) | None => {}
        }
    }

    /// The call that a request is inside of, by Call-ID and both tags (RFC 3261 §12.2.2).
    fn call_of(&self, message: &Message) -> Option<CallHandle> {
        let (to, from) = (message.to().ok()?, message.from().ok()?);
        let key = (message.call_id().ok()?.to_owned(), to.tag()?.to_owned());
        let call = *self.dialogs.get(&key)?;
        let is_ours = self.calls.get(&call)?.is_with(from.tag().unwrap_or(""));
        is_ours.then_some(call)
    }

    /// Whether we have hung up the call that a request is about, and wait for the answer to our BYE.
    fn has_left(&self, message: &Message) -> bool {
        let key = message.to().ok().and_then(|to| {
            let call_id = message.call_id().ok()?.to_owned();
            Some((call_id, to.tag()?.to_owned()))
        });
        let call = key.and_then(|key| self.dialogs.get(&key));
        call.is_some_and(|call| !self.calls.contains_key(call))
    }

    /// A request inside a call.
    fn inside(&mut self, now: Instant, key: &HeardKey, message: Message) {
        let Some(call) = self.call_of(&message) else {
            // Their BYE crosses ours: they are told what they want to hear (RFC 5407 §3.2.1).
            let status = match message.method() {
                Some(Method::Bye) if self.has_left(&message) => StatusCode::OK,
                _ => StatusCode::CALL_DOES_NOT_EXIST,
            };
            return self.reply(now, key, status);
        };
        if !self.in_order(call, &message) {
            // RFC 3261 §12.2.2: an older request arrives after a newer one.
            return self.reply(now, key, StatusCode::SERVER_INTERNAL_ERROR);
        }
        if self.objects(now, key, &message) {
            return;
        }
        match message.method() {
            Some(Method::Bye) => self.they_hang_up(now, key, call, message),
            Some(Method::Invite) => self.they_offer(now, key, call, message),
            Some(Method::Update) if message.body().is_empty() => {
                self.they_move(now, key, call, &message)
            }
            Some(Method::Update) => self.they_offer(now, key, call, message),
            Some(Method::Prack) => self.confirmed(now, key, call, message),
            Some(Method::Info) => self.informed(now, key, call, message),
            // Nobody has us call others (RFC 3515 §2.4.2), and we report no events (RFC 6665 §4.2.1.1).
            Some(Method::Refer) => self.reply(now, key, StatusCode::DECLINE),
            Some(Method::Subscribe | Method::Notify) => self.reply(now, key, StatusCode::BAD_EVENT),
            Some(Method::Options) => self.describe(now, key),
            _ => self.reply(now, key, StatusCode::OK),
        }
    }

    /// Refuses a session interval that is too short for us (RFC 4028 §9); whether it was.
    fn objects(&mut self, now: Instant, key: &HeardKey, message: &Message) -> bool {
        let is_refresh = message.method().is_some_and(session_timer::refreshes);
        let objection = is_refresh
            .then(|| Session::objection(self.options.session_timer, message))
            .flatten();
        let Some(min_se) = objection else {
            return false;
        };
        let reply = Reply::new(StatusCode::SESSION_INTERVAL_TOO_SMALL)
            .with_header(Name::MinSe.as_str(), &min_se.to_string());
        let tag = self.tag_for(key);
        self.answer(now, key, &reply, &tag);
        true
    }

    fn in_order(&mut self, call: CallHandle, message: &Message) -> bool {
        let tag = from_tag(message);
        let dialog = self.calls.get_mut(&call).and_then(|call| call.dialog(&tag));
        match (dialog, message.cseq()) {
            (Some(dialog), Ok(cseq)) => dialog.accept(cseq.number),
            _ => false,
        }
    }

    /// BYE (RFC 3261 §15.1.2). The caller may send it before our answer; then the INVITE is owed 487.
    fn they_hang_up(&mut self, now: Instant, key: &HeardKey, call: CallHandle, message: Message) {
        if let Some(Call::Calling(_)) = self.calls.get(&call) {
            // RFC 3261 §15: the called side refuses the INVITE instead, so this tells us nothing.
            return self.reply(now, key, StatusCode::CALL_DOES_NOT_EXIST);
        }
        self.reply(now, key, StatusCode::OK);
        let taken = self.take(now, call);
        let told = match taken {
            Some(Call::Invited(invited)) => {
                let reply = Reply::new(StatusCode::REQUEST_TERMINATED);
                self.answer(now, &invited.heard, &reply, &invited.local_tag);
                false
            }
            Some(Call::Open(open)) => open.hung_up,
            _ => return,
        };
        if !told {
            let end = End::ByThem(message);
            self.tell(Event::Ended { call, end });
        }
    }

    /// A request outside any call.
    fn outside(&mut self, now: Instant, key: &HeardKey, from: Peer, message: Message) {
        match message.method() {
            Some(Method::Invite) if self.options.accepts_calls => {
                self.invited(now, key, from, message)
            }
            Some(Method::Invite) => self.reply(now, key, StatusCode::FORBIDDEN),
            Some(Method::Options) => self.describe(now, key),
            _ => self.reply(now, key, StatusCode::CALL_DOES_NOT_EXIST),
        }
    }

    fn invited(&mut self, now: Instant, key: &HeardKey, from: Peer, message: Message) {
        let local_tag = self.tag();
        if self.objects(now, key, &message) || self.misses_reliability(now, key, &message) {
            return;
        }
        if self.is_merged(&message) {
            return self.reply(now, key, StatusCode::LOOP_DETECTED);
        }
        let Ok(dialog) = Dialog::of_callee(&message, &local_tag, from) else {
            return self.reply(now, key, StatusCode::BAD_REQUEST);
        };
        self.reply(now, key, StatusCode::TRYING);
        let call = self.next_call();
        let invited = Invited {
            heard: key.clone(),
            local_tag,
            dialog,
            session: Session::new(self.options.session_timer),
            confirming: Confirming::default(),
            offered: None,
        };
        let invited = Call::Invited(Box::new(invited));
        if let Some(heard) = self.heard.get_mut(key) {
            heard.call = Some(call);
        }
        self.dialogs.insert(invited.key(), call);
        self.calls.insert(call, invited);
        self.tell(Event::Invited {
            call,
            from,
            message,
        });
    }

    /// Whether an INVITE is the same as one we have, come by another way: a proxy before us forks, and both branches lead here
    /// (RFC 3261 §8.2.2.2).
    fn is_merged(&self, message: &Message) -> bool {
        let (Ok(call_id), Ok(from), Ok(cseq)) = (message.call_id(), message.from(), message.cseq())
        else {
            return false;
        };
        let tag = from.tag().unwrap_or("");
        let first = (call_id.to_owned(), String::new());
        let same = self.dialogs.range(first..);
        let mut same = same.take_while(|((id, _), _)| id == call_id);
        same.any(|(_, call)| match self.calls.get(call) {
            Some(call @ Call::Invited(invited)) => {
                let invite = self.heard.get(&invited.heard);
                let invite = invite.and_then(|heard| heard.request.cseq().ok());
                call.is_with(tag) && invite.is_some_and(|ours| ours.number == cseq.number)
            }
            Some(call @ Call::Open(open)) => {
                let mut answers = open.unacknowledged.iter().filter(|answer| answer.first);
                call.is_with(tag) && answers.any(|answer| answer.cseq == cseq.number)
            }
            Some(Call::Calling(_)) | None => false,
        })
    }

    /// OPTIONS, in a call or outside, asks what we can do, or whether we live (RFC 3261 §11.2).
    fn describe(&mut self, now: Instant, key: &HeardKey) {
        let reply = Reply::new(StatusCode::OK)
            .with_header(Name::Allow.as_str(), &self.abilities.allow())
            .with_header(Name::Accept.as_str(), &self.abilities.accept())
            .with_header(
                Name::Supported.as_str(),
                &self.abilities.extensions.join(", "),
            );
        let tag = self.tag_for(key);
        self.answer(now, key, &reply, &tag);
    }

    pub(super) fn reply(&mut self, now: Instant, key: &HeardKey, status: StatusCode) {
        // RFC 3261 §8.2.6.2: every response but 100 carries our tag; it makes no difference to 100.
        let tag = if status == StatusCode::TRYING {
            String::new()
        } else {
            self.tag_for(key)
        };
        self.answer(now, key, &Reply::new(status), &tag);
    }
}
