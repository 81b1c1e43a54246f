use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::options::{SipLimits, SipOptions};
use super::range::{AddressRange, source};

/// How long we know somebody after our last request to them: longer than the longest call.
const KNOWN_FOR: Duration = Duration::from_secs(4 * 3600);
/// Addresses known at once. Trunks have tens.
const KNOWN_MAX: usize = 1_024;
/// Sources whose answers are counted at once. Those with nothing left to count make room, else a new source goes unanswered.
const SOURCES_MAX: usize = 4_096;

/// Decides who is answered that belongs to no call, and who may connect.
///
/// Whom we have sent requests to is no stranger: a trunk's proxies come and go with its DNS.
#[derive(Debug)]
pub(super) struct Strangers {
    allowed: Vec<AddressRange>,
    known: BTreeMap<IpAddr, Instant>,
    answered: BTreeMap<IpAddr, Bucket>,
    all: Option<Bucket>,
    limits: SipLimits,
}

impl Strangers {
    pub(super) fn new(options: &SipOptions) -> Self {
        Self {
            allowed: options.allowed.clone(),
            known: BTreeMap::new(),
            answered: BTreeMap::new(),
            all: None,
            limits: options.limits,
        }
    }

    /// Notes that we send a request to `ip`.
    pub(super) fn meet(&mut self, now: Instant, ip: IpAddr) {
        let ip = ip.to_canonical();
        if self.known.len() >= KNOWN_MAX && !self.known.contains_key(&ip) {
            self.known.retain(|_, until| *until > now);
        }
        if self.known.len() < KNOWN_MAX || self.known.contains_key(&ip) {
            self.known.insert(ip, now + KNOWN_FOR);
        }
    }

    /// Whether this is a trunk of ours.
    pub(super) fn knows(&self, now: Instant, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.known.get(&ip).is_some_and(|until| *until > now)
            || self.allowed.iter().any(|range| range.contains(ip))
    }

    /// Whether anything of `ip` is read at all, and it may open a connection to us.
    pub(super) fn is_welcome(&self, now: Instant, ip: IpAddr) -> bool {
        self.allowed.is_empty() || self.knows(now, ip)
    }

    /// Whether a request of `ip` that belongs to no call is answered.
    ///
    /// Never where there is a list of trunks and it is not on it: a scanner learns nothing, not even that somebody is here.
    pub(super) fn may_be_answered(&mut self, now: Instant, ip: IpAddr) -> bool {
        if self.knows(now, ip) {
            return true;
        }
        self.allowed.is_empty() && self.count_answer(now, source(ip))
    }

    /// All together first: in a flood that costs one comparison a message, and no source is remembered that got no answer.
    fn count_answer(&mut self, now: Instant, source: IpAddr) -> bool {
        let full = |a_second: u32| Bucket::new(now, a_second, a_second.saturating_mul(5));
        let limits = self.limits;
        let all = self
            .all
            .get_or_insert_with(|| full(limits.answers_a_second));
        if all.ready_at() > now {
            return false;
        }
        if self.answered.len() >= SOURCES_MAX && !self.answered.contains_key(&source) {
            self.answered.retain(|_, bucket| !bucket.is_full(now));
            if self.answered.len() >= SOURCES_MAX {
                return false;
            }
        }
        let own = self
            .answered
            .entry(source)
            .or_insert_with(|| full(limits.answers_a_second_per_source));
        own.take(now) && all.take(now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn open() -> Strangers {
        Strangers::new(&SipOptions::default())
    }

    fn listed(range: &str) -> Strangers {
        Strangers::new(&SipOptions {
            allowed: vec![range.parse().unwrap()],
            ..SipOptions::default()
        })
    }

    #[test]
    fn with_a_list_nobody_else_is_answered_or_let_in() {
        let (mut strangers, now) = (listed("192.0.2.0/24"), Instant::now());
        for (who, welcome) in [("192.0.2.9", true), ("198.51.100.9", false)] {
            assert_eq!(strangers.may_be_answered(now, ip(who)), welcome);
            assert_eq!(strangers.is_welcome(now, ip(who)), welcome);
        }
    }

    #[test]
    fn whom_we_rang_is_no_stranger_for_four_hours() {
        let (mut strangers, now) = (listed("192.0.2.0/24"), Instant::now());
        strangers.meet(now, ip("198.51.100.9"));
        let (within, after) = (now + KNOWN_FOR - Duration::from_secs(1), now + KNOWN_FOR);
        assert!(strangers.may_be_answered(within, ip("::ffff:198.51.100.9")));
        assert!(!strangers.may_be_answered(after, ip("198.51.100.9")));
    }

    #[test]
    fn without_a_list_one_source_gets_a_burst_and_then_two_a_second() {
        let (mut strangers, now) = (open(), Instant::now());
        let answered = |strangers: &mut Strangers, at| {
            (0..1_000)
                .filter(|_| strangers.may_be_answered(at, ip("198.51.100.9")))
                .count()
        };
        assert_eq!(answered(&mut strangers, now), 10);
        assert_eq!(answered(&mut strangers, now + Duration::from_secs(1)), 2);
        assert!(strangers.may_be_answered(now, ip("198.51.100.10")));
    }

    #[test]
    fn a_million_sources_get_no_more_answers_than_all_may_have_and_are_not_remembered() {
        let (mut strangers, now) = (open(), Instant::now());
        let answers = (0..1_000_000_u32)
            .filter(|n| {
                let at = now + Duration::from_micros(u64::from(*n));
                strangers.may_be_answered(at, IpAddr::V4(Ipv4Addr::from_bits(n << 8)))
            })
            .count();
        // A second of fifty, after a burst of 250.
        assert!((250..=300).contains(&answers), "{answers}");
        assert!(strangers.answered.len() <= SOURCES_MAX);
    }

    #[test]
    fn what_is_known_is_bounded() {
        let (mut strangers, now) = (open(), Instant::now());
        (0..10_000_u32)
            .map(|n| IpAddr::V4(Ipv4Addr::from_bits(n)))
            .for_each(|ip| strangers.meet(now, ip));
        assert_eq!(strangers.known.len(), KNOWN_MAX);
    }
}
