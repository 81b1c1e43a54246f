use std::time::Instant;

use bytes::Bytes;

use super::answers::Heard;
use super::call::{Call, Change, Open};
use super::sending::Sent;
use super::session_timer::Due;
use super::timed::Timed;
use super::{CallHandle, End, Event, UserAgent};
use crate::transaction::Peer;

impl UserAgent {
    /// When [`handle_timeout`](UserAgent::handle_timeout) next has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timeouts = [
            self.sent.next_timeout(),
            self.heard.next_timeout(),
            self.calls.next_timeout(),
        ];
        timeouts.into_iter().flatten().min()
    }

    /// Does what is due: repeats messages, gives up waiting.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.sent_timeouts(now);
        self.heard_timeouts(now);
        self.call_timeouts(now);
    }

    fn sent_timeouts(&mut self, now: Instant) {
        for key in self.sent.due(now) {
            if let Some(sent) = self.sent.get_mut(&key) {
                let action = sent.client.timeout(now);
                self.act(now, &key, action, None);
            }
        }
    }

    fn heard_timeouts(&mut self, now: Instant) {
        for key in self.heard.due(now) {
            let again = self
                .heard
                .get_mut(&key)
                .and_then(|heard| heard.server.timeout(now));
            again
                .into_iter()
                .for_each(|bytes| self.put_again(&key, bytes));
            if self
                .heard
                .get(&key)
                .is_some_and(|heard| heard.server.is_terminated())
            {
                self.forget_heard(&key);
            }
        }
    }

    fn call_timeouts(&mut self, now: Instant) {
        for call in self.calls.due(now) {
            self.call_timeout(now, call);
        }
    }

    fn call_timeout(&mut self, now: Instant, call: CallHandle) {
        let open = match self.calls.get_mut(&call) {
            Some(Call::Open(open)) => open,
            Some(Call::Invited(_)) => return self.confirming_timeout(now, call),
            Some(Call::Calling(_)) | None => return,
        };
        if open
            .unacknowledged
            .iter()
            .any(|answer| answer.give_up_at <= now)
        {
            // RFC 3261 §13.3.1.4: no ACK in 64*T1 ends the call.
            return self.give_up(now, call, End::NotAcknowledged);
        }
        let again = open.repeat_answers(now);
        let pause_is_over = open.end_pause(now);
        let session = open.session_timeout(now);
        again
            .into_iter()
            .for_each(|(to, bytes)| self.put(to, bytes));
        if pause_is_over {
            self.tell(Event::ReinviteAgain { call });
        }
        match session {
            Due::Nothing => {}
            Due::Refresh => self.refresh_session(now, call),
            Due::Expired => self.give_up(now, call, End::SessionExpired),
        }
    }
}

impl Timed for Sent {
    fn next_timeout(&self) -> Option<Instant> {
        self.client.next_timeout()
    }
}

impl Timed for Heard {
    fn next_timeout(&self) -> Option<Instant> {
        self.server.next_timeout()
    }
}

impl Timed for Call {
    fn next_timeout(&self) -> Option<Instant> {
        match self {
            Self::Open(open) => open.next_timeout(),
            Self::Invited(invited) => invited.confirming.next_timeout(),
            Self::Calling(_) => None,
        }
    }
}

impl Open {
    fn next_timeout(&self) -> Option<Instant> {
        let answers = self.unacknowledged.iter();
        let answers = answers.map(|answer| answer.again_at.min(answer.give_up_at));
        let pause = match self.change {
            Change::Pausing(until) => Some(until),
            Change::None | Change::Sent => None,
        };
        let session = self.session.next_timeout().filter(|_| !self.hung_up);
        answers.chain(pause).chain(session).min()
    }

    /// The 2xx that are due to be sent again; the pause doubles up to T2.
    fn repeat_answers(&mut self, now: Instant) -> Vec<(Peer, Bytes)> {
        let due = self
            .unacknowledged
            .iter_mut()
            .filter(|answer| answer.again_at <= now);
        due.map(|answer| {
            answer.period = answer.period.saturating_mul(2).min(answer.period_max);
            answer.again_at = now + answer.period;
            (answer.to, answer.bytes.clone())
        })
        .collect()
    }

    /// A call that waits for nothing but the ACK of its first answer needs no refresh.
    fn session_timeout(&mut self, now: Instant) -> Due {
        if self.hung_up {
            return Due::Nothing;
        }
        self.session.timeout(now)
    }

    fn end_pause(&mut self, now: Instant) -> bool {
        let is_over = matches!(self.change, Change::Pausing(until) if until <= now);
        if is_over {
            self.change = Change::None;
        }
        is_over
    }
}
