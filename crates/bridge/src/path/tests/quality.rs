//! How both directions are judged (ITU-T G.107, product rule P5), and what reports say of it (RFC 3611).

use housecall_media::quality::{Class, Verdict};
use housecall_media::rtp::{Extended, ReferenceTime, ReportBlock, VoiceMetrics};
use housecall_media::sound::to_wav;

use super::*;

impl World {
    fn heard(&self) -> Verdict {
        self.path.quality().heard.verdict().unwrap()
    }

    fn sent(&self) -> Verdict {
        self.path.quality().sent.verdict().unwrap()
    }

    fn classes(&self) -> (Class, Class) {
        (self.heard().class, self.sent().class)
    }

    /// The phone reports, with these extensions, what it misses of our stream.
    fn phone_reports(&mut self, fraction_lost: u8, extended: Extended) {
        let block = ReportBlock {
            ssrc: self.reports.last().unwrap().ssrc,
            fraction_lost,
            lost: 0,
            highest_sequence: 0,
            jitter: 0,
            last_sender_report: 0,
            delay_since_sender_report: 0,
        };
        let report = Report {
            ssrc: 99,
            blocks: vec![block],
            extended,
            ..Report::default()
        };
        let bytes = report.to_bytes("phone");
        self.path
            .rtcp(self.now(), "192.0.2.1:4001".parse().unwrap(), &bytes);
    }
}

#[test]
fn a_clean_call_is_good_both_ways() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(20_000);
    assert_eq!(world.classes(), (Class::Good, Class::Good));
    let summary = world.path.quality().heard.summary().unwrap();
    assert!(summary.rating.value() > 83.0, "{summary:?}");
    assert_eq!(summary.share(Class::Good), 1.0);
    assert!(world.path.quality().sent.timeline().points().len() >= 3);
}

#[test]
fn before_the_answer_nothing_is_judged() {
    let mut world = World::new(1);
    world.path.target(world.start, target(Codec::Pcma));
    world.run(5_000);
    assert_eq!(world.path.quality().heard.verdict(), None);
}

/// The word falls with the loss, at once, and rises slowly.
#[test]
fn loss_makes_it_fair_and_much_loss_poor_and_it_recovers() {
    for seed in 0..3 {
        let mut world = World::talking(seed, Codec::Pcma);
        world.run(10_000);
        world.lost = 4;
        world.run(15_000);
        assert_ne!(
            world.heard().class,
            Class::Good,
            "seed {seed}: {:?}",
            world.heard()
        );
        world.lost = 20;
        world.run(6_000);
        assert_eq!(world.classes(), (Class::Poor, Class::Poor), "seed {seed}");
        world.lost = 0;
        world.run(3_000);
        assert_eq!(world.heard().class, Class::Poor, "seed {seed}");
        world.run(17_000);
        assert_eq!(world.classes(), (Class::Good, Class::Good), "seed {seed}");
        let summary = world.path.quality().heard.summary().unwrap();
        assert!(summary.share(Class::Poor) > 0.1, "seed {seed}: {summary:?}");
    }
}

/// P4: neither a hold nor a mute is a bad connection.
#[test]
fn a_hold_and_a_mute_are_not_judged() {
    let mut world = World::talking(3, Codec::Pcma);
    world.run(10_000);
    let judged = |world: &World| {
        let seconds = |direction: &housecall_media::quality::Direction| {
            direction.summary().unwrap().seconds.iter().sum::<u32>()
        };
        let quality = world.path.quality();
        (seconds(&quality.heard), seconds(&quality.sent))
    };
    let before = judged(&world);
    world.path.mute(true);
    world.run(5_000);
    assert_eq!(judged(&world), (before.0 + 5, before.1));
    world.path.mute(false);
    world.path.hold(world.now(), true);
    // Phones that are held often fall silent.
    let hum = world.callee.hum.take();
    world.run(30_000);
    assert_eq!(judged(&world), (before.0 + 5, before.1));
    world.path.hold(world.now(), false);
    world.callee.hum = hum;
    world.run(5_000);
    assert_eq!(world.classes(), (Class::Good, Class::Good));
}

/// A phone that falls silent without a word is dark, and its call poor, until numbers tell that nothing was sent (RFC 3551 §4.1).
#[test]
fn darkness_is_poor_and_a_sender_who_pauses_is_learned() {
    let mut world = World::talking(4, Codec::Pcma);
    world.run(10_000);
    let hum = world.callee.hum.take();
    world.run(5_000);
    assert_eq!(world.classes(), (Class::Poor, Class::Good));
    world.callee.hum = hum;
    world.run(20_000);
    assert_eq!(world.heard().class, Class::Good);
    let hum = world.callee.hum.take();
    world.run(10_000);
    assert_eq!(world.heard().class, Class::Good, "the second pause");
    world.callee.hum = hum;
    world.run(2_000);
    assert_eq!(world.heard().class, Class::Good);
}

/// What the far ends report counts for the direction that they hear, until it is old.
#[test]
fn reports_of_the_phone_and_of_the_browser_count() {
    let mut world = World::talking(5, Codec::Pcma);
    world.run(10_000);
    world.phone_reports(64, Extended::default());
    world.run(1_100);
    assert_eq!(world.classes(), (Class::Good, Class::Poor));
    world
        .path
        .ear_report(world.now(), 64, Some(Duration::from_millis(60)));
    world.run(1_100);
    assert_eq!(world.classes(), (Class::Poor, Class::Poor));
    assert_eq!(world.path.quality().round_trip(), Duration::from_millis(60));
    world.run(35_000);
    assert_eq!(world.classes(), (Class::Good, Class::Good));
}

/// A satellite's round trip is heard as delay: 600 ms there and back are fair at best (ITU-T G.114).
#[test]
fn a_long_way_is_worse() {
    let mut world = World::talking(6, Codec::Pcma);
    world.run(3_000);
    world
        .path
        .ear_report(world.now(), 0, Some(Duration::from_millis(600)));
    world.run(2_000);
    assert_ne!(world.heard().class, Class::Good);
}

/// RFC 3611: only a phone that sends extended reports gets any; its reference time is answered (§4.5).
#[test]
fn who_sends_extended_reports_gets_them() {
    let mut world = World::talking(7, Codec::Pcma);
    world.lost = 5;
    world.run(5_100);
    assert!(
        world
            .reports
            .iter()
            .all(|report| report.extended.is_empty())
    );
    let ours = world.reports[0].ssrc;
    let metrics = VoiceMetrics {
        ssrc: ours,
        end_system_ms: 90,
        ..VoiceMetrics::default()
    };
    world.phone_reports(
        0,
        Extended {
            voice: vec![metrics],
            reference: Some(ReferenceTime {
                ssrc: 99,
                ntp: 0x7777_0000_0000,
            }),
            since_reference: Vec::new(),
        },
    );
    world.run(20_000);
    let report = world.reports.last().unwrap();
    let voice = report.extended.voice[0];
    assert_eq!(voice.ssrc, world.callee.rtp.ssrc());
    assert!((4..=26).contains(&voice.lost), "{voice:?}");
    assert!(
        voice.rating.is_some_and(|r| (40..90).contains(&r)),
        "{voice:?}"
    );
    assert!(voice.buffer_ms >= 10 && voice.buffer_ms <= voice.buffer_ms_bound);
    let answer = report.extended.since_reference[0];
    assert_eq!((answer.ssrc, answer.last), (99, 0x7777_0000));
    assert!(
        (15 * 65_536..=20 * 65_536).contains(&answer.delay),
        "{answer:?}"
    );
}

/// RFC 6464: what the caller is sent says how loud it is, and what the browser says is passed on.
#[test]
fn levels_are_measured_and_taken() {
    let mut world = World::talking(9, Codec::Pcma);
    world.run(1_000);
    let levels = world.path.levels();
    assert!(
        (levels.heard.dbfs().0 - SENT_DBFS).abs() < 1.5,
        "{levels:?}"
    );
    assert_eq!(levels.spoken, None);
    let spoken = housecall_media::AudioLevel::of_byte(0x80 | 40);
    world.path.ear_level(Some(spoken));
    world.path.hold(world.now(), true);
    world.run(200);
    let levels = world.path.levels();
    assert_eq!(
        (levels.heard.dbfs().0, levels.spoken),
        (-100.0, Some(spoken))
    );
}

/// Whoever is held hears the practice's own music, where there is any (P4).
#[test]
fn a_file_s_music_is_played_to_who_is_held() {
    let mut hum = Sine::new(620.0, -20.0);
    let samples: Vec<i16> = (0..50).flat_map(|_| hum.frame()).collect();
    let file = to_wav(&samples);
    let mut options = PathOptions::new("AU", 1);
    options.hold_music = Some(housecall_media::Sound::read(&file).unwrap());
    let mut world = World::talking(1, Codec::Pcma);
    world.path = MediaPath::new(world.start, options).unwrap();
    world.path.target(world.start, target(Codec::Pcma));
    world.path.answered(world.start);
    world.path.hold(world.now(), true);
    let (_, callee) = world.listen(3_000);
    assert_tone(&callee[8_000..], 620.0, -20.0, 1.0);
}

/// What the network lets hear before the answer is no noise, whatever it is.
#[test]
fn noise_is_taken_away_from_the_answer_on_where_that_is_wished() {
    let mut options = PathOptions::new("AU", 4);
    options.suppress_noise = true;
    let mut world = World::with(options);
    world.agree(target(Codec::Pcma));
    world.callee.hum = None;
    let early = hears_noise(&mut world, 2_000);
    world.path.answered(world.now());
    hears_noise(&mut world, 2_000);
    let talking = hears_noise(&mut world, 2_000);
    assert!((-45.0..-35.0).contains(&early), "{early} dBFS");
    assert!(talking < early - 15.0, "{talking} of {early} dBFS");
}

/// Sends white noise from the phone and gives its level where the caller hears it.
fn hears_noise(world: &mut World, ms: u64) -> f32 {
    world.caller.heard.clear();
    for _ in 0..ms / 20 {
        let noise = (0..FRAME_SAMPLES).map(|_| world.random(800) as i16 - 400);
        let frame = Frame::new(Rate::Narrow, noise.collect::<Vec<_>>());
        let rtp = &mut world.callee.rtp;
        let packet = rtp.packet(8, false, Law::A.encode(&frame).into());
        world
            .path
            .rtp(world.now(), world.callee.addr, packet.to_bytes());
        world.run(20);
    }
    level(&world.caller.heard).0
}

/// What the phone's end knew is there after the call, for its record (P5).
#[test]
fn the_counters_outlive_the_call() {
    let mut world = World::talking(8, Codec::Pcma);
    world.lost = 10;
    world.jitter_ms = 30;
    world.run(10_000);
    let before = world.stats();
    world.path.close(world.now());
    assert!(before.rtp_lost > 20 && before.ear_lost > 20 && before.jitter > Duration::ZERO);
    assert_eq!(world.stats(), before);
}
