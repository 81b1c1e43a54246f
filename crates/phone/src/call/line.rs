use std::collections::VecDeque;
use std::time::{Duration, Instant};

use housecall_media::sdp::{Answer, Description, Direction, MediaTarget};
use housecall_sip::user_agent::{Body, Input as AgentInput, Output as AgentOutput, Reply};
use housecall_sip::{Message, Peer, StatusCode};

use super::attempt::{self, Aim, Attempt};
use super::failover::SILENCE_MAX;
use super::scope::Bounds;
use super::{BadTrunk, Dial, Event, Output};
use crate::{Overrides, Route, Trunk};

/// What every state of a call needs: the line to the trunk.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) dial: Dial,
    pub(super) attempt: Attempt,
    /// Attempts given up: they still owe their trunks a CANCEL, or ACK and BYE if the answer crosses it.
    given_up: Vec<Attempt>,
    pub(super) outputs: VecDeque<Output>,
    /// How long trunks may still be silent.
    pub(super) silence_left: Duration,
}

impl Line {
    /// Sends the first INVITE.
    pub(super) fn dial(now: Instant, dial: Dial) -> Result<Self, BadTrunk> {
        attempt::check(&dial)?;
        let aim = Aim::at(&dial, 0, 0).ok_or(BadTrunk::NoRoute)?;
        let attempt = Attempt::start(now, &dial, aim, dial.seed)?;
        let outputs = VecDeque::from([Output::CallId(attempt.call_id.clone())]);
        Ok(Self {
            dial,
            attempt,
            given_up: Vec::new(),
            outputs,
            silence_left: SILENCE_MAX,
        })
    }

    /// Leaves the attempt to its user agent and makes another one.
    pub(super) fn try_again(&mut self, now: Instant, aim: Aim) -> Result<(), BadTrunk> {
        // The seeds of all attempts follow from the first one, which was hard to guess.
        let seed = self.attempt.agent.random();
        let attempt = Attempt::start(now, &self.dial, aim, seed)?;
        let call_id = attempt.call_id.clone();
        self.outputs.push_back(Output::CallId(call_id));
        self.given_up
            .push(std::mem::replace(&mut self.attempt, attempt));
        Ok(())
    }

    /// How the trunk of this attempt wants to be spoken to.
    pub(super) fn trunk(&self) -> Option<&Trunk> {
        let route = self.dial.routes.get(self.attempt.aim.route);
        route.map(|route: &Route| &*route.trunk)
    }

    /// What the trunk of this attempt means by its causes.
    pub(super) fn overrides(&self) -> Overrides {
        let trunk = self.trunk();
        trunk
            .map(|trunk| trunk.outcomes.clone())
            .unwrap_or_default()
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn hang_up(&mut self, now: Instant) {
        self.attempt.agent.hang_up(now, self.attempt.call);
    }

    pub(super) fn respond(&mut self, now: Instant, reply: Reply) {
        // The user agent refuses only what nobody waits for any more.
        let _ = self.attempt.agent.respond(now, self.attempt.call, reply);
    }

    /// What an answer to our offer agrees to; none if it carries none, or none that we can use.
    pub(super) fn agreed(&self, message: &Message, offered: Direction) -> Option<MediaTarget> {
        let answer = Description::parse(&message.sdp_body()?).ok()?;
        let target = self.attempt.audio.agreed(&answer, offered).ok()?;
        self.bounds()?.fit(target)
    }

    fn bounds(&self) -> Option<Bounds> {
        let route = self.dial.routes.get(self.attempt.aim.route)?;
        Some(Bounds {
            peer: route.peer.addr.ip(),
            own: [self.dial.media, self.dial.contact],
        })
    }

    /// Answers an offer of theirs, wanting `ours`; none if it cannot be taken. Then what was agreed before stays (RFC 3261 §14.2).
    pub(super) fn answer(
        &mut self,
        now: Instant,
        request: &Message,
        ours: Direction,
    ) -> Option<MediaTarget> {
        let taken = self.take(request, ours);
        let (reply, target) = match taken {
            Some((sdp, target)) => {
                let reply = Reply::new(StatusCode::OK).with_body(Body::sdp(sdp));
                (reply, Some(target))
            }
            None => (Reply::new(StatusCode::NOT_ACCEPTABLE_HERE), None),
        };
        self.respond(now, reply);
        target
    }

    /// Our answer to an offer, and what it agrees to. An offer that cannot be taken raises no version.
    fn take(&mut self, request: &Message, ours: Direction) -> Option<(String, MediaTarget)> {
        let offer = Description::parse(&request.sdp_body()?).ok()?;
        let mut audio = self.attempt.audio.clone();
        let Answer { sdp, target } = audio.answer(&offer, ours).ok()?;
        let target = self.bounds()?.fit(target)?;
        self.attempt.audio = audio;
        Some((sdp, target))
    }

    /// Passes a message to the attempt that it belongs to. True if that is the present one.
    pub(super) fn hear(&mut self, now: Instant, from: Peer, message: Message) -> bool {
        let call_id = message.call_id().unwrap_or_default();
        let mut past = self.given_up.iter_mut();
        let past = past.find(|attempt| attempt.call_id == call_id);
        let is_present = past.is_none();
        let agent = past.map_or(&mut self.attempt.agent, |attempt| &mut attempt.agent);
        agent.handle_input(now, AgentInput::Received { from, message });
        is_present
    }

    pub(super) fn transport_failed(&mut self, now: Instant, peer: Peer) {
        for attempt in self.attempts_mut() {
            attempt
                .agent
                .handle_input(now, AgentInput::TransportFailed { peer });
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let attempts = self.attempts();
        attempts
            .filter_map(|attempt| attempt.agent.poll_timeout())
            .min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for attempt in self.attempts_mut() {
            attempt.agent.handle_timeout(now);
        }
    }

    /// What the present attempt has to say. What the given-up ones send goes out first; what happens to them interests nobody.
    pub(super) fn poll_agent(&mut self) -> Option<AgentOutput> {
        for attempt in &mut self.given_up {
            while let Some(output) = attempt.agent.poll_output() {
                if let AgentOutput::Send { to, bytes } = output {
                    self.outputs.push_back(Output::SendSip { to, bytes });
                }
            }
        }
        self.given_up.retain(|attempt| !attempt.agent.is_idle());
        self.attempt.agent.poll_output()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.attempts().all(|attempt| attempt.agent.is_idle())
    }

    pub(super) fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        std::iter::once(&self.attempt).chain(&self.given_up)
    }

    fn attempts_mut(&mut self) -> impl Iterator<Item = &mut Attempt> {
        std::iter::once(&mut self.attempt).chain(&mut self.given_up)
    }
}
