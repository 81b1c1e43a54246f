use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::RngExt;

use super::answers::HeardKey;
use super::call::Call;
use super::{CallHandle, End, Event, Reliable, Reply, UserAgent, WrongMoment};
use crate::header::{RAck, RSeq};
use crate::{Message, Name, StatusCode};

/// Our reliable provisional responses to one INVITE: one on its way, the others behind it (RFC 3262 §3).
#[derive(Debug, Default)]
pub(super) struct Confirming {
    last: Option<RSeq>,
    repeated: Option<Repeated>,
    /// What may only be sent when the PRACK has come, in order; nothing after a 2xx.
    waiting: VecDeque<Reply>,
    /// One of them has brought offer and answer together.
    has_agreed: bool,
}

/// A response that is sent again until its PRACK comes.
#[derive(Debug)]
struct Repeated {
    rack: RAck,
    bytes: Bytes,
    /// Whether it says something about the session: then a 2xx must not overtake it.
    has_body: bool,
    again_at: Instant,
    period: Duration,
    give_up_at: Instant,
}

impl Confirming {
    /// Responses that may wait at most.
    const WAITING_MAX: usize = 8;

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let repeated = self.repeated.as_ref();
        repeated.map(|repeated| repeated.again_at.min(repeated.give_up_at))
    }

    /// What a PRACK may still confirm once the final response is out.
    pub(super) fn unconfirmed(self) -> Option<RAck> {
        self.repeated.map(|repeated| repeated.rack)
    }

    /// Whether a session was agreed on before the final response (RFC 3262 §5).
    pub(super) fn has_agreed(&self) -> bool {
        self.has_agreed
    }

    /// Takes the PRACK of the response that is on its way; false if it is of none. `is_complete` if nothing of offer and answer is missing
    /// once the body of that response has come.
    fn confirm(&mut self, rack: RAck, is_complete: bool) -> bool {
        let confirmed = self.repeated.take_if(|repeated| repeated.rack == rack);
        let has_body = confirmed.as_ref().map(|confirmed| confirmed.has_body);
        self.has_agreed |= is_complete && has_body == Some(true);
        confirmed.is_some()
    }

    /// Whether `reply` has to wait for the PRACK of another.
    fn delays(&self, reply: &Reply) -> bool {
        let Some(repeated) = &self.repeated else {
            return false;
        };
        match reply.status {
            status if status.is_success() => repeated.has_body || !self.waiting.is_empty(),
            status => !status.is_final() && reply.reliable,
        }
    }

    fn has_answer(&self) -> bool {
        let last = self.waiting.back();
        last.is_some_and(|reply| reply.status.is_final())
    }
}

/// Whether the caller confirms what we send reliably.
fn supports(invite: &Message) -> bool {
    invite.lists(Name::Supported, Reliable::TAG) || demands(invite)
}

/// Whether the caller wants every response but 100 to be reliable.
fn demands(invite: &Message) -> bool {
    invite.lists(Name::Require, Reliable::TAG)
}

impl UserAgent {
    /// Answers the INVITE of a call that has no final answer yet, at once or when the response before it has arrived.
    pub(super) fn respond_in_order(
        &mut self,
        now: Instant,
        call: CallHandle,
        mut reply: Reply,
    ) -> Result<(), WrongMoment> {
        let wait = |state| WrongMoment {
            action: "respond",
            state,
        };
        let Some(Call::Invited(invited)) = self.calls.get(&call) else {
            return Err(wait("nobody calls"));
        };
        let invite = self.heard.get(&invited.heard);
        reply.reliable = invite.is_some_and(|invite| self.is_reliable(&reply, &invite.request));
        let Some(Call::Invited(invited)) = self.calls.get_mut(&call) else {
            return Ok(());
        };
        let confirming = &mut invited.confirming;
        let is_refusal = reply.status.is_final() && !reply.status.is_success();
        if confirming.has_answer() && !is_refusal {
            return Err(wait("our answer waits for a PRACK"));
        }
        if !confirming.delays(&reply) {
            self.respond_now(now, call, reply);
            return Ok(());
        }
        if confirming.waiting.len() >= Confirming::WAITING_MAX {
            return Err(wait("our responses wait for a PRACK"));
        }
        confirming.waiting.push_back(reply);
        Ok(())
    }

    /// Whether this response to `invite` wants a PRACK (RFC 3262 §3: never 100, and never unless the caller knows how).
    fn is_reliable(&self, reply: &Reply, invite: &Message) -> bool {
        let is_wanted = reply.reliable && supports(invite) || demands(invite);
        let is_possible = reply.status.is_provisional() && reply.status != StatusCode::TRYING;
        is_wanted && is_possible && self.options.reliable != Reliable::Off
    }

    fn respond_now(&mut self, now: Instant, call: CallHandle, reply: Reply) {
        if reply.reliable {
            self.respond_reliably(now, call, reply);
        } else {
            self.respond_to_invite(now, call, &reply);
        }
    }

    fn respond_reliably(&mut self, now: Instant, call: CallHandle, mut reply: Reply) {
        let first = self.random.random_range(1..=RSeq::MAX_FIRST);
        let Some(Call::Invited(invited)) = self.calls.get_mut(&call) else {
            return;
        };
        let next = match invited.confirming.last {
            Some(last) => last.next(),
            None => RSeq::new(first),
        };
        let (Some(rseq), key) = (next, invited.heard.clone()) else {
            return;
        };
        invited.confirming.last = Some(rseq);
        for (name, value) in [
            (Name::Require, Reliable::TAG.to_owned()),
            (Name::RSeq, rseq.to_string()),
        ] {
            reply.headers.push((name.as_str().to_owned(), value));
        }
        self.respond_to_invite(now, call, &reply);
        let repeated = self.repeated(now, &key, rseq, reply.body.is_some());
        if let Some(Call::Invited(invited)) = self.calls.get_mut(&call) {
            invited.confirming.repeated = repeated;
        }
    }

    fn repeated(
        &self,
        now: Instant,
        key: &HeardKey,
        rseq: RSeq,
        has_body: bool,
    ) -> Option<Repeated> {
        let heard = self.heard.get(key)?;
        let (cseq, timers) = (heard.request.cseq().ok()?, self.options.timers);
        Some(Repeated {
            rack: RAck { rseq, cseq },
            bytes: heard.server.last()?.clone(),
            has_body,
            again_at: now + timers.t1,
            period: timers.t1,
            give_up_at: now + timers.patience(),
        })
    }

    /// A PRACK. One that confirms nothing of ours gets 481 (RFC 3262 §3).
    pub(super) fn confirmed(
        &mut self,
        now: Instant,
        key: &HeardKey,
        call: CallHandle,
        message: Message,
    ) {
        let Ok(Some(rack)) = message.rack() else {
            return self.reply(now, key, StatusCode::BAD_REQUEST);
        };
        let has_body = !message.body().is_empty();
        let has_offered = self.has_offered(call);
        let is_ours = match self.calls.get_mut(&call) {
            Some(Call::Invited(invited)) => {
                // Our response has answered their offer, or their PRACK has answered ours.
                invited.confirming.confirm(rack, has_offered || has_body)
            }
            Some(Call::Open(open)) => open.unconfirmed.take_if(|known| *known == rack).is_some(),
            Some(Call::Calling(_)) | None => false,
        };
        if !is_ours {
            return self.reply(now, key, StatusCode::CALL_DOES_NOT_EXIST);
        }
        // Their INVITE has made its offer, so this is another one, for which there is no moment before the answer.
        let is_new_offer = has_body && has_offered;
        self.reply(
            now,
            key,
            match is_new_offer {
                true => StatusCode::NOT_ACCEPTABLE_HERE,
                false => StatusCode::OK,
            },
        );
        self.tell(Event::Confirmed { call, message });
        self.respond_with_what_waits(now, call);
    }

    /// Whether the INVITE of this call came with an offer.
    pub(super) fn has_offered(&self, call: CallHandle) -> bool {
        let Some(Call::Invited(invited)) = self.calls.get(&call) else {
            return true;
        };
        let invite = self.heard.get(&invited.heard);
        invite.is_some_and(|invite| !invite.request.body().is_empty())
    }

    fn respond_with_what_waits(&mut self, now: Instant, call: CallHandle) {
        while let Some(Call::Invited(invited)) = self.calls.get_mut(&call) {
            let confirming = &mut invited.confirming;
            let Some(reply) = confirming.waiting.pop_front() else {
                return;
            };
            if confirming.delays(&reply) {
                return confirming.waiting.push_front(reply);
            }
            self.respond_now(now, call, reply);
        }
    }

    /// Repeats a response that lacks its PRACK, after pauses that double; after 64*T1 the INVITE is refused (RFC 3262 §3).
    pub(super) fn confirming_timeout(&mut self, now: Instant, call: CallHandle) {
        let Some(Call::Invited(invited)) = self.calls.get_mut(&call) else {
            return;
        };
        let (heard, tag) = (invited.heard.clone(), invited.local_tag.clone());
        let Some(repeated) = &mut invited.confirming.repeated else {
            return;
        };
        if repeated.give_up_at <= now {
            let reply = Reply::new(StatusCode::SERVER_INTERNAL_ERROR);
            self.answer(now, &heard, &reply, &tag);
            return self.end(now, call, End::NotAcknowledged);
        }
        if repeated.again_at <= now {
            repeated.period = repeated.period.saturating_mul(2);
            repeated.again_at = now + repeated.period;
            let bytes = repeated.bytes.clone();
            self.put_again(&heard, bytes);
        }
    }

    /// Refuses an INVITE of somebody who cannot confirm, where that is demanded (RFC 3262 §3); whether it was.
    pub(super) fn misses_reliability(
        &mut self,
        now: Instant,
        key: &HeardKey,
        invite: &Message,
    ) -> bool {
        let is_missed = self.options.reliable == Reliable::Required && !supports(invite);
        if is_missed {
            let reply = Reply::new(StatusCode::EXTENSION_REQUIRED)
                .with_header(Name::Require.as_str(), Reliable::TAG);
            let tag = self.tag_for(key);
            self.answer(now, key, &reply, &tag);
        }
        is_missed
    }
}
