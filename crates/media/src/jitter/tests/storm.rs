//! Five minutes of packets through every kind of bad network, under many seeds. `HOUSECALL_STORMS=5000` asks for more seeds.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Heard, Listener, Network, Weather};
use crate::jitter::{Arrival, Content, JitterStats};

const STORMS: u64 = 200;
const PACKET_US: u64 = 20_000;
const PACKETS: u64 = 5 * 60 * 50;
/// Ten seconds of darkness in the middle.
const DARK_US: std::ops::Range<u64> = 150_000_000..160_000_000;

/// One stream in one weather.
struct Storm {
    seed: u64,
    weather: Weather,
    skew_ppm: i64,
    heard: Vec<Heard>,
    /// In each second, the longest delay aimed at.
    target_ms: Vec<u64>,
    /// In each second, what the quickest packet needed more than the least that the network takes.
    quickest_us: Vec<u64>,
    stats: JitterStats,
}

impl Storm {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            weather: Weather::of(seed),
            skew_ppm: [0, 300, -300][(seed / 15) as usize % 3],
            heard: Vec::new(),
            target_ms: vec![0; 300],
            quickest_us: vec![u64::MAX; 300],
            stats: JitterStats::default(),
        }
    }

    fn told(&self) -> String {
        format!(
            "seed {}, {:?}, {} ppm: {:?}",
            self.seed, self.weather, self.skew_ppm, self.stats
        )
    }

    fn run(mut self) -> Self {
        let mut arrivals = self.arrivals().into_iter().peekable();
        let mut listener = Listener::new(Instant::now(), 8_000);
        let phase_us = self.seed * 7_919 % PACKET_US;
        for frame in 0..PACKETS {
            let now_us = frame * PACKET_US + phase_us;
            while let Some((at_us, packet)) = arrivals.next_if(|(at_us, _)| *at_us <= now_us) {
                listener.push(at_us, packet);
            }
            listener.frame(now_us);
            let second = &mut self.target_ms[(now_us / 1_000_000).min(299) as usize];
            *second = listener.stats().target_ms.max(*second);
        }
        self.stats = listener.stats();
        self.heard = listener.heard;
        self
    }

    fn arrivals(&mut self) -> Vec<(u64, Arrival)> {
        let mut network = Network::new(self.weather, self.seed);
        network.darken(DARK_US);
        let packets = 0..PACKETS;
        let mut arrivals: Vec<(u64, Arrival)> = packets
            .flat_map(|n| {
                let arrivals = network.arrivals(self.sent_us(n));
                arrivals.into_iter().map(move |at_us| (at_us, packet(n)))
            })
            .collect();
        arrivals.sort_by_key(|(at_us, _)| *at_us);
        for (at_us, packet) in &arrivals {
            let n = u64::from_be_bytes(packet.payload.as_ref().try_into().unwrap());
            let needed_us = at_us - self.sent_us(n) - Network::LEAST_US;
            let quickest = &mut self.quickest_us[(at_us / 1_000_000).min(299) as usize];
            *quickest = needed_us.min(*quickest);
        }
        arrivals
    }

    /// What the quickest packet needed more than the least, in the two seconds that ended somewhere in this one.
    fn quickest_of_two_seconds_us(&self, second: usize) -> u64 {
        let quickest = |to: usize| self.quickest_us[to - 1..=to].iter().min().copied().unwrap();
        quickest(second - 1).max(quickest(second))
    }

    /// When the sender, whose clock is fast or slow, sends a packet.
    fn sent_us(&self, n: u64) -> u64 {
        let us = (n * PACKET_US) as i64;
        (us - us * self.skew_ppm / 1_000_000) as u64
    }

    /// When packets were heard, and how long after they were said, without the least that the network takes.
    fn delays_us(&self) -> impl Iterator<Item = (u64, u64)> {
        let heard = self.heard.iter();
        heard.filter_map(|heard| {
            let said_us = self.sent_us(heard.number()?) + Network::LEAST_US;
            Some((heard.at_us, heard.at_us - said_us))
        })
    }
}

fn packet(n: u64) -> Arrival {
    Arrival {
        ssrc: 7,
        sequence: (n + 65_000) as u16,
        timestamp: (n * 160).wrapping_sub(100_000) as u32,
        marker: n == 0,
        ticks: 160,
        content: Content::Voice,
        payload: Bytes::copy_from_slice(&n.to_be_bytes()),
    }
}

/// The storms that are asked for, weathered.
fn storms() -> impl Iterator<Item = Storm> {
    let asked = std::env::var("HOUSECALL_STORMS").ok();
    let storms = asked.map_or(STORMS, |asked| asked.parse().unwrap());
    (0..storms).map(|seed| Storm::new(seed).run())
}

#[test]
fn a_stream_of_five_minutes_lives_in_every_storm() {
    for storm in storms() {
        expect_life(&storm);
        expect_order(&storm);
        expect_delay(&storm);
        expect_light_after_darkness(&storm);
        expect_no_more_made_up_than_was_missing(&storm);
        expect_drift(&storm);
    }
}

/// What was not lost was played, but for what the delay is bounded for; and to the end.
fn expect_life(storm: &Storm) {
    let sent = PACKETS as f64 * (1.0 - storm.weather.loss) - 500.0;
    let played = storm.stats.played as f64;
    assert!(
        played > sent * 0.93,
        "{played} of {sent} played; {}",
        storm.told()
    );
    let end_us = PACKETS * PACKET_US - 3_000_000;
    assert!(
        storm.delays_us().any(|(at_us, _)| at_us > end_us),
        "{}",
        storm.told()
    );
}

fn expect_order(storm: &Storm) {
    let numbers = storm.heard.iter().filter_map(Heard::number);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{}", storm.told());
}

/// In each second the mean delay, relative to the quickest packet of two seconds, is at most 20 ms more than what is aimed at. In the
/// first two the quickest is not known yet.
fn expect_delay(storm: &Storm) {
    let mut seconds = vec![(0, 0); storm.target_ms.len()];
    for (at_us, delay_us) in storm.delays_us() {
        let (sum, count) = &mut seconds[(at_us / 1_000_000).min(299) as usize];
        *sum += delay_us;
        *count += 1;
    }
    for (second, (sum, count)) in seconds.iter().enumerate().skip(2) {
        let mean_us =
            (sum / (*count).max(1)).saturating_sub(storm.quickest_of_two_seconds_us(second));
        let (mean_ms, target_ms) = (mean_us / 1_000, storm.target_ms[second]);
        let told = || {
            format!(
                "{mean_ms} ms for {target_ms} ms in second {second}; {}",
                storm.told()
            )
        };
        assert!(mean_ms <= target_ms + 20, "{}", told());
        assert!(*count == 0 || (10..=200).contains(&target_ms), "{}", told());
    }
}

/// Sound is back 3 s after the network is.
fn expect_light_after_darkness(storm: &Storm) {
    let light_us = DARK_US.end + 3_000_000;
    let played = storm
        .delays_us()
        .filter(|(at_us, _)| (light_us..light_us + 1_000_000).contains(at_us));
    let expected = 50.0 * (1.0 - storm.weather.loss);
    assert!(played.count() as f64 > expected * 0.5, "{}", storm.told());
}

/// What is made up stands for what was lost or late, for 60 ms at a time at most when nothing comes at all, or for the moments in which
/// the delay grew.
fn expect_no_more_made_up_than_was_missing(storm: &Storm) {
    let stats = &storm.stats;
    let packet = Duration::from_micros(PACKET_US);
    let missing = packet * u32::try_from(stats.lost + stats.late).unwrap();
    let grown = packet * u32::try_from(stats.grown).unwrap();
    let bound = missing + grown + Duration::from_millis(100);
    assert!(stats.concealed_time <= bound, "{bound:?}; {}", storm.told());
}

fn expect_drift(storm: &Storm) {
    let error = (i64::from(storm.stats.drift_ppm) - storm.skew_ppm).abs();
    let bound = 30 + storm.weather.jitter_us as i64 / 250;
    assert!(error <= bound, "{error} ppm off; {}", storm.told());
}
