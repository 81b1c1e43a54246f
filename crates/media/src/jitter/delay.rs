use std::collections::VecDeque;

/// How late packets come relative to the quickest, and what delay covers nearly all of them.
///
/// All times in microseconds. A packet's transit is its arrival less its media time; only differences between transits mean anything.
#[derive(Clone, Debug)]
pub(super) struct DelayEstimate {
    /// The least transit in each of the last spans, newest last.
    least: VecDeque<(i64, i64)>,
    /// Weight of each delay of 5 ms steps; forgotten exponentially.
    histogram: [f32; Self::BUCKETS],
    /// Delay that a late packet has just asked for; sinks with time.
    peak_us: i64,
    peak_at_us: i64,
}

impl DelayEstimate {
    pub(super) const TARGET_US_MIN: i64 = 20_000;
    pub(super) const TARGET_US_MAX: i64 = 200_000;
    const BUCKETS: usize = 64;
    const BUCKET_US: i64 = 5_000;
    /// What is kept of the histogram with each packet: half after 7 s of speech.
    const FORGET: f32 = 0.998;
    /// The part of packets that should be in time.
    const QUANTILE: f32 = 0.97;
    /// The least transit is looked for in four spans of 500 ms, so that a drift of the clocks is followed.
    const SPAN_US: i64 = 500_000;
    const SPANS: usize = 4;
    /// What is assumed before anything is known, as if a packet had just been so late.
    const START_US: i64 = 60_000;
    /// How fast the memory of a late packet sinks: 10 ms in a second.
    const PEAK_SINKS_PER_SECOND_US: i64 = 10_000;

    pub(super) fn new(now_us: i64) -> Self {
        Self {
            least: VecDeque::new(),
            histogram: [0.0; Self::BUCKETS],
            peak_us: Self::START_US,
            peak_at_us: now_us,
        }
    }

    /// Forgets the transits, because the sender's clock began anew, but not how uneven the network is.
    pub(super) fn reanchor(&mut self) {
        self.least.clear();
    }

    /// Takes a packet's transit; returns its delay relative to the quickest.
    pub(super) fn packet(&mut self, now_us: i64, transit_us: i64) -> i64 {
        self.remember_least(now_us, transit_us);
        let delay_us = transit_us - self.least_us();
        for weight in &mut self.histogram {
            *weight *= Self::FORGET;
        }
        let bucket = usize::try_from(delay_us / Self::BUCKET_US)
            .unwrap_or(0)
            .min(Self::BUCKETS - 1);
        if let Some(weight) = self.histogram.get_mut(bucket) {
            *weight += 1.0;
        }
        delay_us
    }

    /// A packet missed its moment: the delay grows at once to what it would have needed.
    pub(super) fn was_late(&mut self, now_us: i64, delay_us: i64) {
        self.peak_us = self.peak_us(now_us).max(delay_us.min(Self::TARGET_US_MAX));
        self.peak_at_us = now_us;
    }

    /// The delay to play with.
    pub(super) fn target_us(&self, now_us: i64) -> i64 {
        self.quantile_us()
            .max(self.peak_us(now_us))
            .clamp(Self::TARGET_US_MIN, Self::TARGET_US_MAX)
    }

    /// The least transit of the last two seconds of packets.
    pub(super) fn least_us(&self) -> i64 {
        self.least
            .iter()
            .map(|(_, transit)| *transit)
            .min()
            .unwrap_or(0)
    }

    /// The transit that a stream would have whose packets are taken as quick from here on.
    pub(super) fn difference_us(&self, transit_us: i64) -> Option<i64> {
        (!self.least.is_empty()).then(|| transit_us - self.least_us())
    }

    fn remember_least(&mut self, now_us: i64, transit_us: i64) {
        match self.least.back_mut() {
            Some((begun, least)) if now_us - *begun < Self::SPAN_US => {
                *least = transit_us.min(*least)
            }
            _ => self.least.push_back((now_us, transit_us)),
        }
        if self.least.len() > Self::SPANS {
            self.least.pop_front();
        }
    }

    fn quantile_us(&self) -> i64 {
        let whole: f32 = self.histogram.iter().sum();
        let mut sum = 0.0;
        let covers = |weight: &f32| {
            sum += weight;
            sum >= whole * Self::QUANTILE
        };
        let bucket = self.histogram.iter().position(covers).unwrap_or(0);
        // The first bucket holds packets that were as good as quickest.
        i64::try_from(bucket).unwrap_or(0) * Self::BUCKET_US + Self::BUCKET_US
    }

    fn peak_us(&self, now_us: i64) -> i64 {
        let sunk = (now_us - self.peak_at_us) * Self::PEAK_SINKS_PER_SECOND_US / 1_000_000;
        (self.peak_us - sunk).max(0)
    }
}
