//! 3xx: another number, on the same trunk, where its settings and the destination policy allow that (RFC 3261 §8.1.3.4).

use std::time::Instant;

use housecall_sip::user_agent::End;
use housecall_sip::{Message, Uri};

use super::attempt::Aim;
use super::line::Line;
use super::{Dialing, Event, State};
use crate::trunk::Redirects;
use crate::{DestinationPolicy, Number};

/// Redirects followed for one call; more are a loop.
const HOPS_MAX: u8 = 2;

impl Line {
    /// Follows a redirect; none where it is not to be followed, and the refusal stands.
    ///
    /// Only the number is taken from Contact, never the host: whoever answers in the place of a trunk would otherwise choose whom we send
    /// our calls to, and what they cost.
    pub(super) fn redirected(&mut self, now: Instant, end: &End) -> Option<State> {
        let End::Refused(message) = end else {
            return None;
        };
        let aim = self.redirection(message)?;
        let to = aim.to.clone();
        self.try_again(now, aim).ok()?;
        self.tell(Event::Redirected { to });
        Some(State::Dialing(Dialing::new(now, self)))
    }

    fn redirection(&self, message: &Message) -> Option<Aim> {
        // 305 names a proxy and 380 another service, neither a number.
        let is_redirect = matches!(message.status()?.code(), 300..=302);
        let aim = &self.attempt.aim;
        if !is_redirect || aim.hops >= HOPS_MAX || self.trunk()?.redirects == Redirects::Refuse {
            return None;
        }
        let contact = message.contact().ok()??;
        let to = number_of(&contact.uri, self.dial.destinations.as_ref()?)?;
        Some(Aim {
            to,
            hops: aim.hops.saturating_add(1),
            count: aim.count.saturating_add(1),
            ..aim.clone()
        })
    }
}

/// The number of a SIP or tel URI, if it is a number of the whole world that may be called (P6).
fn number_of(uri: &Uri<&str>, destinations: &DestinationPolicy) -> Option<Number> {
    let user = uri.user_unescaped();
    let user = user
        .as_deref()
        .or_else(|| uri.as_str().strip_prefix("tel:"))?;
    let digits = user.split(';').next()?;
    // Without the plus sign nobody knows in which country it is a number.
    let number = Number::from_e164(digits.strip_prefix('+').map(|_| digits)?).ok()?;
    destinations.check(&number).ok()?;
    Some(number)
}
