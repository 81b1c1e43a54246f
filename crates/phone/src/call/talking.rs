use std::collections::VecDeque;
use std::time::Instant;

use housecall_media::Key;
use housecall_media::sdp::{Direction, MediaTarget};
use housecall_sip::user_agent::{Body, Event as AgentEvent, Reply};
use housecall_sip::{Message, Method, StatusCode};

use super::attempt::Attempt;
use super::line::Line;
use super::{Ended, Event, Happening, State, WrongMoment, key_info};
use crate::{DtmfMode, Outcome};

/// Somebody has answered.
#[derive(Debug)]
pub(super) struct Talking {
    target: MediaTarget,
    held: Held,
    held_by_them: bool,
    /// An offer of ours that is not answered yet.
    asked: Option<Asked>,
    /// A hold or resume that waits until a refresh of the session is over.
    wish: Option<Held>,
    /// Keys sent by INFO that are not answered yet, oldest first.
    keys: VecDeque<Key>,
    /// The trunk has refused a key by INFO.
    takes_no_info: bool,
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
    purpose: Purpose,
    offered: Direction,
}

/// What a re-INVITE of ours is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    /// Hold or its end.
    Hold(Held),
    /// The session timer (RFC 4028 §7.4); nothing changes, and nobody asked for it.
    Refresh,
}

impl Talking {
    pub(super) fn new(target: MediaTarget) -> Self {
        Self {
            held: Held::Not,
            held_by_them: !target.direction.sends(),
            target,
            asked: None,
            wish: None,
            keys: VecDeque::new(),
            takes_no_info: false,
            offered_in_answer: None,
        }
    }

    pub(super) fn handle(mut self, now: Instant, happening: Happening, line: &mut Line) -> State {
        match happening {
            Happening::HangUp => return State::hang_up(now, Outcome::Completed, line),
            // Whoever holds, or is held, may be silent for ever.
            Happening::MediaLost if !self.expects_media() => {}
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
        let purpose = self.asked.map(|asked| asked.purpose);
        match self.wish.unwrap_or(self.held) {
            _ if matches!(purpose, Some(Purpose::Hold(_))) => {
                return Err(wrong("a change is on its way"));
            }
            Held::ByUs if held == Held::ByUs => return Err(wrong("the call is held")),
            Held::Not if held == Held::Not => return Err(wrong("the call is not held")),
            Held::ByUs | Held::Not => {}
        }
        if purpose.is_some() {
            self.wish = Some(held);
            return Ok(());
        }
        self.offer(now, Purpose::Hold(held), line)
            .map_err(|refused| wrong(refused.state))
    }

    /// Whether silence means that the connection is lost: not while either side holds (RFC 3264 §8.4).
    pub(super) fn expects_media(&self) -> bool {
        self.held == Held::Not && !self.held_by_them
    }

    pub(super) fn presses_by_info(&self, mode: Option<DtmfMode>) -> bool {
        match mode.unwrap_or_default() {
            DtmfMode::Auto => self.target.telephone_event.is_none() && !self.takes_no_info,
            DtmfMode::TelephoneEvent => false,
            DtmfMode::Info => true,
        }
    }

    /// Presses a key by INFO.
    pub(super) fn press(
        &mut self,
        now: Instant,
        key: Key,
        line: &mut Line,
    ) -> Result<(), housecall_sip::user_agent::WrongMoment> {
        let Attempt { agent, call, .. } = &mut line.attempt;
        agent.info(now, *call, key_info::written(key))?;
        self.keys.push_back(key);
        Ok(())
    }

    /// INFOs are answered in the order in which they were sent.
    fn key_answered(&mut self, status: StatusCode, line: &mut Line) {
        let key = self.keys.pop_front();
        if let Some(key) = key.filter(|_| status.code() >= 300) {
            self.takes_no_info = true;
            line.tell(Event::KeyRefused(key));
        }
    }

    fn offer(
        &mut self,
        now: Instant,
        purpose: Purpose,
        line: &mut Line,
    ) -> Result<(), housecall_sip::user_agent::WrongMoment> {
        let offered = match purpose {
            Purpose::Hold(held) => self.wanted(held),
            Purpose::Refresh => self.wanted(self.held),
        };
        // A copy, so that an offer that cannot be sent raises no version.
        let mut audio = line.attempt.audio.clone();
        let body = Body::sdp(audio.offer(offered));
        line.attempt.agent.reinvite(now, line.attempt.call, body)?;
        line.attempt.audio = audio;
        self.asked = Some(Asked { purpose, offered });
        Ok(())
    }

    /// The direction to offer: hold makes `sendrecv` into `sendonly`, and `recvonly`, while the other side holds us, into `inactive`.
    fn wanted(&self, held: Held) -> Direction {
        match held {
            Held::Not => Direction::SendRecv,
            Held::ByUs if self.held_by_them => Direction::Inactive,
            Held::ByUs => Direction::SendOnly,
        }
    }

    fn heard(&mut self, now: Instant, event: AgentEvent, line: &mut Line) {
        match event {
            AgentEvent::ReinviteAnswered { message, .. } => {
                self.confirmed(&message, line);
                self.grant_wish(now, line);
            }
            AgentEvent::ReinviteRefused { .. } => {
                self.refused(line);
                self.grant_wish(now, line);
            }
            AgentEvent::InfoAnswered { status, .. } => self.key_answered(status, line),
            AgentEvent::Info { message, .. } => {
                let key = key_info::read(&message);
                key.into_iter()
                    .for_each(|key| line.tell(Event::KeyHeard(key)));
            }
            AgentEvent::RefreshWanted { .. } => self.refresh(now, line),
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
            return tell_refused(asked.purpose, line);
        };
        // RFC 3264 §6.1: `inactive` is a proper answer to our `sendonly`, and no hold of theirs.
        self.held_by_them &= !target.direction.sends();
        self.held_by_them |= asked.offered == Direction::SendRecv && !target.direction.sends();
        self.moved(target, line);
        match asked.purpose {
            Purpose::Hold(held) => {
                self.held = held;
                line.tell(match held {
                    Held::ByUs => Event::Held,
                    Held::Not => Event::Resumed,
                });
            }
            Purpose::Refresh => {}
        }
    }

    /// Everything stays as it was.
    fn refused(&mut self, line: &mut Line) {
        if let Some(asked) = self.asked.take() {
            tell_refused(asked.purpose, line);
        }
    }

    /// The pause after a glare is over (RFC 3261 §14.1).
    fn ask_again(&mut self, now: Instant, line: &mut Line) {
        if let Some(asked) = self.asked.take()
            && self.offer(now, asked.purpose, line).is_err()
        {
            tell_refused(asked.purpose, line);
        }
    }

    /// Refreshes the session with what was said last (RFC 4028 §7.4). Any other offer that is on its way does as well.
    fn refresh(&mut self, now: Instant, line: &mut Line) {
        if self.asked.is_none() {
            // The user agent asks only when an offer may be made.
            let _ = self.offer(now, Purpose::Refresh, line);
        }
    }

    fn grant_wish(&mut self, now: Instant, line: &mut Line) {
        if self.asked.is_none()
            && let Some(held) = self.wish.take()
            && self.offer(now, Purpose::Hold(held), line).is_err()
        {
            line.tell(Event::HoldRefused);
        }
    }

    /// Answers a re-INVITE or UPDATE of the other side.
    fn answer(&mut self, now: Instant, request: &Message, line: &mut Line) {
        if request.sdp_body().is_none() && request.method() == Some(&Method::Invite) {
            return self.offer_in_answer(now, line);
        }
        if let Some(target) = line.answer(now, request, self.ours()) {
            self.held_by_them = !target.direction.sends();
            self.moved(target, line);
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
            self.held_by_them = !target.direction.sends();
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

/// A refresh that was refused changes nothing; if the session is lost with it, its timer says so.
fn tell_refused(purpose: Purpose, line: &mut Line) {
    if matches!(purpose, Purpose::Hold(_)) {
        line.tell(Event::HoldRefused);
    }
}
