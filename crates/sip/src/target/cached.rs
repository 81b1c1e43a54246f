use std::time::{Duration, Instant};

use super::{Resolved, Unresolved};
use crate::Peer;

/// Records that claim less than this are not asked for more often.
const TTL_MIN: Duration = Duration::from_secs(30);
/// Records that claim more than this are looked at again all the same.
const TTL_MAX: Duration = Duration::from_secs(24 * 3600);
/// The first pause after a search that found nobody; each further one is twice as long, up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The peers of one target, kept for their time to live, and for a grace after it while nobody can say better.
///
/// The promise is that calls go on being made while the domain name system is away: a target that worked a while ago probably still
/// does, and the worst that comes of trying it is what would come of not trying it.
#[derive(Clone, Debug)]
pub struct Cached {
    grace: Duration,
    kept: Option<Kept>,
    look_at: Instant,
    failures: u32,
}

#[derive(Clone, Debug)]
struct Kept {
    peers: Vec<Peer>,
    /// `None` for what holds for ever.
    until: Option<Until>,
}

#[derive(Clone, Copy, Debug)]
struct Until {
    fresh: Instant,
    usable: Instant,
}

impl Cached {
    /// How long a result outlives its time to live: as long as a name server is down on a very bad day.
    pub const GRACE: Duration = Duration::from_secs(24 * 3600);

    /// Knows nothing and wants to look at once.
    pub fn new(now: Instant, grace: Duration) -> Self {
        Self {
            grace,
            kept: None,
            look_at: now,
            failures: 0,
        }
    }

    /// Keeps what a [`Lookup`](super::Lookup) found. A search that found nobody leaves what is known until its grace has passed.
    pub fn learn(&mut self, now: Instant, result: &Result<Resolved, Unresolved>) {
        match result {
            Ok(resolved) => self.keep(now, resolved),
            Err(_) => {
                let doublings = self.failures.min(8);
                let pause = PAUSE_MIN.saturating_mul(1 << doublings).min(PAUSE_MAX);
                self.failures = self.failures.saturating_add(1);
                self.look_at = now + pause;
            }
        }
    }

    /// The peers that may be used now; empty if none is known.
    pub fn peers(&self, now: Instant) -> &[Peer] {
        let usable = |kept: &&Kept| kept.until.is_none_or(|until| now < until.usable);
        self.kept
            .as_ref()
            .filter(usable)
            .map_or(&[], |kept| &kept.peers)
    }

    /// Whether the peers are used beyond their time to live.
    pub fn is_stale(&self, now: Instant) -> bool {
        let until = self.kept.as_ref().and_then(|kept| kept.until);
        until.is_some_and(|until| until.fresh <= now && now < until.usable)
    }

    /// When to look again; `None` for an address, which never changes.
    pub fn look_at(&self) -> Option<Instant> {
        let holds_for_ever = self.kept.as_ref().is_some_and(|kept| kept.until.is_none());
        (!holds_for_ever).then_some(self.look_at)
    }

    fn keep(&mut self, now: Instant, resolved: &Resolved) {
        self.failures = 0;
        let until = resolved.ttl.map(|ttl| {
            let fresh = now + ttl.clamp(TTL_MIN, TTL_MAX);
            let usable = fresh + self.grace;
            self.look_at = fresh;
            Until { fresh, usable }
        });
        self.kept = Some(Kept {
            peers: resolved.peers.clone(),
            until,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn found(port: u16, ttl: Option<Duration>) -> Result<Resolved, Unresolved> {
        let peers = vec![peer(port)];
        Ok(Resolved { peers, ttl })
    }

    fn peer(port: u16) -> Peer {
        Peer::udp(([192, 0, 2, 1], port).into())
    }

    fn away() -> Result<Resolved, Unresolved> {
        let host = "sip.carrier.test".to_owned();
        Err(Unresolved::Away { host })
    }

    #[test]
    fn a_result_is_looked_at_again_when_its_time_to_live_is_over() {
        let now = Instant::now();
        let mut cached = Cached::new(now, Cached::GRACE);
        assert_eq!((cached.peers(now), cached.look_at()), (&[][..], Some(now)));
        cached.learn(now, &found(1, Some(5 * MINUTE)));
        assert_eq!(cached.look_at(), Some(now + 5 * MINUTE));
        assert!(!cached.is_stale(now + 4 * MINUTE) && cached.is_stale(now + 5 * MINUTE));
        cached.learn(now + 5 * MINUTE, &found(2, Some(5 * MINUTE)));
        assert_eq!(cached.peers(now + 5 * MINUTE), [peer(2)]);
        assert!(!cached.is_stale(now + 5 * MINUTE));
    }

    /// The promise: "cached target used until TTL + grace".
    #[test]
    fn while_dns_is_away_the_last_result_serves_until_its_grace_is_over() {
        let now = Instant::now();
        let mut cached = Cached::new(now, 10 * MINUTE);
        cached.learn(now, &found(1, Some(MINUTE)));
        cached.learn(now + MINUTE, &away());
        let last = now + 11 * MINUTE - Duration::from_millis(1);
        assert_eq!(cached.peers(last), [peer(1)]);
        assert!(cached.is_stale(last));
        assert!(cached.peers(now + 11 * MINUTE).is_empty());
    }

    #[test]
    fn a_search_that_failed_is_tried_again_ever_more_slowly() {
        let now = Instant::now();
        let mut cached = Cached::new(now, MINUTE);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            cached.learn(now, &away());
            pauses.push((cached.look_at().unwrap() - now).as_secs());
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn a_time_to_live_of_nothing_does_not_make_us_ask_all_the_time() {
        let now = Instant::now();
        let mut cached = Cached::new(now, MINUTE);
        cached.learn(now, &found(1, Some(Duration::ZERO)));
        assert_eq!(cached.look_at(), Some(now + TTL_MIN));
    }

    #[test]
    fn an_address_holds_for_ever() {
        let now = Instant::now();
        let mut cached = Cached::new(now, MINUTE);
        cached.learn(now, &found(1, None));
        assert_eq!(cached.look_at(), None);
        assert_eq!(cached.peers(now + 1_000_000 * MINUTE), [peer(1)]);
    }
}
