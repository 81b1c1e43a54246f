//! A bad network on the way to a server: what it loses and delays is the same for every server.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// The part of packets that is lost, in Gilbert-Elliott bursts of two on average.
    pub loss: f64,
    /// The longest delay; each packet has one of its own, all equally likely, so packets overtake each other.
    pub jitter: Duration,
}

impl Impairment {
    /// A perfect network.
    pub const NONE: Self = Self {
        loss: 0.0,
        jitter: Duration::ZERO,
    };
}

/// The chance that a burst of losses ends with a packet.
const BURST_END: f64 = 0.5;

/// The way of one leg's packets to the server.
#[derive(Debug)]
pub struct Network {
    impairment: Impairment,
    seed: u64,
    random: SmallRng,
    losing: bool,
    /// Packets on their way, the next to arrive on top.
    travelling: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    count: u64,
}

impl Network {
    /// A network whose fate is decided by `seed`.
    pub fn new(impairment: Impairment, seed: u64) -> Self {
        Self {
            impairment,
            seed,
            random: SmallRng::seed_from_u64(seed),
            losing: false,
            travelling: BinaryHeap::new(),
            count: 0,
        }
    }

    /// Begins its fate again, so that what follows meets the same one however much went before.
    pub fn restart(&mut self) {
        self.random = SmallRng::seed_from_u64(self.seed);
        self.losing = false;
    }

    /// Takes a packet on its way, or loses it.
    pub fn send(&mut self, now: Instant, packet: Vec<u8>) {
        // Both are drawn for each packet, so that loss does not depend on jitter nor jitter on loss.
        let (turn, wait) = (self.random.random::<f64>(), self.random.random::<f64>());
        if self.loses(turn) {
            return;
        }
        let arrives = now + self.impairment.jitter.mul_f64(wait);
        self.count += 1;
        self.travelling.push(Reverse((arrives, self.count, packet)));
    }

    /// A packet that has arrived by now.
    pub fn arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        let Reverse((at, ..)) = self.travelling.peek()?;
        if *at > now {
            return None;
        }
        self.travelling.pop().map(|Reverse((_, _, packet))| packet)
    }

    /// When the next packet arrives.
    pub fn next(&self) -> Option<Instant> {
        self.travelling.peek().map(|Reverse((at, ..))| *at)
    }

    fn loses(&mut self, turn: f64) -> bool {
        let Impairment { loss, .. } = self.impairment;
        let begins = BURST_END * loss / (1.0 - loss);
        self.losing = if self.losing {
            turn >= BURST_END
        } else {
            turn < begins
        };
        self.losing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many that bursts of two say little by chance: a standard deviation is 6 % of one loss in a hundred.
    const SENT: usize = 100_000;

    fn lost(loss: f64, seed: u64, network: &mut Network) -> Vec<bool> {
        let now = Instant::now();
        *network = Network::new(
            Impairment {
                loss,
                jitter: Duration::ZERO,
            },
            seed,
        );
        let fate = (0..SENT).map(|_| {
            network.send(now, Vec::new());
            network.arrived(now).is_none()
        });
        fate.collect()
    }

    #[test]
    fn so_many_are_lost_and_the_same_for_everybody() {
        let mut network = Network::new(Impairment::NONE, 0);
        for loss in [0.0, 0.01, 0.03, 0.1] {
            for seed in 0..5 {
                let fate = lost(loss, seed, &mut network);
                let part = fate.iter().filter(|lost| **lost).count() as f64 / SENT as f64;
                assert!((part - loss).abs() <= 0.25 * loss, "seed {seed}: {part}");
                assert_eq!(fate, lost(loss, seed, &mut network), "seed {seed}");
            }
        }
    }

    #[test]
    fn jitter_overtakes_and_stays_below_its_limit() {
        let now = Instant::now();
        let jitter = Duration::from_millis(80);
        let mut network = Network::new(Impairment { loss: 0.0, jitter }, 1);
        (0..100).for_each(|number| network.send(now, vec![number]));
        let order: Vec<_> = std::iter::from_fn(|| network.arrived(now + jitter)).collect();
        assert_eq!(order.len(), 100);
        assert!(!order.is_sorted());
        assert_eq!(network.next(), None);
    }
}
