use std::time::{Duration, Instant};

/// So many at once, refilled at a steady rate: a token bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// The time that one token takes to come back.
    period: Duration,
    /// How far the bucket may run ahead of the clock: the burst, in time.
    depth: Duration,
    /// When the bucket is full again. A full bucket needs no upkeep, and forgetting it forgets nothing.
    full_at: Instant,
}

impl Bucket {
    /// A full bucket of `burst` tokens, of which `a_second` come back. At least one of each.
    pub(super) fn new(now: Instant, a_second: u32, burst: u32) -> Self {
        let period = Duration::from_secs(1) / a_second.max(1);
        Self {
            period,
            depth: period.saturating_mul(burst.max(1)),
            full_at: now,
        }
    }

    /// Takes a token if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.period;
        if full_at > now + self.depth {
            return false;
        }
        self.full_at = full_at;
        true
    }

    /// When there is a token again; in the past if there is one.
    pub(super) fn ready_at(&self) -> Instant {
        let room = self.depth.saturating_sub(self.period);
        self.full_at.checked_sub(room).unwrap_or(self.full_at)
    }

    /// Whether nothing of the bucket is taken.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let now = Instant::now();
        let mut bucket = Bucket::new(now, 10, 3);
        assert_eq!((0..9).filter(|_| bucket.take(now)).count(), 3);
        assert_eq!(bucket.ready_at(), now + Duration::from_millis(100));
        let later = now + Duration::from_secs(1);
        let taken = (0..1000)
            .filter(|ms| bucket.take(now + Duration::from_millis(*ms)))
            .count();
        assert_eq!(taken, 9);
        assert!(!bucket.is_full(later) && bucket.is_full(later + Duration::from_millis(300)));
    }
}
