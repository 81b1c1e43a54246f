use std::time::Instant;

use housecall_media::sdp::{Answer, Description, Direction, MediaTarget};
use housecall_sip::user_agent::{Body, Event as AgentEvent, Reply};
use housecall_sip::{Message, Method, StatusCode};

use super::line::Line;
use super::{Ended, Event, Happening, State, WrongMoment};
use crate::Outcome;

/// Somebody has answered.
#[derive(Debug)]
pub(super) struct Talking {
    target: MediaTarget,
    held: Held,
    /// A hold or resume of ours that is not confirmed yet.
    asked: Option<Asked>,
    /// Our 2xx to a re-INVITE without an offer made the offer; its ACK brings the answer.
    offered_in_answer: Option<Direction>,
}

/// Whether we hold the other side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Held {
    Not,
    ByUs,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    held: Held,
    offered: Direction,
}

impl Talking {
    pub(super) fn new(target: MediaTarget) -> Self {
        Self {
            target,
            held: Held::Not,
            asked: None,
            offered_in_answer: None,
        }
    }

    pub(super) fn handle(mut self, now: Instant, happening: Happening, line: &mut Line) -> State {
        match happening {
            Happening::HangUp => return State::hang_up(now, Outcome::Completed, line),
            Happening::MediaLost => return State::hang_up(now, Outcome::MediaLost, line),
            Happening::RangTooLong | Happening::Heard { .. } | Happening::Silent => {}
            Happening::Agent(AgentEvent::Ended { end, .. }) => {
                return State::end(Ended::answered(&end), line);
            }
            Happening::Agent(event) => self.heard(now, event, line),
        }
        State::Talking(self)
    }

    /// Asks for hold or its end with a re-INVITE (RFC 3264 §8.4).
    pub(super) fn ask(
        &mut self,
        now: Instant,
        action: &'static str,
        held: bool,
        line: &mut Line,
    ) -> Result<(), WrongMoment> {
        let wrong = |state| WrongMoment { action, state };
        let held = if held { Held::ByUs } else { Held::Not };
        match self.held {
            _ if self.asked.is_some() => return Err(wrong("a change is on its way")),
            Held::ByUs if held == Held::ByUs => return Err(wrong("the call is held")),
            Held::Not if held == Held::Not => return Err(wrong("the call is not held")),
            Held::ByUs | Held::Not => {}
        }
        self.offer(now, held, line)
            .map_err(|refused| wrong(refused.state))
    }

    fn offer(
        &mut self,
        now: Instant,
        held: Held,
        line: &mut Line,
    ) -> Result<(), housecall_sip::user_agent::WrongMoment> {
        let offered = self.wanted(held);
        // A copy, so that an offer that cannot be sent raises no version.
        let mut audio = line.attempt.audio.clone();
        let body = Body::sdp(audio.offer(offered));
        line.attempt.agent.reinvite(now, line.attempt.call, body)?;
        line.attempt.audio = audio;
        self.asked = Some(Asked { held, offered });
        Ok(())
    }

    /// The direction to offer: hold makes `sendrecv` into `sendonly`, and `recvonly`, while the other side holds us, into `inactive`.
    fn wanted(&self, held: Held) -> Direction {
        let held_by_them = !self.target.direction.sends();
        match held {
            Held::Not => Direction::SendRecv,
            Held::ByUs if held_by_them => Direction::Inactive,
            Held::ByUs => Direction::SendOnly,
        }
    }

    fn heard(&mut self, now: Instant, event: AgentEvent, line: &mut Line) {
        match event {
            AgentEvent::ReinviteAnswered { message, .. } => self.confirmed(&message, line),
            AgentEvent::ReinviteRefused { .. } => {
                self.asked = None;
                line.tell(Event::HoldRefused);
            }
            AgentEvent::ReinviteAgain { .. } => self.ask_again(now, line),
            AgentEvent::Reinvited { message, .. } => self.answer(now, &message, line),
            AgentEvent::Acknowledged { message, .. } => self.acknowledged(&message, line),
            _ => {}
        }
    }

    fn confirmed(&mut self, message: &Message, line: &mut Line) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        let Some(target) = line.agreed(message, asked.offered) else {
            return line.tell(Event::HoldRefused);
        };
        self.held = asked.held;
        self.moved(target, line);
        line.tell(match self.held {
            Held::ByUs => Event::Held,
            Held::Not => Event::Resumed,
        });
    }

    fn ask_again(&mut self, now: Instant, line: &mut Line) {
        if let Some(asked) = self.asked.take()
            && self.offer(now, asked.held, line).is_err()
        {
            line.tell(Event::HoldRefused);
        }
    }

    /// Answers a re-INVITE or UPDATE of the other side.
    fn answer(&mut self, now: Instant, request: &Message, line: &mut Line) {
        if request.body().is_empty() && request.method() == Some(&Method::Invite) {
            return self.offer_in_answer(now, line);
        }
        let ours = self.ours();
        let offer = Description::parse(request.body());
        match offer
            .ok()
            .and_then(|offer| line.attempt.audio.answer(&offer, ours).ok())
        {
            Some(Answer { sdp, target }) => {
                let reply = Reply::new(StatusCode::OK).with_body(Body::sdp(sdp));
                line.respond(now, reply);
                self.moved(target, line);
            }
            // RFC 3261 §14.2: what was agreed before stays.
            None => line.respond(now, Reply::new(StatusCode::NOT_ACCEPTABLE_HERE)),
        }
    }

    /// RFC 3261 §14.2: a re-INVITE without an offer asks for ours; the answer comes with the ACK.
    fn offer_in_answer(&mut self, now: Instant, line: &mut Line) {
        let ours = self.ours();
        let body = Body::sdp(line.attempt.audio.offer(ours));
        self.offered_in_answer = Some(ours);
        line.respond(now, Reply::new(StatusCode::OK).with_body(body));
    }

    fn acknowledged(&mut self, ack: &Message, line: &mut Line) {
        let offered = self.offered_in_answer.take();
        let target = offered.and_then(|offered| line.agreed(ack, offered));
        if let Some(target) = target {
            self.moved(target, line);
        }
    }

    /// What we want, whatever the other side does.
    fn ours(&self) -> Direction {
        match self.held {
            Held::Not => Direction::SendRecv,
            Held::ByUs => Direction::SendOnly,
        }
    }

    fn moved(&mut self, target: MediaTarget, line: &mut Line) {
        if target != self.target {
            self.target = target.clone();
            line.tell(Event::MediaChanged(target));
        }
    }
}
