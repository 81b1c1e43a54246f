use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::sdp::{AudioSession, Codec, Description, Direction};
use housecall_sip::Message;

use crate::behaviour::{Behaviour, Pickup};
use crate::line::Line;
use crate::report::{HeardCall, Stage};

/// A network stops ringing by itself (480): a caller who has heard none of its responses cannot tell it to (RFC 3261 §9.1).
/// Three minutes, as proxies wait at least (§16.6, timer C).
const RINGS_MAX: Duration = Duration::from_secs(180);

/// What the subscriber does next, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Answer,
    HangUp,
}

/// One call to a subscriber who exists and is free.
#[derive(Debug)]
pub(crate) struct Call {
    behaviour: &'static Behaviour,
    caller_id: String,
    call_id: String,
    stage: Stage,
    session: AudioSession,
    /// Our answer to the latest offer.
    answer: Bytes,
    line: Line,
    next: Option<(Instant, Step)>,
}

impl Call {
    /// Makes a call of an INVITE with an offer. None when the offer cannot be met: 488.
    pub(crate) fn new(
        behaviour: &'static Behaviour,
        invite: &Message,
        media: SocketAddr,
        seed: u64,
    ) -> Option<Call> {
        let from = invite.from().ok()?;
        let mut call = Call {
            behaviour,
            caller_id: from.uri.user().unwrap_or_default().to_owned(),
            call_id: invite.call_id().ok()?.to_owned(),
            stage: Stage::Ringing,
            session: AudioSession::new(
                seed >> 1,
                media,
                &[Codec::Pcma, Codec::Pcmu, Codec::TelephoneEvent],
            ),
            answer: Bytes::new(),
            line: Line::new(behaviour.says, seed),
            next: None,
        };
        call.meet(invite.body())?;
        Some(call)
    }

    /// Our address for the sound of this call.
    pub(crate) fn media(&self) -> SocketAddr {
        self.session.addr()
    }

    /// Our answer to the latest offer.
    pub(crate) fn answer(&self) -> Bytes {
        self.answer.clone()
    }

    /// Reads an offer and agrees to it: `sendonly` is answered `recvonly`, and we fall silent (RFC 3264 §8.4).
    pub(crate) fn meet(&mut self, offer: &[u8]) -> Option<()> {
        let offer = Description::parse(offer).ok()?;
        let answer = self.session.answer(&offer, Direction::SendRecv).ok()?;
        self.answer = answer.sdp.into();
        self.line.agree(answer.target);
        Some(())
    }

    /// The phone starts to ring, or the subscriber to speak before answering.
    pub(crate) fn ring(&mut self, now: Instant) {
        match self.behaviour.pickup {
            Pickup::RingsFor(after) => self.next = Some((now + after, Step::Answer)),
            Pickup::SpeaksFirst(after) => {
                self.next = Some((now + after, Step::Answer));
                self.stage = Stage::Early;
                self.line.talk(now);
            }
            Pickup::RingsForEver => self.next = Some((now + RINGS_MAX, Step::HangUp)),
            Pickup::Refuses(_) => {}
        }
    }

    pub(crate) fn answered(&mut self, now: Instant) {
        self.stage = Stage::Talking;
        self.line.talk(now);
        let hang_up = self.behaviour.hangs_up_after;
        self.next = hang_up.map(|after| (now + after, Step::HangUp));
    }

    pub(crate) fn hear(&mut self, datagram: &[u8]) {
        self.line.hear(datagram);
    }

    pub(crate) fn speak(&mut self, now: Instant) -> Option<(SocketAddr, Bytes)> {
        self.line.speak(now)
    }

    /// Takes what the subscriber does now.
    pub(crate) fn step(&mut self, now: Instant) -> Option<Step> {
        self.next
            .take_if(|(at, _)| *at <= now)
            .map(|(_, step)| step)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let step = self.next.map(|(at, _)| at);
        [step, self.line.poll_timeout()].into_iter().flatten().min()
    }

    pub(crate) fn heard(&self) -> HeardCall {
        HeardCall {
            number: self.behaviour.number.to_owned(),
            caller_id: self.caller_id.clone(),
            call_id: self.call_id.clone(),
            stage: self.stage,
            held: self.line.is_held(),
            packets: self.line.packets(),
            sound: self.line.sound(),
            digits: self.line.digits().to_owned(),
        }
    }

    pub(crate) fn ended(self) -> HeardCall {
        HeardCall {
            stage: Stage::Ended,
            ..self.heard()
        }
    }
}
