//! Bad networks in virtual time, for the tests of who carries sound.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How bad a network is, on one way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// The part of packets that are lost, in bursts (Gilbert and Elliott).
    pub loss: f64,
    /// Packets in such a burst, on average.
    pub burst: f64,
    /// The most that a packet is delayed by, evenly from none, without overtaking.
    pub jitter_us: u64,
    /// How long the way stands still now and then, giving everything at once after it.
    pub stall_us: u64,
    /// The part of packets that take a detour, so that others overtake them.
    pub reordering: f64,
    /// The part of packets that arrive twice.
    pub duplication: f64,
}

impl Weather {
    /// The weather of a seed: each loss with each jitter, with and without the rest.
    pub fn of(seed: u64) -> Self {
        let pick = |divisor: u64, of: &[u64]| {
            let choice = (seed / divisor) as usize % of.len();
            of.get(choice).copied().unwrap_or_default()
        };
        Self {
            loss: pick(1, &[0, 10, 30, 100, 200]) as f64 / 1_000.0,
            burst: 1.0 + pick(45, &[0, 1, 2]) as f64,
            jitter_us: pick(5, &[0, 30_000, 80_000]),
            stall_us: pick(90, &[0, 120_000]),
            reordering: pick(15, &[0, 1, 2]) as f64 / 100.0,
            duplication: pick(30, &[0, 2]) as f64 / 100.0,
        }
    }
}

/// A way through a network in virtual time: tells when a packet arrives, the same way for the same seed.
#[derive(Debug)]
pub struct Network {
    weather: Weather,
    random: StdRng,
    is_bad: bool,
    /// Before this, nothing that keeps its place in the row arrives.
    last_us: u64,
    stall_until_us: u64,
    /// When nothing at all arrives.
    dark_us: std::ops::Range<u64>,
}

impl Network {
    /// The least time on the way.
    pub const LEAST_US: u64 = 20_000;
    /// How often the way stands still, at most, on average.
    const STALL_EVERY: f64 = 400.0;
    /// The detour of a packet that is overtaken, at most.
    const DETOUR_US: u64 = 60_000;
    /// The part of packets that are lost even while the network is good, relative to all that are lost.
    const STRAY_LOSS: f64 = 0.1;

    /// Begins in good weather, or what passes for it.
    pub fn new(weather: Weather, seed: u64) -> Self {
        Self {
            weather,
            random: StdRng::seed_from_u64(seed),
            is_bad: false,
            last_us: 0,
            stall_until_us: 0,
            dark_us: 0..0,
        }
    }

    /// Lets nothing through for a while.
    pub fn darken(&mut self, us: std::ops::Range<u64>) {
        self.dark_us = us;
    }

    /// When a packet arrives that is sent at `us`: never, once, or twice.
    pub fn arrivals(&mut self, us: u64) -> Vec<u64> {
        if self.loses() || self.dark_us.contains(&us) {
            return Vec::new();
        }
        let at_us = self.arrival(us);
        if !self.random.random_bool(self.weather.duplication) {
            return vec![at_us];
        }
        vec![at_us, at_us + self.random.random_range(0..30_000)]
    }

    /// Two states: in the bad one everything is lost; they change so that the mean length of a burst and the loss are as asked.
    fn loses(&mut self) -> bool {
        let Weather { loss, burst, .. } = self.weather;
        let in_bursts = loss * (1.0 - Self::STRAY_LOSS);
        let leave = 1.0 / burst.max(1.0);
        let enter = leave * in_bursts / (1.0 - in_bursts);
        self.is_bad = self.random.random_bool(if self.is_bad {
            1.0 - leave
        } else {
            enter.min(1.0)
        });
        self.is_bad || self.random.random_bool(loss * Self::STRAY_LOSS)
    }

    fn arrival(&mut self, us: u64) -> u64 {
        let jitter_us = self.random.random_range(0..=self.weather.jitter_us);
        let at_us = us + Self::LEAST_US + jitter_us;
        if self.random.random_bool(self.weather.reordering) {
            return at_us + self.random.random_range(10_000..Self::DETOUR_US);
        }
        if self.weather.stall_us > 0 && self.random.random_bool(1.0 / Self::STALL_EVERY) {
            self.stall_until_us = at_us + self.weather.stall_us;
        }
        self.last_us = at_us.max(self.last_us).max(self.stall_until_us);
        self.last_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weather_is_as_bad_as_it_says() {
        for loss in [0.0, 0.01, 0.03, 0.1, 0.2] {
            let weather = Weather {
                loss,
                burst: 2.5,
                jitter_us: 80_000,
                reordering: 0.02,
                duplication: 0.02,
                ..Weather::default()
            };
            let arrivals = |seed| -> Vec<Vec<u64>> {
                let mut network = Network::new(weather, seed);
                (0..50_000).map(|n| network.arrivals(n * 20_000)).collect()
            };
            let some = arrivals(1);
            let lost = some.iter().filter(|arrivals| arrivals.is_empty()).count() as f64 / 50_000.0;
            assert!((lost - loss).abs() <= 0.15 * loss, "{lost} lost for {loss}");
            let late = some
                .iter()
                .zip(0..)
                .flat_map(|(at, n)| at.iter().map(move |at| at - n * 20_000));
            let (least, most) = late.fold((u64::MAX, 0), |(least, most), us| {
                (least.min(us), most.max(us))
            });
            assert!(
                least < Network::LEAST_US + 1_000 && most > 120_000,
                "{least} {most}"
            );
            assert!(!some.concat().is_sorted(), "some overtake others");
            assert!(some.concat().len() > some.iter().filter(|at| !at.is_empty()).count());
            assert_eq!(some, arrivals(1));
            assert_ne!(some, arrivals(2));
        }
    }
}
