use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;

/// A sender of one 20 ms packet after another at 8 kHz, a network that delays each as it is told, and a listener who pulls every 20 ms.
struct World {
    seed: u64,
    start: Instant,
    buffer: JitterBuffer,
    /// Arrival in milliseconds, and the packet.
    network: Vec<(u64, Arrival)>,
    heard: Vec<Play>,
    now_ms: u64,
    quiet: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            start: Instant::now(),
            buffer: JitterBuffer::new(8_000),
            network: Vec::new(),
            heard: Vec::new(),
            now_ms: 3,
            quiet: false,
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below.max(1)
    }

    /// Packet `n`, spoken at `20 n` ms, which arrives `delay_ms` later. Its payload is its number.
    fn send(&mut self, n: u64, delay_ms: u64) {
        self.send_numbered(n, n, delay_ms);
    }

    fn send_numbered(&mut self, sequence: u64, n: u64, delay_ms: u64) {
        let arrival = Arrival {
            ssrc: 1,
            sequence: (sequence + 65_500) as u16,
            timestamp: (n * 160 + 0xffff_f000) as u32,
            ticks: 160,
            payload: Bytes::copy_from_slice(&n.to_be_bytes()),
        };
        self.network.push((n * 20 + delay_ms, arrival));
    }

    /// Lets time pass until `ms`, in the order of arrival.
    fn run(&mut self, ms: u64) {
        self.network.sort_by_key(|(at, _)| *at);
        while self.now_ms < ms {
            while self
                .network
                .first()
                .is_some_and(|(at, _)| *at <= self.now_ms)
            {
                let (at, packet) = self.network.remove(0);
                self.buffer
                    .push(self.start + Duration::from_millis(at), packet);
            }
            let play = self
                .buffer
                .pull(self.start + Duration::from_millis(self.now_ms), self.quiet);
            self.heard.push(play);
            self.now_ms += 20;
        }
    }

    /// The numbers of the packets played, in order.
    fn numbers(&self) -> Vec<u64> {
        self.heard.iter().filter_map(number).collect()
    }

    fn stats(&self) -> JitterStats {
        self.buffer.stats()
    }
}

fn number(play: &Play) -> Option<u64> {
    match play {
        Play::Packet { payload, .. } => payload.as_ref().try_into().ok().map(u64::from_be_bytes),
        _ => None,
    }
}

#[test]
fn an_even_stream_is_played_whole_and_soon() {
    let mut world = World::new(0);
    (0..500).for_each(|n| world.send(n, 30));
    world.run(10_030);
    let stats = world.stats();
    assert_eq!(
        world.numbers(),
        (0..world.numbers().len() as u64).collect::<Vec<_>>()
    );
    assert_eq!(
        (stats.late, stats.concealed, stats.reanchored),
        (0, 0, 0),
        "{stats:?}"
    );
    assert!(world.numbers().len() > 490);
    assert!(stats.delay_ms <= 80, "{stats:?}");
}

#[test]
fn in_quiet_the_delay_sinks_to_its_least() {
    let mut world = World::new(0);
    world.quiet = true;
    (0..1_000).for_each(|n| world.send(n, 30));
    world.run(19_000);
    let stats = world.stats();
    assert_eq!(stats.target_ms, 20);
    assert!(stats.delay_ms < 60 && stats.shrunk > 0, "{stats:?}");
}

#[test]
fn jitter_is_covered_and_the_delay_shrinks_when_it_is_over() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        for n in 0..1_000 {
            let jitter = world.random(80);
            world.send(n, 20 + jitter);
        }
        (1_000..3_000).for_each(|n| world.send(n, 20));
        world.run(20_000);
        let rough = world.stats();
        assert!(rough.concealed < 30, "seed {seed}: {rough:?}");
        assert!(
            rough.delay_ms >= 60 && rough.delay_ms <= 200,
            "seed {seed}: {rough:?}"
        );
        world.quiet = true;
        world.run(59_000);
        let calm = world.stats();
        assert!(calm.delay_ms < 60, "seed {seed}: {calm:?}");
        let numbers = world.numbers();
        assert!(numbers.is_sorted(), "seed {seed}");
    }
}

#[test]
fn a_delay_never_stays_beyond_its_bound_even_in_endless_sound() {
    let mut world = World::new(0);
    for n in 0..2_000 {
        // The network stops for 600 ms and then gives all at once.
        let held = if (100..130).contains(&n) {
            (130 - n) * 20
        } else {
            0
        };
        world.send(n, 20 + held);
    }
    world.run(39_000);
    let stats = world.stats();
    assert!(stats.delay_ms <= 150, "{stats:?}");
    assert!(world.numbers().is_sorted());
}

#[test]
fn a_lost_packet_is_named_with_the_one_after_it() {
    let mut world = World::new(0);
    (0..100)
        .filter(|n| n % 10 != 7)
        .for_each(|n| world.send(n, 30));
    world.run(1_900);
    let lost: Vec<&Play> = world
        .heard
        .iter()
        .filter(|play| matches!(play, Play::Lost { .. }))
        .collect();
    assert_eq!(lost.len(), 9, "{:?}", world.stats());
    let next = Bytes::copy_from_slice(&8_u64.to_be_bytes());
    assert_eq!(
        lost[0],
        &Play::Lost {
            next: Some(next),
            ticks: 160
        }
    );
}

#[test]
fn a_gap_in_time_without_a_gap_in_numbers_is_silence() {
    let mut world = World::new(0);
    (0..50).for_each(|n| world.send(n, 30));
    (100..200).for_each(|n| world.send_numbered(n - 50, n, 30));
    world.run(3_900);
    let stats = world.stats();
    // Nothing waits while nobody speaks, and that cannot be told from a late packet for 60 ms.
    assert!(stats.concealed <= 3, "{stats:?}");
    assert_eq!((stats.late, stats.reanchored), (0, 0), "{stats:?}");
    assert!(world.numbers().len() >= 140);
}

#[test]
fn disorder_and_duplicates_are_put_right() {
    let mut world = World::new(0);
    for n in 0..300 {
        let delay = if n % 5 == 0 { 65 } else { 20 };
        world.send(n, delay);
        if n % 7 == 0 {
            world.send(n, delay + 3);
        }
    }
    world.run(6_000);
    let stats = world.stats();
    assert!(world.numbers().is_sorted());
    assert_eq!(stats.duplicate, 43, "{stats:?}");
    assert!(stats.late <= 2 && world.numbers().len() > 285, "{stats:?}");
}

#[test]
fn a_new_source_and_a_jump_in_time_begin_anew_and_sound_goes_on() {
    let mut world = World::new(0);
    (0..100).for_each(|n| world.send(n, 30));
    for n in 100..200_u64 {
        world.send(n, 30);
        let (_, packet) = world.network.last_mut().unwrap();
        packet.ssrc = 2;
        packet.timestamp = packet.timestamp.wrapping_add(123_456_789);
    }
    for n in 200..300_u64 {
        world.send(n, 30);
        let (_, packet) = world.network.last_mut().unwrap();
        packet.ssrc = 2;
        packet.timestamp = packet.timestamp.wrapping_sub(999_999);
    }
    world.run(6_000);
    let stats = world.stats();
    assert_eq!(stats.reanchored, 2, "{stats:?}");
    // Each beginning costs its own delay, no more.
    assert!(
        world.numbers().len() > 285,
        "{} {stats:?}",
        world.numbers().len()
    );
}

#[test]
fn a_way_that_became_longer_is_followed() {
    let mut world = World::new(0);
    (0..200).for_each(|n| world.send(n, 30));
    (200..500).for_each(|n| world.send(n, 430));
    world.run(10_300);
    let stats = world.stats();
    let after: Vec<u64> = world.numbers().into_iter().filter(|n| *n >= 230).collect();
    assert!(after.len() > 240, "{} {stats:?}", after.len());
}

#[test]
fn clocks_that_drift_never_run_it_dry_or_full() {
    for drift_per_thousand in [-1_i64, 1] {
        let mut world = World::new(0);
        world.quiet = true;
        for n in 0..6_000_i64 {
            let shift = (n * 20 * drift_per_thousand / 1_000 + 200) as u64;
            world.send(n as u64, shift);
        }
        world.run(115_000);
        let stats = world.stats();
        assert!(stats.delay_ms < 100, "{stats:?}");
        assert!(stats.concealed < 20 && stats.reanchored == 0, "{stats:?}");
    }
}

#[test]
fn what_came_while_the_listener_stood_still_is_left_behind() {
    let mut world = World::new(0);
    (0..300).for_each(|n| world.send(n, 30));
    world.run(2_000);
    world.now_ms += 1_000;
    world.run(5_900);
    let stats = world.stats();
    assert!(stats.delay_ms <= 100, "{stats:?}");
    assert!(
        world.numbers().is_sorted() && world.numbers().len() > 230,
        "{stats:?}"
    );
}

#[test]
fn packets_of_other_lengths_are_played_in_their_length() {
    let (start, mut buffer) = (Instant::now(), JitterBuffer::new(8_000));
    let mut played = 0;
    let mut left = 0_i64;
    for ms in 0..3_000_u64 {
        let now = start + Duration::from_millis(ms);
        if ms % 30 == 0 {
            let n = ms / 30;
            let payload = Bytes::from_static(&[0; 240]);
            buffer.push(
                now,
                Arrival {
                    ssrc: 1,
                    sequence: n as u16,
                    timestamp: n as u32 * 240,
                    ticks: 240,
                    payload,
                },
            );
        }
        while ms % 20 == 7 && left < 160 {
            left += match buffer.pull(now, false) {
                Play::Packet { ticks, .. } => {
                    played += 1;
                    i64::from(ticks)
                }
                Play::Lost { ticks, .. } | Play::Silence { ticks } => i64::from(ticks),
            };
        }
        left -= if ms % 20 == 7 { 160 } else { 0 };
    }
    assert!(
        played > 94 && buffer.stats().concealed == 0,
        "{played} {:?}",
        buffer.stats()
    );
}

/// Whatever comes, in whatever order: it ends, it is bounded, and it gives a frame of sensible length.
#[test]
fn hostile_streams_are_bounded() {
    for seed in 0..50 {
        let mut world = World::new(seed);
        for _ in 0..2_000 {
            let ticks = world.random(100_000) as u32;
            let packet = Arrival {
                ssrc: world.random(2) as u32,
                sequence: world.random(65_536) as u16,
                timestamp: (world.random(1 << 31) * world.random(3)) as u32,
                ticks,
                payload: Bytes::new(),
            };
            let now = world.start + Duration::from_millis(world.random(5_000));
            world.buffer.push(now, packet);
            let (Play::Packet { ticks, .. } | Play::Lost { ticks, .. } | Play::Silence { ticks }) =
                world.buffer.pull(now, false);
            assert!((1..=960).contains(&ticks), "seed {seed}: {ticks}");
        }
        assert_eq!(world.stats().received, 2_000, "seed {seed}");
    }
}
