//! How much one person, and one number, may be rung (P6: toll fraud shows first as too many calls).

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Names kept at once; beyond it the ones with nothing to count are forgotten first.
const NAMES_MAX: usize = 10_000;

/// The limits on dialling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DialLimits {
    /// Calls one person may have in progress.
    pub per_caller_at_once: usize,
    /// Calls one person may start in a window.
    pub per_caller_in_window: usize,
    /// Calls that may be in progress to one number.
    pub per_number_at_once: usize,
    /// The length of the window.
    pub window: Duration,
}

impl Default for DialLimits {
    /// A person holds one call, and redials a busy line a few times; nobody needs ten calls a minute.
    fn default() -> Self {
        Self {
            per_caller_at_once: 2,
            per_caller_in_window: 10,
            per_number_at_once: 1,
            window: Duration::from_secs(60),
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
    /// The number is being rung or talked to already.
    #[error("this number is in a call already")]
    Number,
}

/// Counts calls in progress and recent starts.
#[derive(Debug)]
pub(crate) struct DialGuard {
    limits: DialLimits,
    in_progress: BTreeMap<(Kind, String), usize>,
    started: BTreeMap<String, VecDeque<Instant>>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Caller,
    Number,
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
    pub(crate) fn begin(
        &mut self,
        now: Instant,
        caller: &str,
        number: &str,
    ) -> Result<(), TooManyCalls> {
        self.forget_old(now);
        if self.count(Kind::Caller, caller) >= self.limits.per_caller_at_once {
            return Err(TooManyCalls::Caller {
                limit: self.limits.per_caller_at_once,
            });
        }
        if self.count(Kind::Number, number) >= self.limits.per_number_at_once {
            return Err(TooManyCalls::Number);
        }
        let recent = self.started.entry(caller.to_owned()).or_default();
        if recent.len() >= self.limits.per_caller_in_window {
            let (limit, window_s) = (
                self.limits.per_caller_in_window,
                self.limits.window.as_secs(),
            );
            return Err(TooManyCalls::Rate { limit, window_s });
        }
        recent.push_back(now);
        *self
            .in_progress
            .entry((Kind::Caller, caller.to_owned()))
            .or_default() += 1;
        *self
            .in_progress
            .entry((Kind::Number, number.to_owned()))
            .or_default() += 1;
        Ok(())
    }

    /// Counts an ended call out.
    pub(crate) fn end(&mut self, caller: &str, number: &str) {
        for key in [
            (Kind::Caller, caller.to_owned()),
            (Kind::Number, number.to_owned()),
        ] {
            if let Some(count) = self.in_progress.get_mut(&key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.in_progress.remove(&key);
                }
            }
        }
    }

    fn count(&self, kind: Kind, name: &str) -> usize {
        self.in_progress
            .get(&(kind, name.to_owned()))
            .copied()
            .unwrap_or(0)
    }

    fn forget_old(&mut self, now: Instant) {
        let window = self.limits.window;
        self.started.retain(|_, times| {
            while times
                .front()
                .is_some_and(|at| now.saturating_duration_since(*at) >= window)
            {
                times.pop_front();
            }
            !times.is_empty()
        });
        while self.started.len() >= NAMES_MAX {
            self.started.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> (DialGuard, Instant) {
        (DialGuard::new(DialLimits::default()), Instant::now())
    }

    #[test]
    fn p6_one_person_holds_at_most_two_calls() {
        let (mut guard, now) = guard();
        guard.begin(now, "dana", "+61491570006").unwrap();
        guard.begin(now, "dana", "+61491570156").unwrap();
        assert_eq!(
            guard.begin(now, "dana", "+61491570157"),
            Err(TooManyCalls::Caller { limit: 2 })
        );
        guard.end("dana", "+61491570006");
        guard.begin(now, "dana", "+61491570157").unwrap();
    }

    #[test]
    fn p6_a_number_is_rung_once_at_a_time() {
        let (mut guard, now) = guard();
        guard.begin(now, "dana", "+61491570006").unwrap();
        assert_eq!(
            guard.begin(now, "robin", "+61491570006"),
            Err(TooManyCalls::Number)
        );
    }

    #[test]
    fn p6_ten_starts_a_minute_and_no_more() {
        let (mut guard, now) = guard();
        for _ in 0..10 {
            guard.begin(now, "dana", "+61491570006").unwrap();
            guard.end("dana", "+61491570006");
        }
        let refused = guard.begin(now, "dana", "+61491570006");
        assert_eq!(
            refused,
            Err(TooManyCalls::Rate {
                limit: 10,
                window_s: 60
            })
        );
        let later = now + Duration::from_secs(60);
        guard.begin(later, "dana", "+61491570006").unwrap();
    }
}
