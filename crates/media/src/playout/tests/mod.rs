//! A tone through a bad network, heard.

mod property;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::coder::{CodecError, encoder};
use crate::jitter::tests::expect_doubt_only;
use crate::opus::OpusSettings;
use crate::sdp::Codec;
use crate::testing::{Network, Weather};
use crate::{Frame, Sine, level, level_at};

/// Linear samples as they are: what is heard is due to the playout alone.
#[derive(Debug)]
struct Linear;

impl Decoder for Linear {
    fn decode(&mut self, payload: &[u8], sound: &mut Vec<i16>) -> Result<(), CodecError> {
        sound.extend(
            payload
                .chunks_exact(2)
                .map(|two| i16::from_le_bytes([two[0], two[1]])),
        );
        let whole = payload.len().is_multiple_of(2);
        whole.then_some(()).ok_or(CodecError::empty(Codec::Pcma))
    }

    fn peek(&self, next: &[u8], sound: &mut Vec<i16>) -> bool {
        Self.decode(next, sound).is_ok()
    }
}

struct World {
    rate: Rate,
    start: Instant,
    playout: Playout,
    /// Arrival in microseconds, and the packet.
    network: Vec<(u64, Arrival)>,
    now_us: u64,
    heard: Vec<i16>,
}

impl World {
    const PEAK: f32 = 16_422.0;
    const DBFS: f32 = -6.0;

    fn new(rate: Rate) -> Self {
        Self {
            rate,
            start: Instant::now(),
            playout: Playout::new(rate.hertz(), rate, Box::new(Linear)),
            network: Vec::new(),
            now_us: 7_000,
            heard: Vec::new(),
        }
    }

    fn frame(&self) -> usize {
        self.rate.samples(20)
    }

    fn tone(&self, hertz: f32) -> Sine {
        Sine::new(hertz * 8_000.0 / self.rate.hertz() as f32, Self::DBFS)
    }

    fn packet(&self, n: u64, sound: &[i16]) -> Arrival {
        Arrival {
            ssrc: 3,
            sequence: n as u16,
            timestamp: (n * self.frame() as u64) as u32,
            marker: n == 0,
            ticks: sound.len() as u32,
            content: Content::Voice,
            payload: sound
                .iter()
                .flat_map(|sample| sample.to_le_bytes())
                .collect(),
        }
    }

    /// Sends a tone for some seconds by a clock that is off by `skew_ppm`.
    fn send_tone(&mut self, hertz: f32, seconds: u64, skew_ppm: i64, network: &mut Network) {
        let mut tone = self.tone(hertz);
        for n in 0..seconds * 50 {
            let sound: Vec<i16> = (0..self.frame()).map(|_| tone.sample() as i16).collect();
            let us = n as i64 * 20_000;
            for at_us in network.arrivals((us - us * skew_ppm / 1_000_000) as u64) {
                let packet = self.packet(n, &sound);
                self.network.push((at_us, packet));
            }
        }
    }

    fn run(&mut self, seconds: u64) {
        self.network.sort_by_key(|(at_us, _)| *at_us);
        let mut network = std::mem::take(&mut self.network).into_iter().peekable();
        while self.now_us < seconds * 1_000_000 {
            while let Some((at_us, packet)) = network.next_if(|(at_us, _)| *at_us <= self.now_us) {
                self.playout
                    .push(self.start + Duration::from_micros(at_us), packet);
            }
            let mut frame = vec![0; self.frame()];
            self.playout
                .fill(self.start + Duration::from_micros(self.now_us), &mut frame);
            self.heard.extend(frame);
            self.now_us += 20_000;
        }
    }

    fn stats(&self) -> JitterStats {
        self.playout.stats()
    }

    /// The largest step from one sample to the next.
    fn steepest(&self) -> f32 {
        let steps = self
            .heard
            .windows(2)
            .map(|two| (f32::from(two[1]) - f32::from(two[0])).abs());
        steps.fold(0.0, f32::max)
    }

    /// The largest step that a tone can have where nothing clicks. By itself it has its own steepness. Where it melts into itself at another
    /// phase over 5 ms, what is heard moves by at most twice the amplitude in that time besides. Where a repetition begins, it is moved
    /// by at most twice the amplitude, which is taken back over a quarter of the shortest period, 625 µs; it is played by up to its full
    /// gain, and three such things may come together.
    fn steepest_without_click(&self, hertz: f32) -> f32 {
        let own = 2.0 * (std::f32::consts::PI * hertz / self.rate.hertz() as f32).sin();
        let melting = 2.0 / (self.rate.hertz() as f32 * 0.005);
        let repeating = 2.0 / (self.rate.hertz() as f32 * 0.000_625);
        Self::PEAK * (own + 2.0 * melting + repeating)
    }

    fn expect_no_click(&self, hertz: f32) {
        let (steepest, bound) = (self.steepest(), self.steepest_without_click(hertz));
        assert!(
            steepest <= bound,
            "a click of {steepest}, more than {bound}; {:?}",
            self.stats()
        );
    }

    /// Frequency to a hertz in each second from `from` to `to`; the level to a few decibels.
    fn expect_tone(&self, hertz: f32, from: usize, to: usize) {
        let second = self.rate.hertz() as usize;
        for (n, sound) in self.heard.chunks(second).enumerate().take(to).skip(from) {
            let heard = frequency(sound) * self.rate.hertz() as f32;
            assert!(
                (heard - hertz).abs() < 1.5,
                "{heard} Hz in second {n}; {:?}",
                self.stats()
            );
            assert!(
                (level(sound).0 - Self::DBFS).abs() < 1.5,
                "{:?} in second {n}",
                level(sound)
            );
        }
    }
}

/// The frequency of a pure tone in turns per sample: how often it rises through zero between the first and the last time.
fn frequency(sound: &[i16]) -> f32 {
    let pairs = sound.windows(2).zip(0_u32..);
    let rises: Vec<f32> = pairs
        .filter(|(two, _)| two[0] < 0 && two[1] >= 0)
        .map(|(two, n)| n as f32 - f32::from(two[0]) / (f32::from(two[1]) - f32::from(two[0])))
        .collect();
    (rises.len() - 1) as f32 / (rises[rises.len() - 1] - rises[0])
}

#[test]
fn clocks_that_drift_are_followed_without_a_click() {
    for rate in [Rate::Narrow, Rate::Wide] {
        for (skew_ppm, hertz) in [(300, 440.0), (-300, 440.0), (300, 1_004.0), (-300, 197.0)] {
            let mut world = World::new(rate);
            let mut network = Network::new(Weather::default(), 1);
            world.send_tone(hertz, 120, skew_ppm, &mut network);
            world.run(118);
            world.expect_tone(hertz, 1, 117);
            world.expect_no_click(hertz);
            let stats = world.stats();
            let changes = stats.shrunk + stats.stretched;
            assert!(
                (2..=60).contains(&changes) && stats.concealed == 0,
                "{stats:?}"
            );
            assert!(
                (i64::from(stats.drift_ppm) - skew_ppm).abs() < 10,
                "{stats:?}"
            );
        }
    }
}

#[test]
fn a_tone_through_jitter_keeps_its_frequency_and_never_clicks() {
    for seed in 0..12 {
        let (rate, hertz) = (
            [Rate::Narrow, Rate::Wide][seed as usize % 2],
            [313.0, 440.0, 1_004.0][seed as usize % 3],
        );
        let weather = Weather {
            jitter_us: [30_000, 80_000][seed as usize / 6],
            ..Weather::default()
        };
        let mut world = World::new(rate);
        world.send_tone(hertz, 30, 0, &mut Network::new(weather, seed));
        world.run(28);
        world.expect_no_click(hertz);
        world.expect_tone(hertz, 3, 27);
    }
}

/// Which moments of playing a listener happens to have must not decide how it sounds.
#[test]
fn jitter_is_bridged_by_the_delay_at_whatever_moments_are_played() {
    for jitter_us in [30_000, 80_000] {
        for phase_ms in 0..20 {
            let mut world = World::new(Rate::Narrow);
            world.now_us = phase_ms * 1_000;
            let (mut tone, mut delays) = (world.tone(440.0), StdRng::seed_from_u64(phase_ms));
            for n in 0..3_000 {
                let sound: Vec<i16> = (0..160).map(|_| tone.sample() as i16).collect();
                // Each for itself, so that they overtake each other.
                let at_us = n * 20_000 + delays.random_range(0..jitter_us);
                world.network.push((at_us, world.packet(n, &sound)));
            }
            world.run(59);
            let stats = world.stats();
            let changes = stats.shrunk + stats.stretched;
            assert!(
                changes <= 50 && stats.concealed <= 10,
                "{jitter_us} µs, {phase_ms} ms: {stats:?}"
            );
        }
    }
}

#[test]
fn loss_of_a_tone_never_clicks() {
    for seed in 0..20 {
        let (rate, hertz) = (
            [Rate::Narrow, Rate::Wide][seed as usize % 2],
            [197.0, 440.0, 1_004.0][seed as usize % 3],
        );
        let weather = Weather {
            loss: [0.03, 0.1, 0.2][seed as usize % 3],
            burst: 1.0 + (seed % 4) as f64,
            jitter_us: [0, 30_000, 80_000][seed as usize / 7],
            stall_us: [0, 120_000][seed as usize / 10],
            reordering: 0.01,
            duplication: 0.02,
        };
        let mut world = World::new(rate);
        world.send_tone(hertz, 30, 200, &mut Network::new(weather, seed));
        world.run(28);
        world.expect_no_click(hertz);
        let stretches = world.heard[rate.hertz() as usize..].chunks(rate.hertz() as usize / 10);
        let mut levels: Vec<f32> = stretches
            .map(|heard| level_at(heard, hertz * 8_000.0 / rate.hertz() as f32).0)
            .collect();
        levels.sort_by(f32::total_cmp);
        let low = levels[levels.len() / 4];
        assert!(low > -10.0, "seed {seed}: {low} dBFS; {:?}", world.stats());
    }
}

#[test]
fn another_source_goes_on_where_the_first_stopped() {
    let mut world = World::new(Rate::Narrow);
    let mut network = Network::new(Weather::default(), 1);
    world.send_tone(440.0, 6, 0, &mut network);
    for (at_us, packet) in &mut world.network {
        if *at_us > 3_000_000 {
            packet.ssrc = 4;
            packet.sequence = packet.sequence.wrapping_add(9_999);
            packet.timestamp = packet.timestamp.wrapping_sub(77_777_777);
        }
    }
    world.run(5);
    world.expect_tone(440.0, 1, 5);
    world.expect_no_click(440.0);
    let stats = world.stats();
    assert_eq!((stats.reanchored, stats.stray), (1, 0), "{stats:?}");
    expect_doubt_only(&stats);
}

/// RFC 3389 §3.1, RFC 3551 §4.1: a pause with a level, and nothing of it is loss.
#[test]
fn a_pause_sounds_like_the_far_end_s_background() {
    let mut world = World::new(Rate::Narrow);
    let mut network = Network::new(Weather::default(), 1);
    world.send_tone(440.0, 2, 0, &mut network);
    let mut noise = world.packet(100, &[0; 160]);
    noise.content = Content::Noise;
    noise.payload = Bytes::from_static(&[52]);
    world.network.push((2_020_000, noise));
    world.run(5);
    let pause = level(&world.heard[20_000..36_000]).0;
    assert!((pause + 49.0).abs() < 1.0, "{pause} dBFS");
    assert_eq!((world.stats().concealed, world.stats().lost), (0, 0));
    world.expect_no_click(440.0);
}

#[test]
fn a_damaged_packet_is_made_up_for() {
    let mut world = World::new(Rate::Narrow);
    world.send_tone(440.0, 2, 0, &mut Network::new(Weather::default(), 1));
    let (_, packet) = &mut world.network[50];
    packet.payload = packet.payload.slice(1..);
    world.run(2);
    assert_eq!(world.stats().concealed, 1);
    world.expect_no_click(440.0);
}

#[test]
fn whatever_is_asked_for_is_filled() {
    let mut world = World::new(Rate::Narrow);
    world.send_tone(440.0, 2, 0, &mut Network::new(Weather::default(), 1));
    for length in [0, 1, 7, 80, 333, 960, 16_000] {
        let mut out = vec![1_234; length];
        world.playout.fill(world.start, &mut out);
        assert!(out.iter().all(|sample| *sample != 1_234), "{length}");
    }
}

/// Opus by itself, the others by repeating the pitch: a packet's gap is hardly heard, and what never comes back ends.
#[test]
fn a_loss_is_made_up_for_in_every_codec_at_every_rate() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
        for rate in [Rate::Narrow, codec.rate()] {
            let tenths = tone_with_a_gap(codec, rate);
            let told = || format!("{codec} at {rate:?}: {tenths:?}");
            assert!(
                tenths[2..10]
                    .iter()
                    .all(|dbfs| (-15.0..-10.0).contains(dbfs)),
                "{}",
                told()
            );
            // A tone that lasts is background to libopus, which goes on with noise as loud as that; nobody speaks so.
            let end = if codec == Codec::Opus { -25.0 } else { -45.0 };
            assert!(tenths[12..].iter().all(|dbfs| *dbfs < end), "{}", told());
        }
    }
}

/// How loud each tenth of a second is of a tone at -12 dBFS, in packets of 20 ms of which one in the middle is lost, and which ends after
/// a second.
fn tone_with_a_gap(codec: Codec, rate: Rate) -> Vec<f32> {
    let start = Instant::now();
    let mut playout = Playout::of(codec, rate).unwrap();
    let mut encoder = encoder(codec, rate, OpusSettings::default()).unwrap();
    let (mut tone, mut frame) = (Sine::new(440.0, -12.0), Frame::silence(rate, 20));
    let mut heard = Vec::new();
    for n in 0..75_u16 {
        let now = start + Duration::from_millis(20) * n.into();
        tone.fill(&mut frame);
        let payload = encoder.encode(&frame).unwrap();
        let ticks = codec.ticks(&payload).unwrap();
        let packet = Arrival {
            ssrc: 3,
            sequence: n,
            timestamp: u32::from(n) * ticks,
            marker: n == 0,
            ticks,
            content: codec.content(&payload),
            payload,
        };
        if n < 50 && n != 30 {
            playout.push(now, packet);
        }
        playout.fill(now + Duration::from_millis(7), &mut frame);
        heard.extend(frame);
    }
    let stats = playout.stats();
    assert_eq!(stats.lost, 1, "{codec} at {rate:?}: {stats:?}");
    heard
        .chunks(rate.samples(100))
        .map(|tenth| level(tenth).0)
        .collect()
}
