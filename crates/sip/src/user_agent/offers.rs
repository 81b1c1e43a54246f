//! Our requests inside an answered call that change or refresh the session: re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311).

use std::time::{Duration, Instant};

use rand::RngExt;

use super::call::{Call, Change, Open, Refresh};
use super::sending::{Outgoing, Sent, SentKey};
use super::session_timer::{self, Session};
use super::{Body, CallHandle, End, Event, UserAgent, WrongMoment};
use crate::dialog::Dialog;
use crate::{Message, Method, StatusCode};

/// What a request inside the call was for, as far as its answer matters to anybody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// It makes an offer, or asks for one.
    Change,
    /// An UPDATE without a body: only the session timer and the target are refreshed.
    Refresh,
}

impl Purpose {
    pub(super) fn of(what: &Outgoing) -> Option<Self> {
        let request = &what.request;
        match request.method {
            _ if !request.in_dialog => None,
            Method::Invite => Some(Self::Change),
            Method::Update if request.body.is_some() => Some(Self::Change),
            Method::Update => Some(Self::Refresh),
            _ => None,
        }
    }
}

impl UserAgent {
    /// Offers something new inside an answered call: sends a re-INVITE. The answer comes as an event.
    ///
    /// # Errors
    /// The call is not answered, another offer of either side is open, or our last answer lacks its ACK.
    pub fn reinvite(
        &mut self,
        now: Instant,
        call: CallHandle,
        body: Body,
    ) -> Result<(), WrongMoment> {
        let action = "send a re-INVITE";
        let open = self.open(call, action)?;
        open.may_offer(action)?;
        self.offer(now, call, Method::Invite, body);
        Ok(())
    }

    /// Sends an UPDATE: with a body it is an offer like a re-INVITE, without one it refreshes the session (RFC 3311, RFC 4028 §7.4).
    ///
    /// The answer comes as an event, the same as for a re-INVITE.
    ///
    /// # Errors
    /// The call is not answered, the other side takes no UPDATE, or, with a body, there is an open offer as for a re-INVITE.
    pub fn update(
        &mut self,
        now: Instant,
        call: CallHandle,
        body: Option<Body>,
    ) -> Result<(), WrongMoment> {
        let action = "send an UPDATE";
        let open = self.open(call, action)?;
        if !open.dialog.allows_update() {
            let state = "the other side takes no UPDATE";
            return Err(WrongMoment { action, state });
        }
        match body {
            Some(body) => {
                open.may_offer(action)?;
                self.offer(now, call, Method::Update, body);
            }
            None => self.refresh(now, call, true),
        }
        Ok(())
    }

    fn offer(&mut self, now: Instant, call: CallHandle, method: Method, body: Body) {
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        let mut request = open.dialog.request(method);
        request.headers = open.session.ask();
        request.body = Some(body);
        open.change = Change::Sent;
        let what = open.carry(request, call);
        self.send(now, what);
    }

    /// Sends an UPDATE without a body, unless one is on its way; `is_told` if the user wants to hear of its answer.
    fn refresh(&mut self, now: Instant, call: CallHandle, is_told: bool) {
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        if let Refresh::Sent { is_told: told } = &mut open.refresh {
            *told |= is_told;
            return;
        }
        let mut request = open.dialog.request(Method::Update);
        request.headers = open.session.ask();
        open.refresh = Refresh::Sent { is_told };
        let what = open.carry(request, call);
        self.send(now, what);
    }

    /// The session is to be refreshed: by ourselves if an UPDATE will do, else by the user, whose description it takes (RFC 4028 §7.4).
    pub(super) fn refresh_session(&mut self, now: Instant, call: CallHandle) {
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        // Any offer that is open refreshes the session itself when it is answered.
        if open.may_offer("refresh").is_err() {
            return open.session.postpone(now);
        }
        if open.dialog.allows_update() {
            self.refresh(now, call, false);
        } else {
            self.tell(Event::RefreshWanted { call });
        }
    }

    /// Our request was granted.
    pub(super) fn change_granted(&mut self, now: Instant, key: &SentKey, message: &Message) {
        let Some(Sent { what, .. }) = self.sent.get(key) else {
            return;
        };
        let what = what.clone();
        let mut dialog = None;
        if let (Some(call), Some(purpose)) = (what.call(), Purpose::of(&what))
            && let Some(Call::Open(open)) = self.calls.get_mut(&call)
        {
            // Only the target may change in a dialog, never the route (RFC 3261 §12.2).
            open.dialog.refresh_target(message);
            open.session.granted(now, message);
            let is_told = open.finish(purpose);
            dialog = Some(open.dialog.clone());
            if is_told {
                let message = message.clone();
                self.tell(Event::ReinviteAnswered { call, message });
            }
        }
        if what.request.method == Method::Invite {
            // The call may be over by now; its 2xx is acknowledged all the same (RFC 3261 §13.2.2.4).
            let stray = || Dialog::of_caller(&what.request, message, what.to);
            self.acknowledge(key, &what, &dialog.unwrap_or_else(stray), message);
        }
    }

    /// Our request was refused, and not for want of credentials.
    pub(super) fn change_refused(
        &mut self,
        now: Instant,
        call: CallHandle,
        purpose: Purpose,
        message: &Message,
    ) {
        let Some(status) = message.status() else {
            return;
        };
        let Some(Call::Open(open)) = self.calls.get(&call) else {
            return;
        };
        let by_us = open.by_us;
        match status {
            // RFC 3261 §12.2.1.2, RFC 4028 §7.3: the other side knows the dialog no longer.
            StatusCode::REQUEST_TIMEOUT | StatusCode::CALL_DOES_NOT_EXIST => {
                self.give_up(now, call, End::Forgotten);
            }
            StatusCode::REQUEST_PENDING => {
                let pause = self.glare_pause(by_us);
                self.pause(now, call, purpose, pause);
            }
            StatusCode::SERVER_INTERNAL_ERROR if let Some(pause) = overlap_pause(message) => {
                self.pause(now, call, purpose, pause);
            }
            status => self.change_failed(now, call, purpose, status),
        }
    }

    /// It met one of theirs: again after `pause`.
    fn pause(&mut self, now: Instant, call: CallHandle, purpose: Purpose, pause: Duration) {
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        match purpose {
            Purpose::Change => open.change = Change::Pausing(now + pause),
            Purpose::Refresh => self.refresh_failed(now, call, StatusCode::REQUEST_PENDING, pause),
        }
    }

    /// The call goes on as before; a refresh is tried again.
    pub(super) fn change_failed(
        &mut self,
        now: Instant,
        call: CallHandle,
        purpose: Purpose,
        status: StatusCode,
    ) {
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        match purpose {
            Purpose::Change => {
                open.finish(purpose);
                open.session.failed(now, Duration::ZERO);
                self.tell(Event::ReinviteRefused { call, status });
            }
            Purpose::Refresh => self.refresh_failed(now, call, status, Duration::ZERO),
        }
    }

    /// An UPDATE without a body was refused: once more later, or by re-INVITE if it is the method that is not understood.
    fn refresh_failed(
        &mut self,
        now: Instant,
        call: CallHandle,
        status: StatusCode,
        pause: Duration,
    ) {
        let Some(Call::Open(open)) = self.calls.get_mut(&call) else {
            return;
        };
        let is_told = open.finish(Purpose::Refresh);
        open.session.failed(now, pause);
        if matches!(
            status,
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
        ) {
            open.dialog.takes_no_update();
        }
        if is_told {
            self.tell(Event::ReinviteRefused { call, status });
        }
    }

    /// Sends a request again whose session interval was too small, with the one that the 422 names (RFC 4028 §7.3).
    pub(super) fn ask_longer(&mut self, now: Instant, key: &SentKey, refusal: &Message) -> bool {
        let Some(Sent { what, .. }) = self.sent.get(key) else {
            return false;
        };
        let mut what = what.clone();
        what.tries = 0;
        let call = what.call().and_then(|call| self.calls.get_mut(&call));
        let Some(session) = call.and_then(Call::session) else {
            return false;
        };
        if !session_timer::refreshes(&what.request.method) || !session.too_small(refusal) {
            return false;
        }
        let headers = session.ask();
        self.send_again(now, what, headers)
    }

    /// How long to wait after a glare, in steps of 10 ms (RFC 3261 §14.1): the side that owns the Call-ID waits longer.
    fn glare_pause(&mut self, owns_call_id: bool) -> Duration {
        let steps = if owns_call_id { 210..=400 } else { 0..=200 };
        Duration::from_millis(10 * self.random.random_range::<u64, _>(steps))
    }
}

/// The pause that the 500 to an overlapping offer asks for: 0 to 10 s (RFC 3261 §14.2). Any other 500 is a refusal.
fn overlap_pause(message: &Message) -> Option<Duration> {
    let pause = message.retry_after().ok()??.after;
    (pause <= Duration::from_secs(10)).then_some(pause)
}

impl Open {
    /// RFC 3261 §14.1: one offer at a time, in either direction, and each until its ACK.
    fn may_offer(&self, action: &'static str) -> Result<(), WrongMoment> {
        let busy = |state| Err(WrongMoment { action, state });
        match (&self.change, &self.offered) {
            (Change::Sent, _) => busy("another re-INVITE is open"),
            (_, Some(_)) => busy("an offer of the other side is open"),
            _ if !self.unacknowledged.is_empty() => busy("our answer is not acknowledged"),
            (Change::None | Change::Pausing(_), None) => Ok(()),
        }
    }

    /// The request for `purpose` is done with; whether the user wants to know.
    fn finish(&mut self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Change => {
                self.change = Change::None;
                true
            }
            Purpose::Refresh => {
                let done = std::mem::replace(&mut self.refresh, Refresh::None);
                matches!(done, Refresh::Sent { is_told: true })
            }
        }
    }
}

impl Call {
    fn session(&mut self) -> Option<&mut Session> {
        match self {
            Self::Calling(calling) => Some(&mut calling.session),
            Self::Invited(_) => None,
            Self::Open(open) => Some(&mut open.session),
        }
    }
}
