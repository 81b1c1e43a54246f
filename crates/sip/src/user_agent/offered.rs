//! Their requests inside a call that change or refresh the session: re-INVITE (RFC 3261 §14.2) and UPDATE (RFC 3311 §5.2).

use std::time::Instant;

use rand::RngExt;

use super::answers::HeardKey;
use super::call::{Call, Calling, Change, Invited, Open, Unacknowledged};
use super::{CallHandle, Event, Reply, UserAgent};
use crate::dialog::Dialog;
use crate::{Message, Method, Name, StatusCode};

/// 2xx of one call that may lack their ACK at once.
const UNACKNOWLEDGED_MAX: usize = 4;

/// What becomes of an offer of theirs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// The user answers it.
    Taken,
    /// One of ours is open: 491.
    Glare,
    /// One of theirs is open: 500, and a pause.
    Overlap,
    /// The call is over: 481.
    Gone,
}

impl UserAgent {
    /// A re-INVITE, or an UPDATE with an offer.
    pub(super) fn they_offer(
        &mut self,
        now: Instant,
        key: &HeardKey,
        call: CallHandle,
        message: Message,
    ) {
        match self.judge_offer(call, &message) {
            Verdict::Taken => {
                if let Some(known) = self.calls.get_mut(&call) {
                    *known.offered_mut() = Some(key.clone());
                }
                self.tell(Event::Reinvited { call, message });
            }
            Verdict::Glare => self.reply(now, key, StatusCode::REQUEST_PENDING),
            Verdict::Overlap => self.reply_later(now, key),
            Verdict::Gone => self.reply(now, key, StatusCode::CALL_DOES_NOT_EXIST),
        }
    }

    fn judge_offer(&self, call: CallHandle, message: &Message) -> Verdict {
        let is_update = message.method() == Some(&Method::Update);
        match self.calls.get(&call) {
            Some(Call::Open(open)) => open.judge_offer(),
            // RFC 3261 §14.2: our own INVITE is in progress, and theirs before it.
            Some(Call::Calling(_)) if !is_update => Verdict::Glare,
            Some(Call::Invited(_)) if !is_update => Verdict::Overlap,
            Some(Call::Calling(calling)) => calling.judge_offer(&from_tag(message)),
            Some(Call::Invited(invited)) => invited.judge_offer(self.has_offered(call)),
            None => Verdict::Gone,
        }
    }

    /// An UPDATE without an offer only moves the target.
    pub(super) fn they_move(
        &mut self,
        now: Instant,
        key: &HeardKey,
        call: CallHandle,
        message: &Message,
    ) {
        let dialog = self.calls.get_mut(&call);
        if let Some(dialog) = dialog.and_then(|call| call.dialog(&from_tag(message))) {
            dialog.refresh_target(message);
        }
        let headers = match self.calls.get_mut(&call) {
            Some(Call::Open(open)) => open.session.grant(now, message),
            _ => Vec::new(),
        };
        let reply = Reply {
            headers,
            ..Reply::new(StatusCode::OK)
        };
        let tag = self.tag_for(key);
        self.answer(now, key, &reply, &tag);
    }

    /// Answers their re-INVITE or UPDATE.
    pub(super) fn respond_to_offer(&mut self, now: Instant, call: CallHandle, reply: &Reply) {
        let Some(known) = self.calls.get(&call) else {
            return;
        };
        let (tag, offered) = (known.local_tag().to_owned(), known.offered().cloned());
        let Some(key) = offered else {
            return;
        };
        let reply = &self.with_session(now, call, &key, reply);
        let answer = self.answer(now, &key, reply, &tag);
        let request = self.heard.get(&key).map(|heard| heard.request.clone());
        let known = self.calls.get_mut(&call);
        let Some(known) = known.filter(|_| reply.status.is_final()) else {
            return;
        };
        *known.offered_mut() = None;
        if let Some(request) = request.filter(|_| reply.status.is_success()) {
            known.grant_offer(&request, answer);
        }
    }

    /// Refuses what of a call is open that ends (RFC 3261 §15.1.2).
    pub(super) fn refuse_offer(&mut self, now: Instant, call: CallHandle) {
        let Some(known) = self.calls.get_mut(&call) else {
            return;
        };
        let tag = known.local_tag().to_owned();
        if let Some(offered) = known.offered_mut().take() {
            self.terminate(now, &offered, &tag);
        }
    }

    /// Refuses the open UPDATE of another fork than the one that has answered.
    pub(super) fn refuse_offer_of_another(
        &mut self,
        now: Instant,
        calling: &mut Calling,
        answered: &Dialog,
    ) {
        let is_another = |key: &mut HeardKey| {
            let heard = self.heard.get(key);
            heard.is_some_and(|heard| from_tag(&heard.request) != answered.remote_tag())
        };
        if let Some(offered) = calling.offered.take_if(is_another) {
            self.terminate(now, &offered, &calling.local_tag);
        }
    }

    fn terminate(&mut self, now: Instant, offered: &HeardKey, tag: &str) {
        let reply = Reply::new(StatusCode::REQUEST_TERMINATED);
        self.answer(now, offered, &reply, tag);
    }

    /// RFC 3261 §14.2: a second offer before the first is answered gets 500 and 0 to 10 s to wait, at random so that two do not meet again.
    fn reply_later(&mut self, now: Instant, key: &HeardKey) {
        let pause = self.random.random_range(0..=10_u32);
        let reply = Reply::new(StatusCode::SERVER_INTERNAL_ERROR)
            .with_header(Name::RetryAfter.as_str(), &pause.to_string());
        let tag = self.tag_for(key);
        self.answer(now, key, &reply, &tag);
    }
}

impl Open {
    fn judge_offer(&self) -> Verdict {
        let is_full = self.unacknowledged.len() >= UNACKNOWLEDGED_MAX;
        match self.change {
            Change::Sent => Verdict::Glare,
            _ if self.hung_up => Verdict::Gone,
            _ if self.offered.is_some() || is_full => Verdict::Overlap,
            Change::None | Change::Pausing(_) => Verdict::Taken,
        }
    }
}

impl Calling {
    /// RFC 3311 §5.1, §5.2: the fork may make an offer once its answer to ours has come reliably. One at a time, whichever fork it is.
    fn judge_offer(&self, tag: &str) -> Verdict {
        let early = self.early.get(tag);
        match early.is_some_and(|early| early.has_answered) {
            false => Verdict::Glare,
            true if self.offered.is_some() => Verdict::Overlap,
            true => Verdict::Taken,
        }
    }
}

impl Invited {
    /// RFC 3311 §5.1, §5.2: they may make an offer once the first, theirs or ours, is answered and that has come reliably.
    fn judge_offer(&self, is_theirs: bool) -> Verdict {
        match self.confirming.has_agreed() {
            true if self.offered.is_none() => Verdict::Taken,
            // Our response has made the offer, and they have not answered it.
            false if !is_theirs => Verdict::Glare,
            _ => Verdict::Overlap,
        }
    }
}

impl Call {
    /// Their offer is granted: their target may have moved, and a 2xx to a re-INVITE waits for its ACK.
    fn grant_offer(&mut self, request: &Message, answer: Option<Unacknowledged>) {
        if let Some(dialog) = self.dialog(&from_tag(request)) {
            dialog.refresh_target(request);
        }
        if let Self::Open(open) = self {
            open.unacknowledged.extend(answer);
        }
    }
}

/// The sender's tag; empty for one of RFC 2543.
pub(super) fn from_tag(message: &Message) -> String {
    let from = message.from().ok();
    let tag = from.as_ref().and_then(|from| from.tag());
    tag.unwrap_or_default().to_owned()
}
