use std::time::Instant;

use housecall_media::sdp::{Direction, MediaTarget};
use housecall_sip::user_agent::Event as AgentEvent;
use housecall_sip::{Message, StatusCode};

use super::dialing::{answered, failed, unanswered};
use super::forks::{Forks, tag_of};
use super::line::Line;
use super::{Event, Happening, State};

/// The network is at work on the called phone: it rings, or sends sound before the answer, or both.
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) ring_until: Instant,
    rings: bool,
    has_sounded: bool,
    forks: Forks,
}

impl Ringing {
    pub(super) fn new(ring_until: Instant) -> Self {
        Self {
            ring_until,
            rings: false,
            has_sounded: false,
            forks: Forks::default(),
        }
    }

    pub(super) fn handle(self, now: Instant, happening: Happening, line: &mut Line) -> State {
        match happening {
            Happening::Agent(AgentEvent::Progress { message, .. }) => {
                State::Ringing(self.progress(&message, line))
            }
            Happening::Agent(AgentEvent::Reinvited { message, .. }) => {
                State::Ringing(self.update(now, &message, line))
            }
            Happening::Agent(AgentEvent::Answered { message, .. }) => {
                answered(now, &message, &self.forks, line)
            }
            Happening::Agent(AgentEvent::Ended { end, .. }) if !self.is_perceived() => {
                failed(now, &end, line)
            }
            happening => unanswered(now, happening, line).unwrap_or(State::Ringing(self)),
        }
    }

    /// Whether somebody may have heard something of this attempt: then no other route is tried, which would ring a second time.
    fn is_perceived(&self) -> bool {
        self.rings || self.has_sounded
    }

    /// Takes a provisional response. 180 may come before or after early sound (RFC 3960): both are told, each once.
    pub(super) fn progress(mut self, message: &Message, line: &mut Line) -> Self {
        let rings = message.status() == Some(StatusCode::RINGING);
        if rings && !self.rings {
            self.rings = true;
            line.tell(Event::Ringing);
        }
        let tag = tag_of(message.to());
        let before = self.forks.heard().cloned();
        if message.status() == Some(StatusCode::EARLY_DIALOG_TERMINATED) {
            self.forks.ended(&tag);
        } else if let Some(target) = line.agreed(message, Direction::SendRecv) {
            self.forks.answered(&tag, target);
        }
        self.sounds(before, line)
    }

    /// The network changes its early sound (RFC 3311 §5.2).
    fn update(mut self, now: Instant, request: &Message, line: &mut Line) -> Self {
        let before = self.forks.heard().cloned();
        if let Some(target) = line.answer(now, request, Direction::SendRecv) {
            self.forks.updated(&tag_of(request.from()), target);
        }
        self.sounds(before, line)
    }

    fn sounds(mut self, before: Option<MediaTarget>, line: &mut Line) -> Self {
        let heard = self.forks.heard().cloned();
        if let Some(target) = heard.filter(|heard| before.as_ref() != Some(heard)) {
            self.has_sounded = true;
            line.tell(Event::EarlyMedia(target));
        }
        self
    }
}
