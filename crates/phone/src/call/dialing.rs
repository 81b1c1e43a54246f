use std::time::Instant;

use housecall_media::sdp::{Direction, MediaTarget};
use housecall_sip::Message;
use housecall_sip::user_agent::Event as AgentEvent;

use super::line::Line;
use super::{Ended, Event, Happening, Ringing, State, Talking};
use crate::Outcome;

/// The INVITE is on its way; the network has said nothing of the called phone.
#[derive(Debug)]
pub(super) struct Dialing {
    pub(super) ring_until: Instant,
}

impl Dialing {
    pub(super) fn handle(self, now: Instant, happening: Happening, line: &mut Line) -> State {
        match happening {
            Happening::Agent(AgentEvent::Progress { message, .. }) => {
                let ringing = Ringing::new(self.ring_until);
                State::Ringing(ringing.progress(&message, line))
            }
            Happening::Agent(AgentEvent::Answered { message, .. }) => {
                answered(now, &message, None, line)
            }
            happening => unanswered(now, happening, line).unwrap_or(State::Dialing(self)),
        }
    }
}

/// Somebody has answered. Some networks put their answer to our offer into an early response only.
pub(super) fn answered(
    now: Instant,
    message: &Message,
    early: Option<MediaTarget>,
    line: &mut Line,
) -> State {
    let target = match message.body().is_empty() {
        true => early,
        false => line.agreed(message, Direction::SendRecv),
    };
    match target {
        Some(target) => {
            line.tell(Event::Answered(target.clone()));
            State::Talking(Talking::new(target))
        }
        // Nothing that either side says could be heard.
        None => State::hang_up(now, Outcome::Failed, line),
    }
}

/// The ends of a call that nobody has answered; none if it goes on.
pub(super) fn unanswered(now: Instant, happening: Happening, line: &mut Line) -> Option<State> {
    match happening {
        Happening::HangUp => Some(State::hang_up(now, Outcome::Cancelled, line)),
        Happening::RangTooLong => Some(State::hang_up(now, Outcome::NoAnswer, line)),
        Happening::Agent(AgentEvent::Ended { end, .. }) => {
            line.tell(Event::Ended(Ended::unanswered(&end)));
            Some(State::Ended)
        }
        // Nobody has promised us any sound yet.
        Happening::MediaLost | Happening::Agent(_) => None,
    }
}
