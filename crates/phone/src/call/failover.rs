//! Which end of an attempt is the trunk's fault rather than the called person's, and what is tried then.

use std::time::{Duration, Instant};

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

/// Waiting for the first response is never given up sooner: an INVITE needs three sendings to survive a bad network.
const ANSWER_WITHIN_MIN: Duration = Duration::from_secs(2);

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
    /// When the next route is tried if this one stays silent; never, where there is no next one.
    ///
    /// Each further route gets half the time of the one before: who waits has waited already.
    pub(super) fn silent_until(&self, now: Instant) -> Option<Instant> {
        let route = self.attempt.aim.route;
        self.next_aim()?;
        let first = self.trunk()?.answer_within;
        let halvings = u32::try_from(route).unwrap_or(u32::MAX).min(8);
        let within = first / 2u32.pow(halvings);
        Some(now + within.max(ANSWER_WITHIN_MIN.min(first)))
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
        let aim = &self.attempt.aim;
        if !is_refusal || !aim.secure || self.trunk()?.srtp != SrtpPolicy::Preferred {
            return None;
        }
        let aim = Aim {
            secure: false,
            count: aim.count.saturating_add(1),
            ..aim.clone()
        };
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
