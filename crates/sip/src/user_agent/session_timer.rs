//! Session timers (RFC 4028): a call whose other side has vanished without a BYE is found out and ended.

use std::time::{Duration, Instant};

use crate::header::{MinSe, Reason, RefresherRole, SessionExpires};
use crate::{Message, Method, Name, StatusCode};

/// What we ask for and accept as a session timer (RFC 4028).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionTimer {
    /// The session interval we ask for. Refreshes go out after half of it.
    pub expires: Duration,
    /// The shortest interval we let the other side have; 90 s at least (RFC 4028 §5).
    pub min_se: Duration,
    /// Who shall refresh.
    pub refresher: Refresher,
}

/// Which side shall refresh a session. The other side decides in the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refresher {
    /// We do.
    Us,
    /// They do.
    Them,
    /// Whoever calls, if it can (RFC 4028 §7.1 recommends to leave it open).
    Either,
}

impl Default for SessionTimer {
    /// 1800 s as RFC 4028 §4 recommends, no less than 90 s, either side.
    fn default() -> Self {
        Self {
            expires: Duration::from_secs(1800),
            min_se: MinSe::DEFAULT.0,
            refresher: Refresher::Either,
        }
    }
}

/// The session timer of one call: what we want, what we have learned, and what runs.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// None: we do not ask for a timer. One that the other side sets up all the same is kept.
    wanted: Option<SessionTimer>,
    /// The longest Min-SE of the 422s we got (RFC 4028 §7.4); zero before.
    min_se: Duration,
    /// 422s answered with another try since the last 2xx.
    tries: u32,
    running: Option<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    interval: Duration,
    by_us: bool,
    /// When the next refresh is to be sent; none while one is on its way, or if the other side refreshes.
    refresh_at: Option<Instant>,
    /// When the call is given up unless a refresh comes first.
    give_up_at: Option<Instant>,
    /// Refreshes that failed since the last good one.
    failed: u32,
}

/// What a session timer that has fired asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Due {
    Nothing,
    Refresh,
    Expired,
}

/// Headers by name and value.
pub(super) type Headers = Vec<(String, String)>;

impl Session {
    /// The token of this extension in Supported and Require.
    pub(super) const TIMER: &'static str = "timer";
    /// Tries that a request gets at most after its first: each proxy on the way may want a longer interval than the one before it.
    const TRIES_MAX: u32 = 3;
    /// Refreshes that may fail in a row before the session is left to expire.
    const FAILED_MAX: u32 = 2;
    /// The pause before a refresh that failed, or did not fit the moment, is tried again.
    const PAUSE: Duration = Duration::from_secs(2);

    pub(super) fn new(wanted: Option<SessionTimer>) -> Self {
        Self {
            wanted,
            min_se: Duration::ZERO,
            tries: 0,
            running: None,
        }
    }

    /// What an INVITE or UPDATE of ours says about the timer (RFC 4028 §7.1, §7.4).
    pub(super) fn ask(&self) -> Headers {
        let role = self.role();
        let interval = match (&self.running, self.wanted) {
            (Some(running), _) => running.interval,
            (None, Some(wanted)) => wanted.expires,
            (None, None) => return Vec::new(),
        };
        let least = self.least();
        let expires = SessionExpires {
            interval: interval.max(least),
            refresher: role,
        };
        let mut headers = vec![
            header(Name::Supported, Self::TIMER),
            header(Name::SessionExpires, expires),
        ];
        if least > MinSe::DEFAULT.0 {
            headers.push(header(Name::MinSe, MinSe(least)));
        }
        headers
    }

    /// Who refreshes, in a request of ours: as it is, or as we want it.
    fn role(&self) -> Option<RefresherRole> {
        let by_us = match (&self.running, self.wanted.map(|wanted| wanted.refresher)) {
            (Some(running), _) => running.by_us,
            (None, Some(Refresher::Us)) => true,
            (None, Some(Refresher::Them)) => false,
            (None, _) => return None,
        };
        Some(match by_us {
            true => RefresherRole::Uac,
            false => RefresherRole::Uas,
        })
    }

    fn least(&self) -> Duration {
        let wanted = self.wanted.map_or(Duration::ZERO, |wanted| wanted.min_se);
        self.min_se.max(wanted).max(MinSe::DEFAULT.0)
    }

    /// Takes a 422 to a request of ours; whether to ask again, with the interval it wants (RFC 4028 §7.3).
    pub(super) fn too_small(&mut self, refusal: &Message) -> bool {
        let Ok(Some(MinSe(min_se))) = refusal.min_se() else {
            return false;
        };
        let is_more = min_se > self.least();
        self.min_se = self.min_se.max(min_se);
        self.tries = self.tries.saturating_add(1);
        is_more && self.tries <= Self::TRIES_MAX
    }

    /// Takes the 2xx to an INVITE or UPDATE of ours: it has the last word (RFC 4028 §7.2).
    pub(super) fn granted(&mut self, now: Instant, response: &Message) {
        self.tries = 0;
        // Without the header there is no timer, or none any longer.
        let Ok(Some(expires)) = response.session_expires() else {
            self.running = None;
            return;
        };
        // A 2xx must name the refresher; if it does not, two are better than none.
        let by_us = expires.refresher != Some(RefresherRole::Uas);
        self.run(now, expires.interval, by_us);
    }

    /// The Min-SE that a request of theirs is refused with, if its interval is too short (RFC 4028 §9).
    ///
    /// Only for those who understand a 422; what a proxy wrote into the request of others they cannot change.
    pub(super) fn objection(wanted: Option<SessionTimer>, request: &Message) -> Option<MinSe> {
        let least = wanted?.min_se.max(MinSe::DEFAULT.0);
        let expires = request.session_expires().ok()??;
        (expires.interval < least && knows_timers(request)).then_some(MinSe(least))
    }

    /// Settles the timer as the answerer of their INVITE or UPDATE; what our 2xx says about it (RFC 4028 §9).
    pub(super) fn grant(&mut self, now: Instant, request: &Message) -> Headers {
        let Some(wanted) = self.wanted else {
            self.running = None;
            return Vec::new();
        };
        let interval = self.interval_for(wanted, request);
        let by_us = self.refreshes_after(wanted, request);
        self.run(now, interval, by_us);
        let role = match by_us {
            true => RefresherRole::Uas,
            false => RefresherRole::Uac,
        };
        let expires = SessionExpires {
            interval,
            refresher: Some(role),
        };
        let mut headers = vec![
            header(Name::Supported, Self::TIMER),
            header(Name::SessionExpires, expires),
        ];
        if knows_timers(request) {
            headers.push(header(Name::Require, Self::TIMER));
        }
        headers
    }

    /// The interval they ask for, shortened to ours, but never below their Min-SE; ours if they ask for none.
    fn interval_for(&self, wanted: SessionTimer, request: &Message) -> Duration {
        let min_se = request.min_se().ok().flatten().unwrap_or(MinSe::DEFAULT).0;
        let least = min_se.max(MinSe::DEFAULT.0);
        let ours = self
            .running
            .as_ref()
            .map_or(wanted.expires, |running| running.interval);
        match request.session_expires() {
            Ok(Some(expires)) => wanted.expires.max(least).min(expires.interval),
            Ok(None) | Err(_) => ours.max(least),
        }
    }

    /// Whether we refresh after our 2xx to `request` (RFC 4028 §9, table 2).
    fn refreshes_after(&self, wanted: SessionTimer, request: &Message) -> bool {
        let asked = request.session_expires().ok().flatten();
        let running = self.running.as_ref().map(|running| running.by_us);
        match asked.and_then(|expires| expires.refresher) {
            _ if !knows_timers(request) => true,
            Some(RefresherRole::Uac) => false,
            Some(RefresherRole::Uas) => true,
            None => running.unwrap_or(wanted.refresher == Refresher::Us),
        }
    }

    /// Starts the timer, or starts it again (RFC 4028 §10).
    fn run(&mut self, now: Instant, interval: Duration, by_us: bool) {
        // Shorter is against §5, and would have us send without pause.
        let interval = interval.max(MinSe::DEFAULT.0);
        // §10: before the end by 32 s, or by a third of the interval where that is less.
        let early = Duration::from_secs(32).min(interval / 3);
        self.running = Some(Running {
            interval,
            by_us,
            refresh_at: by_us.then(|| now.checked_add(interval / 2)).flatten(),
            give_up_at: now.checked_add(interval.saturating_sub(early)),
            failed: 0,
        });
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let running = self.running.as_ref()?;
        running
            .refresh_at
            .into_iter()
            .chain(running.give_up_at)
            .min()
    }

    /// Fires what is due.
    pub(super) fn timeout(&mut self, now: Instant) -> Due {
        let Some(running) = &mut self.running else {
            return Due::Nothing;
        };
        if running.give_up_at.is_some_and(|at| at <= now) {
            return Due::Expired;
        }
        match running.refresh_at.take_if(|at| *at <= now) {
            Some(_) => Due::Refresh,
            None => Due::Nothing,
        }
    }

    /// The refresh that was due does not fit the moment.
    pub(super) fn postpone(&mut self, now: Instant) {
        if let Some(running) = &mut self.running {
            running.refresh_at = now.checked_add(Self::PAUSE);
        }
    }

    /// A refresh failed with what does not end the call. It is tried once more, then the session expires (RFC 4028 §7.3, §10).
    pub(super) fn failed(&mut self, now: Instant, pause: Duration) {
        // Where the next is set, it was no refresh that failed, but a change of the user's between two.
        let is_due = |running: &&mut Running| running.by_us && running.refresh_at.is_none();
        let Some(running) = self.running.as_mut().filter(is_due) else {
            return;
        };
        running.failed = running.failed.saturating_add(1);
        if running.failed < Self::FAILED_MAX {
            running.refresh_at = now.checked_add(pause.max(Self::PAUSE));
        }
    }
}

fn knows_timers(request: &Message) -> bool {
    [Name::Supported, Name::Require]
        .into_iter()
        .any(|name| request.lists(name, Session::TIMER))
}

/// Whether a request may carry a session timer (RFC 4028 §4).
pub(super) fn refreshes(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update)
}

/// Whether a response says that our interval is too short.
pub(super) fn is_too_small(status: StatusCode) -> bool {
    status == StatusCode::SESSION_INTERVAL_TOO_SMALL
}

/// What the BYE of an expired session says (RFC 3326).
pub(super) fn reason() -> Reason {
    Reason {
        text: Some("session expired".to_owned()),
        ..Reason::new("SIP", StatusCode::REQUEST_TIMEOUT.code())
    }
}

fn header(name: Name<'static>, value: impl ToString) -> (String, String) {
    (name.as_str().to_owned(), value.to_string())
}
