//! Which end of an attempt is the trunk's fault rather than the called person's, and what is tried then.

use std::time::{Duration, Instant};

use housecall_media::sdp::{Description, Direction, NotAgreed};
use housecall_sip::Message;
use housecall_sip::user_agent::End;

use super::attempt::Aim;
use super::line::Line;
use super::{Dialing, Event, State};
use crate::{SrtpPolicy, Trunk};

/// Why a route led nowhere. None of it says anything of the called phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RouteFailure {
    /// Not a single response came, and then too much time had passed.
    Silence,
    /// Nothing can be sent there.
    Unreachable,
    /// The trunk says that it cannot serve.
    Unavailable {
        /// Usually 503.
        status: u16,
        /// How long it wants to be left alone (RFC 3261 §20.33).
        retry_after: Option<Duration>,
    },
}

/// How long trunks may be silent in all before the last route is tried: 5 s from dialling to its INVITE, less what it takes to find
/// out and to send.
pub(super) const SILENCE_MAX: Duration = Duration::from_millis(4_800);
/// T1 (RFC 3261 §17.1.1.1): who is silent for less may only be far away.
const SILENCE_MIN: Duration = Duration::from_millis(500);

impl RouteFailure {
    /// The trunk's failure in the end of an INVITE; none if the network or the called person has spoken.
    ///
    /// RFC 3261 §21.5.4 lets a 503 go to the next server. Other 5xx and 408 may as well come from behind the trunk, where another route
    /// would ring the same phone again, so the trunk's settings decide.
    pub(super) fn of(end: &End, trunk: &Trunk) -> Option<Self> {
        match end {
            End::Unanswered => Some(Self::Silence),
            End::Unreachable => Some(Self::Unreachable),
            End::Refused(message) => Self::of_refusal(message, trunk),
            _ => None,
        }
    }

    fn of_refusal(message: &Message, trunk: &Trunk) -> Option<Self> {
        let status = message.status()?.code();
        let is_failure = match status {
            503 => true,
            408 | 500..=599 => trunk.next_on_server_error,
            _ => false,
        };
        let retry_after = message.retry_after().ok().flatten();
        is_failure.then_some(Self::Unavailable {
            status,
            retry_after: retry_after.map(|retry_after| retry_after.after),
        })
    }
}

impl Line {
    /// When the trunk of this attempt is given up if it stays silent.
    ///
    /// All routes but the last share [`SILENCE_MAX`], however many there are, as long as each gets [`SILENCE_MIN`]: of two, the first has 4 s
    /// ([`Trunk::answer_within`]); of three, 3 s and 1.8 s. The last has [`Trunk::give_up_after`]. Whoever orders the routes puts those
    /// that answer no OPTIONS last, so that it takes a trunk that has died since the last ping to spend any of it.
    pub(super) fn silent_until(&self, now: Instant) -> Option<Instant> {
        let trunk = self.trunk()?;
        let next = self.attempt.aim.route.saturating_add(1);
        let others = self.dial.routes.len().saturating_sub(next);
        let within = match u32::try_from(others).unwrap_or(u32::MAX) {
            0 => trunk.give_up_after,
            others => trunk.answer_within.min(share(self.silence_left, others)),
        };
        Some(now + within)
    }

    fn next_aim(&self) -> Option<Aim> {
        let Aim { route, count, .. } = self.attempt.aim;
        Aim::at(&self.dial, route.saturating_add(1), count.saturating_add(1))
    }

    /// Asks the same trunk for plain RTP after it has refused SRTP, where the trunk's settings allow that; none otherwise.
    pub(super) fn without_srtp(&mut self, now: Instant, end: &End) -> Option<State> {
        let End::Refused(message) = end else {
            return None;
        };
        // RFC 3261 §21.4.26, §21.6.4: what was offered is not acceptable.
        let is_refusal = matches!(message.status()?.code(), 415 | 488 | 606);
        is_refusal.then(|| self.in_the_open(now))?
    }

    /// The same after an answer that switches the secured line off (RFC 3264 §6), or would leave it open. The phone rings once more: that
    /// is the price of a trunk that says so only then.
    pub(super) fn answered_without_srtp(
        &mut self,
        now: Instant,
        answer: &Message,
    ) -> Option<State> {
        let answer = Description::parse(&answer.sdp_body()?).ok()?;
        let agreed = self.attempt.audio.agreed(&answer, Direction::SendRecv);
        let is_refusal = matches!(agreed, Err(NotAgreed::NoAudio { .. } | NotAgreed::Insecure));
        is_refusal.then(|| self.in_the_open(now))?
    }

    fn in_the_open(&mut self, now: Instant) -> Option<State> {
        let aim = &self.attempt.aim;
        if !aim.secure || self.trunk()?.srtp != SrtpPolicy::Preferred {
            return None;
        }
        let aim = Aim {
            secure: false,
            count: aim.count.saturating_add(1),
            ..aim.clone()
        };
        self.hang_up(now);
        self.try_again(now, aim).ok()?;
        self.tell(Event::EncryptionRefused);
        Some(State::Dialing(Dialing::new(now, self)))
    }

    /// Tells that the route has failed and tries the next one; none if there is none.
    pub(super) fn next_route(&mut self, now: Instant, why: RouteFailure) -> Option<State> {
        let route = self.attempt.aim.route;
        self.tell(Event::RouteFailed { route, why });
        let aim = self.next_aim()?;
        // Every route was checked before the first INVITE.
        self.try_again(now, aim).ok()?;
        Some(State::Dialing(Dialing::new(now, self)))
    }
}

/// The part of `left` that a silent trunk gets which `others` follow, at least one: most of it, since the first of them is the likeliest
/// to be well; but never what the others need.
fn share(left: Duration, others: u32) -> Duration {
    let free = left.saturating_sub(SILENCE_MIN.saturating_mul(others - 1));
    let share = match others {
        1 => free,
        _ => free * 7 / 10,
    };
    share.max(SILENCE_MIN)
}
