use std::time::Instant;

use housecall_media::sdp::{Direction, MediaTarget};
use housecall_sip::user_agent::Event as AgentEvent;
use housecall_sip::{Message, StatusCode};

use super::dialing::{answered, failed, unanswered};
use super::line::Line;
use super::{Event, Happening, State};

/// The network is at work on the called phone: it rings, or sends sound before the answer, or both.
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) ring_until: Instant,
    rings: bool,
    early: Option<MediaTarget>,
}

impl Ringing {
    pub(super) fn new(ring_until: Instant) -> Self {
        Self {
            ring_until,
            rings: false,
            early: None,
        }
    }

    pub(super) fn handle(self, now: Instant, happening: Happening, line: &mut Line) -> State {
        match happening {
            Happening::Agent(AgentEvent::Progress { message, .. }) => {
                State::Ringing(self.progress(&message, line))
            }
            Happening::Agent(AgentEvent::Answered { message, .. }) => {
                answered(now, &message, self.early, line)
            }
            Happening::Agent(AgentEvent::Ended { end, .. }) if !self.is_perceived() => {
                failed(now, &end, line)
            }
            happening => unanswered(now, happening, line).unwrap_or(State::Ringing(self)),
        }
    }

    /// Whether somebody may have heard something of this attempt: then no other route is tried, which would ring a second time.
    fn is_perceived(&self) -> bool {
        self.rings || self.early.is_some()
    }

    /// Takes a provisional response. 180 may come before or after early sound (RFC 3960): both are told, each once.
    pub(super) fn progress(mut self, message: &Message, line: &mut Line) -> Self {
        let rings = message.status() == Some(StatusCode::RINGING);
        if rings && !self.rings {
            self.rings = true;
            line.tell(Event::Ringing);
        }
        let early = line.agreed(message, Direction::SendRecv);
        if early.is_some() && early != self.early {
            self.early = early;
            line.outputs.extend(
                self.early
                    .clone()
                    .map(|target| super::Output::Event(Event::EarlyMedia(target))),
            );
        }
        self
    }
}
