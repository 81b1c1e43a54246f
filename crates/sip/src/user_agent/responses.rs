use std::time::Instant;

use super::call::Call;
use super::offers::Purpose;
use super::reliable::Turn;
use super::sending::{Acknowledged, Outgoing, Owner, Sent, SentKey, Wanted};
use super::session_timer::{self, is_too_small};
use super::{AskEnd, CallHandle, End, Event, UserAgent};
use crate::dialog::Dialog;
use crate::transaction::{Action, Peer};
use crate::{Message, Method, Name, StatusCode, validate};

/// ACKs kept for repetitions of one INVITE's 2xx; a network that forks further is up to no good.
const ACKS_MAX: usize = 16;

impl UserAgent {
    pub(super) fn response(&mut self, now: Instant, from: Peer, message: Message) {
        // RFC 3261 §8.1.3.3: with a second Via it was meant for somebody before us.
        let has_lost_its_way = message.list(Name::Via).nth(1).is_some();
        if has_lost_its_way || validate(&message).is_err() {
            return;
        }
        let (Some(status), Ok(via), Ok(cseq)) = (message.status(), message.via(), message.cseq())
        else {
            return;
        };
        let Some(branch) = via.branch() else {
            return;
        };
        let key = SentKey {
            branch: branch.into(),
            is_cancel: cseq.method == Method::Cancel,
        };
        let Some(sent) = self.sent.get_mut(&key) else {
            return;
        };
        if sent.what.request.method != cseq.method {
            return;
        }
        // RFC 3261 §22.1 knows realms, not addresses. Whoever asks from elsewhere is not whom the password is for.
        if is_challenge(status) && from.addr.ip() != sent.what.to.addr.ip() {
            sent.what.credentials = None;
        }
        sent.heard_from(from);
        let action = sent.client.response(now, status);
        self.act(now, &key, action, Some(&message));
    }

    /// Does what a client transaction asks for.
    pub(super) fn act(
        &mut self,
        now: Instant,
        key: &SentKey,
        action: Action,
        message: Option<&Message>,
    ) {
        match (action, message) {
            (Action::Resend, _) => self.resend(key),
            (Action::Ack, Some(message)) => self.acknowledge_refusal(key, message),
            (Action::AckAndDeliver, Some(message)) => {
                self.acknowledge_refusal(key, message);
                self.refused(now, key, message);
            }
            (Action::Deliver, Some(message)) => self.deliver(now, key, message),
            (Action::TimedOut, _) => self.unanswered(now, key, AskEnd::Unanswered),
            (Action::TransportFailed, _) => self.unanswered(now, key, AskEnd::Unreachable),
            _ => {}
        }
        if self
            .sent
            .get(key)
            .is_some_and(|sent| sent.client.is_terminated())
        {
            self.forget(key);
        }
    }

    /// Everything on its way to `peer` has failed, and says so.
    pub(super) fn transport_failed(&mut self, now: Instant, peer: Peer) {
        let lost = self.sent.iter().filter(|(_, sent)| sent.what.to == peer);
        let lost: Vec<SentKey> = lost.map(|(key, _)| key.clone()).collect();
        for key in lost {
            if self.fall_back_to_udp(now, &key) {
                continue;
            }
            if let Some(sent) = self.sent.get_mut(&key) {
                let action = sent.client.transport_failed(now);
                self.act(now, &key, action, None);
            }
        }
    }

    fn resend(&mut self, key: &SentKey) {
        if let Some(sent) = self.sent.get(key) {
            let (to, bytes) = (sent.what.to, sent.bytes.clone());
            self.put(to, bytes);
            self.send_by_tcp_too(key);
        }
    }

    fn deliver(&mut self, now: Instant, key: &SentKey, message: &Message) {
        let status = message.status().map_or(0, StatusCode::code);
        match status {
            ..200 => self.progress(now, key, message),
            200..300 => self.granted(now, key, message),
            300.. => self.refused(now, key, message),
        }
    }

    fn progress(&mut self, now: Instant, key: &SentKey, message: &Message) {
        let Some(sent) = self.sent.get_mut(key) else {
            return;
        };
        match sent.wanted {
            // RFC 3261 §9.1: only now may the CANCEL be sent.
            Wanted::Cancel => return self.send_cancel(now, key),
            Wanted::Cancelled => return,
            Wanted::Answer if sent.what.is_reinvite() => return sent.client.limit(now),
            Wanted::Answer => {}
        }
        let Some(call) = sent.what.call().filter(|_| sent.what.makes_call()) else {
            return;
        };
        let Some(Call::Calling(calling)) = self.calls.get_mut(&call) else {
            return;
        };
        let turn = calling.turn(self.options.reliable, message);
        if message.status() == Some(StatusCode::TRYING) || turn == Turn::Missed {
            return;
        }
        calling.progress(&sent.what.request, message, sent.what.to);
        if let Turn::Next(rack) = turn {
            self.confirm(now, call, rack, message);
        }
        if let Some(Call::Calling(calling)) = self.calls.get_mut(&call) {
            calling.end_early(message);
        }
        let message = message.clone();
        self.tell(Event::Progress { call, message });
    }

    fn granted(&mut self, now: Instant, key: &SentKey, message: &Message) {
        let Some(sent) = self.sent.get(key) else {
            return;
        };
        let is_invite = sent.what.request.method == Method::Invite;
        let is_change = Purpose::of(&sent.what).is_some();
        match (sent.what.owner, message.status()) {
            (Owner::Ask(ask), _) => return self.replied(ask, message),
            (Owner::Call(call), Some(status)) if sent.what.request.method == Method::Info => {
                return self.info_answered(now, call, status);
            }
            _ => {}
        }
        if is_invite && self.acknowledge_again(key, message) {
            return;
        }
        if is_change {
            self.change_granted(now, key, message);
        } else if is_invite {
            self.answered(now, key, message);
        }
    }

    /// Sends the ACK of a repeated 2xx again; false if this 2xx is new.
    fn acknowledge_again(&mut self, key: &SentKey, message: &Message) -> bool {
        let tag = to_tag(message);
        let Some(sent) = self.sent.get(key) else {
            return false;
        };
        let Some(ack) = sent.acks.iter().find(|ack| ack.tag == tag) else {
            return sent.acks.len() >= ACKS_MAX;
        };
        let (to, bytes) = (ack.to, ack.bytes.clone());
        self.put(to, bytes);
        true
    }

    /// Our INVITE is answered. The first fork makes the call; any other, or an answer that crosses our CANCEL, is hung up.
    fn answered(&mut self, now: Instant, key: &SentKey, message: &Message) {
        let Some(sent) = self.sent.get(key) else {
            return;
        };
        let what = sent.what.clone();
        let Some(call) = what.call() else {
            return;
        };
        let dialog = Dialog::of_caller(&what.request, message, what.to);
        self.acknowledge(key, &what, &dialog, message);
        match self.calls.remove(&call) {
            Some(Call::Calling(mut calling)) => {
                self.refuse_offer_of_another(now, &mut calling, &dialog);
                let (open, forks) = calling.opened(now, dialog, message);
                self.calls.insert(call, Call::Open(Box::new(open)));
                if let Some(sent) = self.sent.get_mut(key) {
                    sent.forks = forks;
                }
                let message = message.clone();
                self.tell(Event::Answered { call, message });
            }
            other => {
                self.hang_up_stray(now, key, dialog, message);
                self.calls.extend(other.map(|other| (call, other)));
            }
        }
    }

    /// Acknowledges a 2xx and keeps the ACK for its repetitions.
    pub(super) fn acknowledge(
        &mut self,
        key: &SentKey,
        what: &Outgoing,
        dialog: &Dialog,
        message: &Message,
    ) {
        let mut ack = dialog.ack(what.request.cseq);
        ack.headers = what.authorization();
        let to = dialog.next_hop();
        let bytes = self.send_ack(&ack, to);
        let tag = to_tag(message);
        if let Some(sent) = self.sent.get_mut(key) {
            sent.acks.push(Acknowledged { tag, to, bytes });
        }
    }

    fn hang_up_stray(
        &mut self,
        now: Instant,
        key: &SentKey,
        mut dialog: Dialog,
        message: &Message,
    ) {
        let Some(Sent { what, forks, .. }) = self.sent.get(key) else {
            return;
        };
        if let Some(early) = forks.get(dialog.remote_tag()) {
            dialog.inherit(early, message);
        }
        let bye = dialog.request(Method::Bye);
        let to = dialog.next_hop();
        let credentials = what.credentials.clone().filter(|_| to.stands_for(what.to));
        let what = Outgoing::new(bye, to, what.owner, credentials);
        self.send(now, what);
    }

    fn refused(&mut self, now: Instant, key: &SentKey, message: &Message) {
        let Some(sent) = self.sent.get(key) else {
            return;
        };
        let (owner, Some(status)) = (sent.what.owner, message.status()) else {
            return;
        };
        let is_wanted = sent.wanted == Wanted::Answer;
        let is_sent_again = is_wanted
            && (is_challenge(status) && self.retry(now, key, message)
                || is_too_small(status) && self.ask_longer(now, key, message)
                || self.offer_otherwise(now, key, message));
        if is_sent_again {
            return;
        }
        let Some(Sent { what, .. }) = self.sent.get(key) else {
            return;
        };
        match (owner, Purpose::of(what)) {
            (Owner::Ask(ask), _) => self.replied(ask, message),
            (Owner::Call(call), Some(purpose)) => self.change_refused(now, call, purpose, message),
            (Owner::Call(call), None) if what.request.method == Method::Invite => {
                self.end(now, call, End::Refused(message.clone()));
            }
            (Owner::Call(call), None) if what.request.method == Method::Info => {
                self.info_answered(now, call, status);
            }
            (Owner::Call(_), None) => {}
        }
    }

    /// A request of ours got no final response.
    fn unanswered(&mut self, now: Instant, key: &SentKey, why: AskEnd) {
        let Some(Sent { what, .. }) = self.sent.get(key) else {
            return;
        };
        if let (Owner::Call(call), AskEnd::Unreachable, Some(purpose)) =
            (what.owner, why, Purpose::of(what))
        {
            // RFC 3261 §8.1.3.1: as if answered 503, which leaves the call as it is.
            self.forget(key);
            return self.change_failed(now, call, purpose, StatusCode::SERVICE_UNAVAILABLE);
        }
        match (what.owner, why) {
            (Owner::Ask(ask), why) => self.ask_failed(ask, why),
            // RFC 3261 §14.1, RFC 4028 §7.3: an unanswered re-INVITE or UPDATE ends the call.
            (Owner::Call(call), AskEnd::Unanswered) if Purpose::of(what).is_some() => {
                self.give_up(now, call, End::Forgotten);
            }
            (Owner::Call(call), why) if what.request.method == Method::Invite => {
                self.give_up_invite(now, call, why.into());
            }
            (Owner::Call(call), why) if what.request.method == Method::Info => {
                self.info_answered(now, call, why.status());
            }
            (Owner::Call(_), _) => {}
        }
    }

    /// Ends a call that nobody has answered. Where the far end is at work, a phone rings: that is cancelled, by another connection if need
    /// be (RFC 3261 §9.1).
    fn give_up_invite(&mut self, now: Instant, call: CallHandle, end: End) {
        if let Some(Call::Calling(calling)) = self.take(now, call) {
            self.abandon(now, *calling);
            self.tell(Event::Ended { call, end });
        }
    }

    /// Ends an open call that cannot go on, with a BYE in case the other side still hears.
    pub(super) fn give_up(&mut self, now: Instant, call: CallHandle, end: End) {
        let Some(Call::Open(open)) = self.take(now, call) else {
            return;
        };
        let told = open.hung_up;
        let why = matches!(end, End::SessionExpired).then(session_timer::reason);
        self.leave(now, call, open, why);
        if !told {
            self.tell(Event::Ended { call, end });
        }
    }
}

fn is_challenge(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED
    )
}

fn to_tag(message: &Message) -> String {
    let to = message.to();
    to.ok()
        .and_then(|to| to.tag().map(str::to_owned))
        .unwrap_or_default()
}
