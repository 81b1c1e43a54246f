use std::time::{Duration, Instant};

use housecall::sip::Peer;
use housecall::softphone::{
    Ended, Event, MediaTarget, Noted, RouteFailure, Side, SoftEvent, Sound, Traced, Way,
};
use housecall::{Outcome, TrunkSetup};

use super::super::sign_in::SignIn;
use super::super::step::Step;
use super::super::text::clean;
use super::super::words::{introduction, reply};
use super::{FAREWELL, words};

/// Messages of the beginning of a call that are kept.
const TRACE_MAX: usize = 64;

/// One call, from the INVITE to its end: makes steps of what happens to it.
pub(super) struct Course<'a> {
    setup: &'a TrunkSetup,
    peers: &'a [Peer],
    listen: Duration,
    /// The INVITE and what came of it, until somebody answers.
    trace: Vec<Traced>,
    is_dialed: bool,
    is_signed_in: bool,
    answered: Option<Answered>,
    /// Whether the sound has been judged.
    is_heard: bool,
    ended: Option<(Ended, Instant)>,
    /// When our BYE or CANCEL was first sent, since the call was dialled.
    left_at: Option<Duration>,
    /// The answer to it, and how long that took.
    farewell: Option<(String, Duration)>,
    /// Why the last way was given up.
    failed: Option<(Peer, RouteFailure)>,
    is_over: bool,
}

/// Somebody has answered.
#[derive(Clone, Copy)]
struct Answered {
    /// Since the call was dialled.
    at: Duration,
    /// Until when is listened.
    until: Instant,
}

impl<'a> Course<'a> {
    pub(super) fn new(setup: &'a TrunkSetup, peers: &'a [Peer], listen: Duration) -> Self {
        Self {
            setup,
            peers,
            listen,
            trace: Vec::new(),
            is_dialed: false,
            is_signed_in: false,
            answered: None,
            is_heard: false,
            ended: None,
            left_at: None,
            farewell: None,
            failed: None,
            is_over: false,
        }
    }

    /// Whether nothing is waited for any more.
    pub(super) fn is_done(&self) -> bool {
        self.is_over
    }

    /// When [`Course::time_is_over`] is to be said.
    pub(super) fn wake(&self) -> Option<Instant> {
        match (&self.ended, self.answered) {
            (Some((_, until)), _) => Some(*until),
            (None, Some(answered)) => Some(answered.until),
            (None, None) => None,
        }
    }

    /// Enough has been heard: hang up. Or the other side says no goodbye.
    pub(super) fn time_is_over(&mut self, sound: &Sound) -> Vec<Step> {
        self.is_over = self.ended.is_some();
        self.judge(self.listen, sound)
    }

    pub(super) fn take(&mut self, noted: &Noted, sound: &Sound) -> Vec<Step> {
        match &noted.what {
            SoftEvent::Sip(message) => self.message(noted.at, message),
            SoftEvent::Phone(event) => self.event(noted.at, event, sound),
            SoftEvent::Heard(_) | SoftEvent::WrongMoment(_) => Vec::new(),
        }
    }

    fn message(&mut self, at: Duration, message: &Traced) -> Vec<Step> {
        let about = message.header("CSeq").unwrap_or_default();
        let is_received = message.way == Way::Received;
        if about.ends_with("INVITE") && self.answered.is_none() && self.trace.len() < TRACE_MAX {
            self.trace.push(message.clone());
        }
        let is_farewell = about.ends_with("BYE") || about.ends_with("CANCEL");
        if is_farewell && message.way == Way::Sent && message.status().is_none() {
            self.left_at.get_or_insert(at);
        }
        let status = message.status().filter(|_| is_received);
        match status {
            Some(100..=199) if !self.is_dialed => {
                self.is_dialed = true;
                let step = Step::ok("dial", introduction(message)).took(at);
                self.sign_in().into_iter().chain([step]).collect()
            }
            Some(200..) if is_farewell => {
                let took = at.saturating_sub(self.left_at.unwrap_or(at));
                self.farewell = Some((reply(message), took));
                self.is_over = self.ended.is_some();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn event(&mut self, at: Duration, event: &Event, sound: &Sound) -> Vec<Step> {
        let step = match event {
            Event::Ringing => Some(Step::ok("ring", self.last_said()).took(at)),
            Event::EarlyMedia(_) => {
                let said = format!("{}, with sound before the answer", self.last_said());
                Some(Step::ok("ring", said).took(at))
            }
            Event::Answered(target) => Some(self.answer(at, target)),
            Event::EncryptionRefused => Some(words::not_encrypted()),
            Event::Redirected { to } => {
                Some(Step::ok("dial", format!("the trunk leads us on to {to}")))
            }
            Event::RouteFailed { route, why } => self.route_failed(*route, *why),
            Event::Ended(ended) => return self.over(at, ended, sound),
            _ => None,
        };
        let sign_in = step.is_some().then(|| self.sign_in()).flatten();
        sign_in.into_iter().chain(step).collect()
    }

    /// A way that leads nowhere gives way to the next; the last one is in the end of the call.
    fn route_failed(&mut self, route: usize, why: RouteFailure) -> Option<Step> {
        let peer = *self.peers.get(route)?;
        self.failed = Some((peer, why));
        let is_last = route + 1 == self.peers.len();
        (!is_last).then(|| words::route_failed(peer, why))
    }

    fn answer(&mut self, at: Duration, target: &MediaTarget) -> Step {
        let until = Instant::now() + self.listen;
        self.answered = Some(Answered { at, until });
        let transport = self.trace.last().map(|message| message.peer.transport);
        words::answered(&self.last_said(), target, self.setup, transport).took(at)
    }

    /// What was proved to the trunk; once.
    fn sign_in(&mut self) -> Option<Step> {
        let sign_in = self.proved();
        if self.is_signed_in || !matches!(sign_in, SignIn::Answered { .. }) {
            return None;
        }
        self.is_signed_in = true;
        Some(Step::ok("sign in", sign_in.said()?))
    }

    fn proved(&self) -> SignIn {
        SignIn::of(&self.trace, self.setup.trunk.credentials.as_ref())
    }

    /// The last response.
    fn last_said(&self) -> String {
        let mut heard = self.trace.iter().rev();
        let last = heard.find(|message| message.way == Way::Received);
        last.map(reply).unwrap_or_default()
    }

    fn judge(&mut self, listened: Duration, sound: &Sound) -> Vec<Step> {
        if self.is_heard || self.answered.is_none() {
            return Vec::new();
        }
        self.is_heard = true;
        vec![words::sound(sound, listened)]
    }

    fn over(&mut self, at: Duration, ended: &Ended, sound: &Sound) -> Vec<Step> {
        let listened = self.answered.map(|answered| at.saturating_sub(answered.at));
        let mut steps = self.judge(listened.unwrap_or_default(), sound);
        // Whoever hangs up on us has said goodbye.
        self.is_over = ended.by == Side::Them || !self.is_dialed;
        self.ended = Some((ended.clone(), Instant::now() + FAREWELL));
        match (listened, ended.by) {
            (Some(listened), Side::Them) => steps.push(words::ended_by_them(ended, listened)),
            (Some(_), Side::Us) => {}
            (None, _) => steps.push(self.unanswered(ended).took(at)),
        }
        steps
    }

    fn unanswered(&self, ended: &Ended) -> Step {
        let said = match (ended.cause.is_empty(), self.failed) {
            (true, Some((peer, why))) => words::route_said(peer, why),
            (true, None) => ended.words.to_owned(),
            (false, _) => clean(&ended.cause.to_string()),
        };
        let advice = match (self.failed, ended.outcome) {
            (Some((peer, why)), _) if ended.cause.is_empty() => words::route_advice(peer, why),
            (_, outcome) => words::outcome(outcome, ended.cause.status, &self.proved()),
        };
        match ended.outcome {
            Outcome::Cancelled => Step::skipped("dial", "interrupted; the call is cancelled"),
            _ => Step::failed("dial", said, advice),
        }
    }

    /// How we said goodbye, if we did.
    pub(super) fn end(&self) -> Option<Step> {
        let (ended, _) = self.ended.as_ref()?;
        let by_us = self.answered.is_some() && ended.by == Side::Us;
        by_us.then(|| match &self.farewell {
            Some((said, took)) => {
                Step::ok("hang up", format!("{}; {said}", ended.words)).took(*took)
            }
            None => words::no_farewell(),
        })
    }
}
