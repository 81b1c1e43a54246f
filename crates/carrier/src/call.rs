use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::Key;
use housecall_media::sdp::{AudioSession, Codec, Description, Direction, Media, SrtpOffer};
use housecall_media::srtp::SrtpKey;
use housecall_sip::Message;

use crate::behaviour::{Behaviour, Deed, Pickup};
use crate::habits::Security;
use crate::line::Line;
use crate::report::{HeardCall, Stage};

/// A network stops ringing by itself (480): a caller who has heard none of its responses cannot tell it to (RFC 3261 §9.1).
/// Three minutes, as proxies wait at least (§16.6, timer C).
const RINGS_MAX: Duration = Duration::from_secs(180);

/// How soon a network that could not describe a session anew tries again.
const OFFER_AGAIN: Duration = Duration::from_millis(500);

/// What the subscriber does next, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Answer,
    Refuse(u16),
    HangUp,
    /// Describes the session anew, wanting this.
    Offer(Direction),
    Press(&'static str),
    Vanish,
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
    /// What an offer of ours wants, until it is answered.
    offered: Option<Direction>,
}

impl Call {
    /// Makes a call of an INVITE with an offer. None when the offer cannot be met: 488.
    pub(crate) fn new(
        behaviour: &'static Behaviour,
        invite: &Message,
        media: SocketAddr,
        security: Security,
        seed: u64,
    ) -> Option<Call> {
        let from = invite.from().ok()?;
        let codecs = [Codec::Pcma, Codec::Pcmu, Codec::TelephoneEvent];
        let session = AudioSession::new(seed >> 1, media, &codecs);
        let mut call = Call {
            behaviour,
            caller_id: from.uri.user().unwrap_or_default().to_owned(),
            call_id: invite.call_id().ok()?.to_owned(),
            stage: Stage::Ringing,
            session: if secures(security, invite.body()) {
                session.with_srtp(SrtpOffer { local: key(seed) })
            } else {
                session
            },
            answer: Bytes::new(),
            line: Line::new(behaviour.says, seed),
            next: None,
            offered: None,
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

    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Describes the session for a request of ours.
    pub(crate) fn offer(&mut self, direction: Direction) -> Bytes {
        self.offered = Some(direction);
        self.session.offer(direction).into()
    }

    /// The network may not make an offer at this moment, and will try again.
    pub(crate) fn offer_later(&mut self, now: Instant, direction: Direction) {
        self.offered = None;
        self.next = Some((now + OFFER_AGAIN, Step::Offer(direction)));
    }

    /// What an offer of ours wants that could not be answered yet.
    pub(crate) fn take_offered(&mut self) -> Option<Direction> {
        self.offered.take()
    }

    /// Reads the answer to our offer. What it cannot mean changes nothing.
    pub(crate) fn agreed(&mut self, answer: &[u8]) {
        let answer = Description::parse(answer).ok();
        let target = answer
            .zip(self.offered.take())
            .and_then(|(answer, offered)| self.session.agreed(&answer, offered).ok());
        if let Some(target) = target {
            self.line.agree(target);
        }
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
            Pickup::SpeaksFirst(after) => self.speak_first(now, after, Step::Answer),
            Pickup::SpeaksAndRefuses(after, status) => {
                self.speak_first(now, after, Step::Refuse(status));
            }
            Pickup::RingsForEver => self.next = Some((now + RINGS_MAX, Step::HangUp)),
            Pickup::Refuses(_) | Pickup::Redirects(_) | Pickup::Unavailable(_) => {}
        }
    }

    fn speak_first(&mut self, now: Instant, after: Duration, then: Step) {
        self.next = Some((now + after, then));
        self.stage = Stage::Early;
        self.line.talk(now);
    }

    pub(crate) fn answered(&mut self, now: Instant) {
        self.stage = Stage::Talking;
        self.line.talk(now);
        let hang_up = self.behaviour.hangs_up_after;
        let hang_up = hang_up.map(|after| (now + after, Step::HangUp));
        let deed = self.behaviour.deed.map(|deed| match deed {
            Deed::Holds { after, .. } => (now + after, Step::Offer(Direction::SendOnly)),
            Deed::Renegotiates { every } => (now + every, Step::Offer(Direction::SendRecv)),
            Deed::Presses { after, keys } => (now + after, Step::Press(keys)),
            Deed::Vanishes { after } => (now + after, Step::Vanish),
        });
        self.next = hang_up.or(deed);
    }

    /// What follows a step, if anything does.
    fn after(&self, now: Instant, step: Step) -> Option<(Instant, Step)> {
        let back = Step::Offer(Direction::SendRecv);
        match (self.behaviour.deed?, step) {
            (Deed::Holds { lasts, .. }, Step::Offer(Direction::SendOnly)) => {
                Some((now + lasts, back))
            }
            (Deed::Renegotiates { every }, Step::Offer(_)) => Some((now + every, back)),
            _ => None,
        }
    }

    pub(crate) fn hear(&mut self, datagram: &[u8]) {
        self.line.hear(datagram);
    }

    /// A key in an INFO: `application/dtmf-relay` says `Signal=5`, `application/dtmf` says `5`.
    pub(crate) fn info(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let signal = text.lines().find_map(|line| line.strip_prefix("Signal="));
        let name = signal.unwrap_or(&text).trim().chars().next();
        if let Some(key) = name.and_then(Key::new) {
            self.line.key(key);
        }
    }

    /// The subscriber presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        let keys = keys.chars().filter_map(Key::new);
        keys.for_each(|key| self.line.press(key));
    }

    pub(crate) fn speak(&mut self, now: Instant) -> Option<(SocketAddr, Bytes)> {
        self.line.speak(now)
    }

    pub(crate) fn report(&mut self, now: Instant) -> Option<(SocketAddr, Bytes)> {
        self.line.report(now)
    }

    /// Takes what the subscriber does now.
    pub(crate) fn step(&mut self, now: Instant) -> Option<Step> {
        let (_, step) = self.next.take_if(|(at, _)| *at <= now)?;
        self.next = self.after(now, step);
        Some(step)
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
            encrypted: self.line.is_secured(),
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

/// Whether the sound of a call is to be secured, which its caller offers or not.
fn secures(security: Security, offer: &[u8]) -> bool {
    let offered = |offer: Description| {
        let mut live = offer.media.iter().filter(|media| media.is_live_audio());
        live.any(Media::is_secure)
    };
    match security {
        Security::Always => true,
        Security::Never => false,
        Security::AsOffered => Description::parse(offer).is_ok_and(offered),
    }
}

/// A key that a pretend network may have: as random as its seed.
fn key(seed: u64) -> SrtpKey {
    let mut state = seed;
    SrtpKey::random(std::array::from_fn(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    }))
}
