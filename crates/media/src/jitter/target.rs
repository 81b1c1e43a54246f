/// What delay covers nearly all packets: a quantile of the delays seen, which rises at once and sinks slowly.
///
/// All times in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Weight of each delay of 5 ms steps; forgotten exponentially.
    histogram: [f32; Self::BUCKETS],
    weight: f32,
    level_us: i64,
    level_at_us: i64,
    /// The part of packets that was lost lately, 0 to 1, and what is added so that their redundancy is there in time.
    lost: f32,
    redundancy_us: i64,
}

impl Target {
    pub(super) const US_MIN: i64 = 10_000;
    pub(super) const US_MAX: i64 = 200_000;
    const BUCKETS: usize = 64;
    const BUCKET_US: i64 = 5_000;
    /// How much less than is needed the delay may be before something is done about it.
    pub(super) const SHORT_US_MAX: i64 = 2_000;
    /// Rounded up by at least so much.
    const ROUNDING_US: i64 = Self::BUCKET_US / 2;
    /// What is kept of the histogram with each packet: half after 7 s of speech.
    const FORGET: f32 = 0.998;
    /// The part of packets that should be in time.
    const QUANTILE: f32 = 0.985;
    /// What is assumed before anything is known.
    const START_US: i64 = 40_000;
    /// How fast it sinks: no faster than the time-scale can follow, which leaves out 25 ms of the highest voice in a second.
    const SINKS_PER_SECOND_US: i64 = 20_000;
    /// Loss of more than this part makes it worth to wait for redundancy; it is forgotten by half in 3 s.
    const LOST_MIN: f32 = 0.01;
    const LOST_FORGET: f32 = 0.995;

    pub(super) fn new(now_us: i64) -> Self {
        Self {
            histogram: [0.0; Self::BUCKETS],
            weight: 0.0,
            level_us: Self::START_US,
            level_at_us: now_us,
            lost: 0.0,
            redundancy_us: 0,
        }
    }

    /// Takes a packet's delay.
    pub(super) fn packet(&mut self, now_us: i64, delay_us: i64) {
        for weight in &mut self.histogram {
            *weight *= Self::FORGET;
        }
        self.weight = self.weight * Self::FORGET + 1.0;
        let bucket = usize::try_from(delay_us / Self::BUCKET_US).unwrap_or(0);
        if let Some(weight) = self.histogram.get_mut(bucket.min(Self::BUCKETS - 1)) {
            *weight += 1.0;
        }
        self.at_least(now_us, 0);
    }

    /// A packet that was late by its delay: it rises to that at once.
    pub(super) fn late(&mut self, now_us: i64, delay_us: i64) {
        self.at_least(now_us, delay_us);
    }

    /// A packet was played in its turn, or was lost. `redundancy_us` is how long after it the one that holds it again comes; 0 if none does.
    pub(super) fn turn(&mut self, lost: bool, redundancy_us: i64) {
        let lost = if lost { 1.0 } else { 0.0 };
        self.lost = self.lost * Self::LOST_FORGET + lost * (1.0 - Self::LOST_FORGET);
        self.redundancy_us = if self.lost > Self::LOST_MIN {
            redundancy_us
        } else {
            0
        };
    }

    /// The delay to play with, in whole steps of the histogram.
    pub(super) fn us(&mut self, now_us: i64) -> i64 {
        self.at_least(now_us, 0);
        self.level_us
    }

    /// How much of that is to be played with: what packets are known to need, and what the moments of playing may be short of. The rest is
    /// rounding.
    pub(super) fn needed_us(&mut self, now_us: i64) -> i64 {
        let (_, rest_us) = self.quantile_us();
        let known_us = self.us(now_us) - rest_us;
        (known_us + Self::SHORT_US_MAX).max(Self::US_MIN - Self::ROUNDING_US)
    }

    /// Whether less would not be enough for any network.
    pub(super) fn is_least(&self) -> bool {
        self.level_us == Self::US_MIN
    }

    fn at_least(&mut self, now_us: i64, least_us: i64) {
        let passed_us = (now_us - self.level_at_us).clamp(0, 10_000_000);
        let floor_us = self.quantile_us().0 + self.redundancy_us;
        let sunk_us = self.level_us - passed_us * Self::SINKS_PER_SECOND_US / 1_000_000;
        self.level_us = sunk_us
            .max(floor_us)
            .max(least_us)
            .clamp(Self::US_MIN, Self::US_MAX);
        self.level_at_us = now_us;
    }

    /// The quantile, rounded up to a whole step, and how much of that is rounding; nothing before the first packet.
    fn quantile_us(&self) -> (i64, i64) {
        let mut wanted = self.weight * Self::QUANTILE;
        for (weight, begin) in self.histogram.iter().zip(0..) {
            if wanted <= *weight && *weight > 0.0 {
                let within = (Self::BUCKET_US as f32 * wanted / weight) as i64;
                return rounded(begin * Self::BUCKET_US + within);
            }
            wanted -= weight;
        }
        (0, 0)
    }
}

/// At least half a step more, in whole steps; and how much more that is.
fn rounded(micros: i64) -> (i64, i64) {
    let steps = (micros + Target::ROUNDING_US + Target::BUCKET_US - 1) / Target::BUCKET_US;
    (
        steps * Target::BUCKET_US,
        steps * Target::BUCKET_US - micros,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(target: &mut Target, from_ms: i64, delays_ms: impl Iterator<Item = i64>) -> i64 {
        let mut now_us = from_ms * 1_000;
        for delay_ms in delays_ms {
            now_us += 20_000;
            target.packet(now_us, delay_ms * 1_000);
        }
        target.us(now_us)
    }

    #[test]
    fn it_is_the_delay_that_nearly_all_packets_have() {
        let mut target = Target::new(0);
        assert_eq!(target.us(0), 40_000);
        assert_eq!(after(&mut target, 0, (0..500).map(|_| 0)), 10_000);
        let even = after(&mut target, 10_000, (0..2_000).map(|n| n * 37 % 80));
        assert_eq!(even, 85_000);
        let seldom = after(
            &mut target,
            50_000,
            (0..4_000).map(|n| if n % 100 == 0 { 150 } else { 3 }),
        );
        assert_eq!(seldom, 10_000, "one in a hundred is not waited for");
        let worse = after(&mut target, 130_000, (0..1_000).map(|n| n % 400));
        assert_eq!(worse, 200_000);
    }

    #[test]
    fn it_rises_at_once_and_sinks_slowly() {
        let mut target = Target::new(0);
        after(&mut target, 0, (0..500).map(|_| 0));
        target.late(10_000_000, 140_000);
        assert_eq!(target.us(10_000_000), 140_000);
        assert_eq!(target.us(12_000_000), 100_000);
        assert_eq!(target.us(20_000_000), 10_000);
    }

    #[test]
    fn redundancy_is_waited_for_while_packets_are_lost() {
        let mut target = Target::new(0);
        after(&mut target, 0, (0..500).map(|_| 0));
        (0..100).for_each(|n| target.turn(n % 20 == 0, 20_000));
        assert_eq!(target.us(10_000_000), 30_000);
        (0..1_000).for_each(|_| target.turn(false, 20_000));
        assert_eq!(target.us(20_000_000), 10_000);
    }
}
