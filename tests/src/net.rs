//! A network in virtual time that loses, delays, reorders and duplicates, the same way for the same seed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How bad the network is, each way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// The part of packets that never arrive.
    pub(crate) loss: f64,
    /// The part of packets that arrive twice.
    pub(crate) duplication: f64,
    /// The least time on the way.
    pub(crate) delay: Duration,
    /// The most that is added to it; two packets less than this apart may overtake each other.
    pub(crate) jitter: Duration,
}

impl Weather {
    /// A loopback: nothing is lost.
    pub(crate) const CLEAR: Self = Self {
        loss: 0.0,
        duplication: 0.0,
        delay: Duration::from_millis(1),
        jitter: Duration::ZERO,
    };

    /// One packet in five lost, one in fifty doubled, and reordering.
    pub(crate) const STORM: Self = Self {
        loss: 0.2,
        duplication: 0.02,
        delay: Duration::from_millis(10),
        jitter: Duration::from_millis(40),
    };
}

/// Packets on their way.
#[derive(Debug)]
pub(crate) struct Net<P> {
    weather: Weather,
    random: StdRng,
    on_the_way: BTreeMap<(Instant, u64), P>,
    sent: u64,
}

impl<P: Clone> Net<P> {
    /// An empty network.
    pub(crate) fn new(weather: Weather, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self {
            weather,
            random,
            on_the_way: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Puts a packet on its way, if the weather lets it.
    pub(crate) fn send(&mut self, now: Instant, packet: P) {
        if self.random.random_bool(self.weather.loss) {
            return;
        }
        if self.random.random_bool(self.weather.duplication) {
            self.depart(now, packet.clone());
        }
        self.depart(now, packet);
    }

    fn depart(&mut self, now: Instant, packet: P) {
        let jitter = self.weather.jitter.mul_f64(self.random.random::<f64>());
        self.sent += 1;
        let arrival = now + self.weather.delay + jitter;
        self.on_the_way.insert((arrival, self.sent), packet);
    }

    /// Returns when the next packet arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.on_the_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes a packet that has arrived by `now`.
    pub(crate) fn arrived(&mut self, now: Instant) -> Option<P> {
        if self.next_arrival()? > now {
            return None;
        }
        self.on_the_way.pop_first().map(|(_, packet)| packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(weather: Weather, seed: u64) -> Vec<u32> {
        let start = Instant::now();
        let mut net = Net::new(weather, seed);
        for n in 0..1_000 {
            net.send(start + Duration::from_millis(u64::from(n)), n);
        }
        let end = start + Duration::from_secs(10);
        std::iter::from_fn(|| net.arrived(end)).collect()
    }

    #[test]
    fn clear_weather_brings_everything_in_order() {
        assert_eq!(arrivals(Weather::CLEAR, 1), (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_storm_loses_doubles_and_reorders_alike_for_one_seed() {
        let storm = arrivals(Weather::STORM, 7);
        let mut distinct = storm.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert!(
            (700..900).contains(&distinct.len()),
            "{} of 1000 arrived",
            distinct.len()
        );
        assert!(storm.len() > distinct.len(), "some arrive twice");
        assert!(!storm.is_sorted(), "some overtake others");
        assert_eq!(storm, arrivals(Weather::STORM, 7));
        assert_ne!(storm, arrivals(Weather::STORM, 8));
    }
}
