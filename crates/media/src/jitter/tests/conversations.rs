use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Heard, Listener};
use crate::jitter::{Arrival, Content, JitterBuffer, JitterStats, Play};

/// A sender of one 20 ms packet after another at 8 kHz, a network that delays each as it is told, and a listener.
struct World {
    seed: u64,
    listener: Listener,
    /// Arrival in milliseconds, and the packet.
    network: Vec<(u64, Arrival)>,
    now_ms: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            listener: Listener::new(Instant::now(), 8_000),
            network: Vec::new(),
            now_ms: 3,
        }
    }

    fn quiet(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.listener.is_quiet = true;
        world
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
            marker: false,
            ticks: 160,
            content: Content::Voice,
            payload: Bytes::copy_from_slice(&n.to_be_bytes()),
        };
        self.network.push((n * 20 + delay_ms, arrival));
    }

    /// The last packet sent.
    fn sent(&mut self) -> &mut Arrival {
        &mut self.network.last_mut().unwrap().1
    }

    /// Lets time pass until `ms`, in the order of arrival.
    fn run(&mut self, ms: u64) {
        self.network.sort_by_key(|(at, _)| *at);
        let mut network = std::mem::take(&mut self.network).into_iter().peekable();
        while self.now_ms < ms {
            while let Some((at, packet)) = network.next_if(|(at, _)| *at <= self.now_ms) {
                self.listener.push(at * 1_000, packet);
            }
            self.listener.frame(self.now_ms * 1_000);
            self.now_ms += 20;
        }
        self.network = network.collect();
    }

    /// The numbers of the packets played, in order.
    fn numbers(&self) -> Vec<u64> {
        self.listener
            .heard
            .iter()
            .filter_map(Heard::number)
            .collect()
    }

    /// Everything up to at least `last` was played, in order and once.
    fn expect_all(&self, last: u64) {
        let numbers = self.numbers();
        assert!(
            numbers.iter().copied().eq(0..numbers.len() as u64),
            "{numbers:?}"
        );
        assert!(numbers.last() >= Some(&last), "{numbers:?}");
    }

    fn stats(&self) -> JitterStats {
        self.listener.stats()
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
    let mut world = World::quiet(0);
    (0..1_000).for_each(|n| world.send(n, 30));
    world.run(19_000);
    let stats = world.stats();
    assert_eq!(stats.target_ms, 10);
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
        world.listener.is_quiet = true;
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

/// A stream without the packets of a gap. Some are late, so that there is a delay in which those after the gap are there in time.
fn with_a_gap(redundancy: bool, gap: Range<u64>) -> World {
    let mut world = World::new(0);
    world.listener.buffer.expect_redundancy(redundancy);
    for n in (0..250).filter(|n| !gap.contains(n)) {
        world.send(n, if n % 10 == 1 { 130 } else { 30 });
    }
    world
}

/// For how long something was made up at a time, and which packet was named as the next.
fn bridged(mut world: World) -> Vec<(u32, Option<u64>)> {
    world.run(4_900);
    let heard = world.listener.heard.iter();
    let at_the_gap = heard.skip_while(|heard| heard.at_us < 4_000_000);
    let lost = at_the_gap.filter_map(|heard| match &heard.play {
        Play::Lost { next, ticks } => Some((*ticks, next.as_deref().map(number))),
        _ => None,
    });
    lost.collect()
}

fn number(payload: &[u8]) -> u64 {
    u64::from_be_bytes(payload.try_into().unwrap())
}

#[test]
fn a_lost_packet_is_named_with_the_one_after_it() {
    for redundancy in [false, true] {
        assert_eq!(
            bridged(with_a_gap(redundancy, 207..208)),
            [(160, Some(208))]
        );
    }
}

#[test]
fn a_short_gap_is_bridged_at_once_unless_its_end_is_told_of_again() {
    assert_eq!(bridged(with_a_gap(false, 205..208)), [(480, Some(208))]);
    let one_by_one = [(160, None), (160, None), (160, Some(208))];
    assert_eq!(bridged(with_a_gap(true, 205..208)), one_by_one);
    let longer = [(160, None), (480, Some(208))];
    assert_eq!(bridged(with_a_gap(false, 204..208)), longer);
}

#[test]
fn the_background_after_a_lost_packet_is_no_voice_to_lead_to() {
    let mut world = with_a_gap(false, 207..208);
    // Number 208, since 207 is not there.
    world.network[207].1.content = Content::Noise;
    assert_eq!(bridged(world), [(160, None)]);
}

#[test]
fn a_gap_in_time_without_a_gap_in_numbers_is_silence() {
    let mut world = World::new(0);
    (0..50).for_each(|n| world.send(n, 30));
    (100..200).for_each(|n| world.send_numbered(n - 50, n, 30));
    world.run(3_900);
    let stats = world.stats();
    // Nothing waits while nobody speaks, and that cannot be told from a late packet for 60 ms.
    assert!(
        stats.concealed_time <= Duration::from_millis(60),
        "{stats:?}"
    );
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
        let packet = world.sent();
        packet.ssrc = 2;
        packet.timestamp = packet.timestamp.wrapping_add(123_456_789);
    }
    for n in 200..300_u64 {
        world.send(n, 30);
        let packet = world.sent();
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
        let mut world = World::quiet(0);
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
    for ms in [10, 30, 40, 50, 60] {
        let mut listener = Listener::new(Instant::now(), 8_000);
        for now_ms in 0..6_000_u64 {
            if now_ms % ms == 0 {
                let mut world = World::new(0);
                world.send_numbered(now_ms / ms, 0, 0);
                let packet = world.sent();
                packet.timestamp = now_ms as u32 * 8;
                packet.ticks = ms as u32 * 8;
                listener.push(now_ms * 1_000, packet.clone());
            }
            if now_ms % 20 == 7 {
                listener.frame(now_ms * 1_000);
            }
        }
        let stats = listener.stats();
        assert!(
            stats.played > 5_800 / ms && stats.concealed == 0,
            "{ms} ms: {stats:?}"
        );
        assert!(stats.shrunk + stats.stretched < 10, "{ms} ms: {stats:?}");
        assert!(stats.delay_ms <= 50 + ms / 2, "{ms} ms: {stats:?}");
    }
}

/// RFC 3389 §4, RFC 7587 §3.1.3: after a packet that describes the background nothing need come.
#[test]
fn a_sender_that_says_it_pauses_is_silent_and_not_lost() {
    let mut world = World::new(0);
    for n in 0..300_u64 {
        match n % 100 {
            0..50 => world.send_numbered(n - n / 100 * 49, n, 30),
            50 => {
                world.send_numbered(n - n / 100 * 49, n, 30);
                world.sent().content = Content::Noise;
            }
            _ => {}
        }
    }
    world.run(5_900);
    let stats = world.stats();
    assert_eq!(
        (stats.concealed, stats.lost, stats.late),
        (0, 0, 0),
        "{stats:?}"
    );
    assert!(
        stats.silence_time > Duration::from_millis(2_500),
        "{stats:?}"
    );
    assert_eq!(world.numbers().len(), 153);
}

/// A talk spurt whose time begins anew is played from its first packet on if the marker says so.
#[test]
fn a_marker_begins_anew_at_once() {
    let mut world = World::new(0);
    (0..100).for_each(|n| world.send(n, 30));
    for n in 100..200_u64 {
        world.send(n, 30);
        let packet = world.sent();
        packet.timestamp = packet.timestamp.wrapping_add(7_654_321);
        packet.marker = n == 100;
    }
    world.run(4_020);
    let stats = world.stats();
    assert_eq!(
        (stats.reanchored, stats.stray, stats.concealed),
        (1, 0, 0),
        "{stats:?}"
    );
    world.expect_all(197);
}

#[test]
fn numbers_that_begin_anew_lose_nothing() {
    let mut world = World::new(0);
    (0..100).for_each(|n| world.send(n, 30));
    (100..200_u64).for_each(|n| world.send_numbered(n + 20_000, n, 30));
    (200..300_u64).for_each(|n| world.send_numbered(n - 200, n, 30));
    world.run(6_020);
    let stats = world.stats();
    assert_eq!((stats.reanchored, stats.lost), (2, 0), "{stats:?}");
    expect_doubt_only(&stats);
    world.expect_all(297);
}

#[test]
fn a_storm_of_sequence_numbers_is_bounded_and_life_goes_on_after_it() {
    let mut world = World::new(5);
    (0..100).for_each(|n| world.send(n, 30));
    for n in 100..400_u64 {
        for _ in 0..5 {
            let (sequence, ssrc) = (world.random(65_536), world.random(3) as u32);
            world.send_numbered(sequence, n, 30);
            let packet = world.sent();
            packet.ssrc = ssrc;
        }
    }
    (400..600).for_each(|n| world.send(n, 30));
    world.run(12_000);
    let stats = world.stats();
    let beginnings = 7 * JitterBuffer::BEGINNINGS_MAX as u64;
    assert!(
        stats.reanchored <= beginnings && stats.stray > 500,
        "{stats:?}"
    );
    let after = world.numbers().iter().filter(|n| **n >= 400).count();
    assert!(after > 180, "{after} {stats:?}");
}

/// A beginning is believed with its second packet, 20 ms after the first: so much is made up where the delay is less, and no more.
pub(crate) fn expect_doubt_only(stats: &JitterStats) {
    let doubt = Duration::from_millis(20) * u32::try_from(stats.reanchored).unwrap();
    assert!(stats.concealed_time <= doubt, "{stats:?}");
}
