use std::time::Instant;

use housecall_media::sdp::Direction;
use housecall_sip::user_agent::{End, Event as AgentEvent, Reply};
use housecall_sip::{Message, StatusCode};

use super::forks::{Forks, tag_of};
use super::line::Line;
use super::{Ended, Event, Happening, Ringing, RouteFailure, State, Talking};
use crate::Outcome;

/// The INVITE is on its way; the network has said nothing of the called phone.
#[derive(Debug)]
pub(super) struct Dialing {
    pub(super) ring_until: Instant,
    /// When the INVITE now on its way was sent.
    asked_at: Instant,
    /// When the trunk is given up if nothing at all is heard of it.
    pub(super) silent_until: Option<Instant>,
    /// The CSeq of the last INVITE that was challenged.
    challenged: u32,
}

impl Dialing {
    pub(super) fn new(now: Instant, line: &Line) -> Self {
        Self {
            ring_until: now + line.dial.ring_limit,
            asked_at: now,
            silent_until: line.silent_until(now),
            challenged: 0,
        }
    }

    pub(super) fn handle(mut self, now: Instant, happening: Happening, line: &mut Line) -> State {
        match happening {
            Happening::Heard { status, cseq } => {
                self.heard(now, status, cseq, line);
                State::Dialing(self)
            }
            Happening::Silent => self.silent(now, line),
            Happening::Agent(AgentEvent::Progress { message, .. }) => {
                let ringing = Ringing::new(self.ring_until);
                State::Ringing(ringing.progress(&message, line))
            }
            Happening::Agent(AgentEvent::Answered { message, .. }) => {
                answered(now, &message, &Forks::default(), line)
            }
            Happening::Agent(AgentEvent::Ended { end, .. }) => {
                self.waited(now, line);
                failed(now, &end, line)
            }
            happening => unanswered(now, happening, line).unwrap_or(State::Dialing(self)),
        }
    }

    /// A response came. After a challenge the INVITE is on its way once more, and silence counts anew; a 100 that the challenge has
    /// overtaken breaks it no longer.
    fn heard(&mut self, now: Instant, status: u16, cseq: u32, line: &mut Line) {
        match status {
            100..=199 if cseq > self.challenged => self.silent_until = None,
            401 | 407 if cseq > self.challenged => {
                self.challenged = cseq;
                self.waited(now, line);
                self.asked_at = now;
                self.silent_until = line.silent_until(now);
            }
            _ => {}
        }
    }

    /// Counts the time that nothing was heard: all trunks share what there is of it.
    fn waited(&self, now: Instant, line: &mut Line) {
        if self.silent_until.is_some() {
            let waited = now.saturating_duration_since(self.asked_at);
            line.silence_left = line.silence_left.saturating_sub(waited);
        }
    }

    /// The trunk says nothing. If it wakes up later, its call is cancelled.
    fn silent(self, now: Instant, line: &mut Line) -> State {
        self.waited(now, line);
        line.hang_up(now);
        let next = line.next_route(now, RouteFailure::Silence);
        next.unwrap_or_else(|| ended(&End::Unanswered, line))
    }
}

/// An attempt that nobody heard ring has ended: the next route is tried where it was the trunk's fault.
pub(super) fn failed(now: Instant, end: &End, line: &mut Line) -> State {
    let again = line.without_srtp(now, end);
    if let Some(state) = again.or_else(|| line.redirected(now, end)) {
        return state;
    }
    let failure = line.trunk().and_then(|trunk| RouteFailure::of(end, trunk));
    let next = failure.and_then(|why| line.next_route(now, why));
    next.unwrap_or_else(|| ended(end, line))
}

/// Somebody has answered. Some networks put their answer to our offer into an early response only.
pub(super) fn answered(now: Instant, message: &Message, early: &Forks, line: &mut Line) -> State {
    let tag = tag_of(message.to());
    let target = early.settled(&tag).or_else(|| match message.sdp_body() {
        None => early.said_before(&tag),
        Some(_) => line.agreed(message, Direction::SendRecv),
    });
    match target {
        Some(target) => {
            line.tell(Event::Answered(target.clone()));
            State::Talking(Talking::new(target))
        }
        // Nothing that either side says could be heard, or anybody on the way could hear it.
        None => line
            .answered_without_srtp(now, message)
            .unwrap_or_else(|| State::hang_up(now, Outcome::NoCommonSound, line)),
    }
}

fn ended(end: &End, line: &mut Line) -> State {
    let ended = Ended::unanswered(end, &line.overrides());
    State::end(ended, line)
}

/// The ends of a call that nobody has answered; none if it goes on.
pub(super) fn unanswered(now: Instant, happening: Happening, line: &mut Line) -> Option<State> {
    match happening {
        Happening::HangUp => Some(State::hang_up(now, Outcome::Cancelled, line)),
        Happening::RangTooLong => Some(State::hang_up(now, Outcome::NoAnswer, line)),
        Happening::Agent(AgentEvent::Ended { end, .. }) => {
            // A phone that rang in vain may be redirected as well.
            let redirected = line.redirected(now, &end);
            Some(redirected.unwrap_or_else(|| ended(&end, line)))
        }
        Happening::Agent(AgentEvent::Reinvited { .. }) => {
            // Nobody has answered our offer, so that there is nothing to change.
            line.respond(now, Reply::new(StatusCode::REQUEST_PENDING));
            None
        }
        // Nobody has promised us any sound yet.
        Happening::MediaLost
        | Happening::Heard { .. }
        | Happening::Silent
        | Happening::Agent(_) => None,
    }
}
