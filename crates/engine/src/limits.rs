//! How much may be rung by one person, one account and one number, and by all together (P6: toll fraud shows first as too many calls).
//!
//! Everything here is decided before credits are reserved and long before an INVITE leaves. How many calls one trunk takes at once is
//! the trunk's own: [`TrunkSetup::calls_max`](crate::TrunkSetup::calls_max).

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Names kept at once; beyond it the ones with nothing to count are forgotten first.
const NAMES_MAX: usize = 10_000;
/// The window of the limit on all calls: trunks count calls a second.
const SECOND: Duration = Duration::from_secs(1);

/// The limits on dialling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DialLimits {
    /// Calls one person may have in progress.
    pub per_caller_at_once: usize,
    /// Calls one person may start in a window.
    pub per_caller_in_window: usize,
    /// Calls one account may have in progress, whoever makes them.
    pub per_account_at_once: usize,
    /// Calls one account may start in a window, whoever makes them.
    pub per_account_in_window: usize,
    /// Calls that may be in progress to one number.
    pub per_number_at_once: usize,
    /// Calls that may be started to one number in a window, whoever makes them.
    pub per_number_in_window: usize,
    /// The length of the window.
    pub window: Duration,
    /// Calls the whole engine may have in progress.
    pub at_once: usize,
    /// Calls the whole engine may start in a second.
    pub per_second: usize,
}

impl Default for DialLimits {
    /// A person holds one call and redials a busy line a few times; nobody needs ten calls a minute, and no practice sixty. Trunks
    /// of small customers take from one to fifty new calls a second.
    fn default() -> Self {
        Self {
            per_caller_at_once: 2,
            per_caller_in_window: 10,
            per_account_at_once: 20,
            per_account_in_window: 60,
            per_number_at_once: 1,
            per_number_in_window: 6,
            window: Duration::from_secs(60),
            at_once: 500,
            per_second: 10,
        }
    }
}

/// Too many calls; nothing was dialled.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TooManyCalls {
    /// This person has as many calls in progress as allowed.
    #[error("{limit} calls in progress already: end one before you start another")]
    Caller {
        /// The limit.
        limit: usize,
    },
    /// This person started as many calls as allowed in the window.
    #[error("{limit} calls started within {window_s} seconds: wait a moment before the next")]
    Rate {
        /// The limit.
        limit: usize,
        /// The window in seconds.
        window_s: u64,
    },
    /// The account has as many calls in progress as allowed.
    #[error("your practice has {limit} calls in progress already: wait until one has ended")]
    Account {
        /// The limit.
        limit: usize,
    },
    /// The account started as many calls as allowed in the window.
    #[error(
        "your practice started {limit} calls within {window_s} seconds: wait a moment before the next"
    )]
    AccountRate {
        /// The limit.
        limit: usize,
        /// The window in seconds.
        window_s: u64,
    },
    /// The number is being rung or talked to already.
    #[error("this number is in a call already")]
    Number,
    /// The number was rung as often as allowed in the window.
    #[error("this number was rung {limit} times within {window_s} seconds: try again later")]
    NumberRate {
        /// The limit.
        limit: usize,
        /// The window in seconds.
        window_s: u64,
    },
    /// The engine has as many calls in progress as allowed.
    #[error("{limit} calls are in progress, more cannot be made now: try again in a moment")]
    Engine {
        /// The limit.
        limit: usize,
    },
    /// The engine started as many calls as allowed within a second.
    #[error("{limit} calls were started within this second: try again in a moment")]
    Second {
        /// The limit.
        limit: usize,
    },
    /// Every trunk that can be reached has as many calls as it takes.
    #[error(
        "all {limit} lines of the telephone provider are in use: try again when a call has ended"
    )]
    Trunk {
        /// The first of them.
        trunk: String,
        /// How many calls all of them take.
        limit: usize,
    },
}

/// On whose behalf, by whom, and to whom a call is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Who {
    pub(crate) account: String,
    pub(crate) caller: String,
    pub(crate) number: String,
}

/// Counts calls in progress and recent starts.
#[derive(Debug)]
pub(crate) struct DialGuard {
    limits: DialLimits,
    in_progress: BTreeMap<Key, usize>,
    started: BTreeMap<Key, VecDeque<Instant>>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    All,
    Account,
    Caller,
    Number,
}

type Key = (Kind, String);

impl Who {
    fn keys(&self) -> [Key; 4] {
        [
            (Kind::All, String::new()),
            (Kind::Caller, self.caller.clone()),
            (Kind::Number, self.number.clone()),
            (Kind::Account, self.account.clone()),
        ]
    }
}

impl DialGuard {
    pub(crate) fn new(limits: DialLimits) -> Self {
        Self {
            limits,
            in_progress: BTreeMap::new(),
            started: BTreeMap::new(),
        }
    }

    /// Counts a call in, or says why it may not start.
    pub(crate) fn begin(&mut self, now: Instant, who: &Who) -> Result<(), TooManyCalls> {
        self.forget_old(now);
        let keys = who.keys();
        for key in &keys {
            if self.in_progress(key) >= self.at_once(key.0) {
                return Err(self.too_many_at_once(key.0));
            }
        }
        for key in &keys {
            if self.started(key) >= self.in_window(key.0) {
                return Err(self.too_fast(key.0));
            }
        }
        for key in keys {
            self.started.entry(key.clone()).or_default().push_back(now);
            *self.in_progress.entry(key).or_default() += 1;
        }
        Ok(())
    }

    /// Counts an ended call out.
    pub(crate) fn end(&mut self, who: &Who) {
        for key in who.keys() {
            if let Some(count) = self.in_progress.get_mut(&key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.in_progress.remove(&key);
                }
            }
        }
    }

    fn in_progress(&self, key: &Key) -> usize {
        self.in_progress.get(key).copied().unwrap_or(0)
    }

    fn started(&self, key: &Key) -> usize {
        self.started.get(key).map_or(0, VecDeque::len)
    }

    fn at_once(&self, kind: Kind) -> usize {
        match kind {
            Kind::All => self.limits.at_once,
            Kind::Account => self.limits.per_account_at_once,
            Kind::Caller => self.limits.per_caller_at_once,
            Kind::Number => self.limits.per_number_at_once,
        }
    }

    fn in_window(&self, kind: Kind) -> usize {
        match kind {
            Kind::All => self.limits.per_second,
            Kind::Account => self.limits.per_account_in_window,
            Kind::Caller => self.limits.per_caller_in_window,
            Kind::Number => self.limits.per_number_in_window,
        }
    }

    fn too_many_at_once(&self, kind: Kind) -> TooManyCalls {
        let limit = self.at_once(kind);
        match kind {
            Kind::All => TooManyCalls::Engine { limit },
            Kind::Account => TooManyCalls::Account { limit },
            Kind::Caller => TooManyCalls::Caller { limit },
            Kind::Number => TooManyCalls::Number,
        }
    }

    fn too_fast(&self, kind: Kind) -> TooManyCalls {
        let (limit, window_s) = (self.in_window(kind), self.limits.window.as_secs());
        match kind {
            Kind::All => TooManyCalls::Second { limit },
            Kind::Account => TooManyCalls::AccountRate { limit, window_s },
            Kind::Caller => TooManyCalls::Rate { limit, window_s },
            Kind::Number => TooManyCalls::NumberRate { limit, window_s },
        }
    }

    fn forget_old(&mut self, now: Instant) {
        let window = self.limits.window;
        self.started.retain(|(kind, _), times| {
            let window = if *kind == Kind::All { SECOND } else { window };
            let is_old = |at: &Instant| now.saturating_duration_since(*at) >= window;
            while times.front().is_some_and(is_old) {
                times.pop_front();
            }
            !times.is_empty()
        });
        while self.started.len() >= NAMES_MAX {
            self.started.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> (DialGuard, Instant) {
        (DialGuard::new(DialLimits::default()), Instant::now())
    }

    fn who(caller: &str, number: &str) -> Who {
        Who {
            account: "practice:1".to_owned(),
            caller: caller.to_owned(),
            number: number.to_owned(),
        }
    }

    fn number(last: usize) -> String {
        format!("+614915701{last:02}")
    }

    #[test]
    fn p6_one_person_holds_at_most_two_calls() {
        let (mut guard, now) = guard();
        guard.begin(now, &who("dana", "+61491570006")).unwrap();
        guard.begin(now, &who("dana", "+61491570156")).unwrap();
        assert_eq!(
            guard.begin(now, &who("dana", "+61491570157")),
            Err(TooManyCalls::Caller { limit: 2 })
        );
        guard.end(&who("dana", "+61491570006"));
        guard.begin(now, &who("dana", "+61491570157")).unwrap();
    }

    #[test]
    fn p6_a_number_is_rung_once_at_a_time() {
        let (mut guard, now) = guard();
        guard.begin(now, &who("dana", "+61491570006")).unwrap();
        assert_eq!(
            guard.begin(now, &who("robin", "+61491570006")),
            Err(TooManyCalls::Number)
        );
    }

    #[test]
    fn p6_ten_starts_a_minute_and_no_more() {
        let (mut guard, now) = guard();
        for last in 0..10 {
            let who = who("dana", &number(last));
            guard.begin(now, &who).unwrap();
            guard.end(&who);
        }
        let refused = guard.begin(now + SECOND, &who("dana", "+61491570006"));
        assert_eq!(
            refused,
            Err(TooManyCalls::Rate {
                limit: 10,
                window_s: 60
            })
        );
        let later = now + Duration::from_secs(60);
        guard.begin(later, &who("dana", "+61491570006")).unwrap();
    }

    #[test]
    fn p6_a_number_is_rung_six_times_a_minute_whoever_does() {
        let (mut guard, now) = guard();
        for caller in ["dana", "robin", "kim", "dana", "robin", "kim"] {
            let who = who(caller, "+61491570006");
            guard.begin(now, &who).unwrap();
            guard.end(&who);
        }
        let refused = guard.begin(now + SECOND, &who("sasha", "+61491570006"));
        let (limit, window_s) = (6, 60);
        assert_eq!(refused, Err(TooManyCalls::NumberRate { limit, window_s }));
        let later = now + Duration::from_secs(60);
        guard.begin(later, &who("sasha", "+61491570006")).unwrap();
    }

    #[test]
    fn p6_an_account_is_held_back_whoever_dials_for_it() {
        let (mut guard, now) = guard();
        for turn in 0..60_usize {
            let at = now + Duration::from_millis(turn as u64 * 200);
            let who = who(&format!("user{turn}"), &number(turn));
            guard.begin(at, &who).unwrap();
            if turn >= 19 {
                guard.end(&who);
            }
        }
        let at = now + Duration::from_secs(20);
        let refused = guard.begin(at, &who("user60", &number(60)));
        let (limit, window_s) = (60, 60);
        assert_eq!(refused, Err(TooManyCalls::AccountRate { limit, window_s }));

        let later = now + Duration::from_secs(80);
        guard.begin(later, &who("user61", &number(61))).unwrap();
        let refused = guard.begin(later, &who("user62", &number(62)));
        assert_eq!(refused, Err(TooManyCalls::Account { limit: 20 }));
        let other = Who {
            account: "practice:2".to_owned(),
            ..who("user62", &number(62))
        };
        guard.begin(later, &other).unwrap();
    }

    #[test]
    fn p6_all_together_start_ten_calls_a_second() {
        let (mut guard, now) = guard();
        let of = |turn: usize| Who {
            account: format!("practice:{turn}"),
            ..who(&format!("user{turn}"), &number(turn))
        };
        for turn in 0..10 {
            guard.begin(now, &of(turn)).unwrap();
        }
        let refused = guard.begin(now + SECOND / 2, &of(10));
        assert_eq!(refused, Err(TooManyCalls::Second { limit: 10 }));
        guard.begin(now + SECOND, &of(10)).unwrap();
    }

    #[test]
    fn p6_all_together_hold_only_so_many_calls() {
        let limits = DialLimits {
            at_once: 3,
            ..DialLimits::default()
        };
        let (mut guard, now) = (DialGuard::new(limits), Instant::now());
        let of = |turn: usize| who(&format!("user{turn}"), &number(turn));
        for turn in 0..3 {
            guard.begin(now, &of(turn)).unwrap();
        }
        let refused = guard.begin(now, &of(3));
        assert_eq!(refused, Err(TooManyCalls::Engine { limit: 3 }));
        guard.end(&of(0));
        guard.begin(now, &of(3)).unwrap();
    }

    #[test]
    fn a_refused_call_counts_nowhere() {
        let (mut guard, now) = guard();
        guard.begin(now, &who("dana", "+61491570006")).unwrap();
        for _ in 0..100 {
            let refused = guard.begin(now, &who("robin", "+61491570006"));
            assert_eq!(refused, Err(TooManyCalls::Number));
        }
        guard.begin(now, &who("robin", "+61491570156")).unwrap();
    }
}
