//! What both hear of each other, and of the network between them.

use super::*;

#[test]
fn both_hear_each_other_in_either_law() {
    for codec in [Codec::Pcma, Codec::Pcmu] {
        let mut world = World::talking(1, codec);
        world.run(3_000);
        let (caller, callee) = world.listen(2_000);
        assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
        assert_tone(&callee, CALLER_HERTZ, SENT_DBFS, 2.0);
        assert_eq!(callee.len(), 100 * FRAME_SAMPLES);
        let stats = world.stats();
        assert_eq!(
            (stats.from_phone.concealed, stats.from_browser.concealed),
            (0, 0),
            "{stats:?}"
        );
        assert!(
            stats.opinion_score() > 4.2,
            "{} {stats:?}",
            stats.opinion_score()
        );
    }
}

#[test]
fn jitter_and_loss_are_bridged_both_ways() {
    for seed in 0..8 {
        let mut world = World::talking(seed, Codec::Pcma);
        (world.jitter_ms, world.lost) = (50, 3);
        world.run(3_000);
        let (caller, callee) = world.listen(4_000);
        // 3 % is lost again on the way from the path, where nothing bridges it here.
        assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 3.0);
        assert_tone(&callee, CALLER_HERTZ, SENT_DBFS, 3.0);
        let stats = world.stats();
        for direction in [stats.from_phone, stats.from_browser] {
            assert!(
                direction.concealed_part() < 0.08,
                "seed {seed}: {direction:?}"
            );
            assert!(direction.delay_ms <= 200, "seed {seed}: {direction:?}");
        }
        assert!(
            stats.rtp_lost > 2 && stats.rtp_lost < 25,
            "seed {seed}: {stats:?}"
        );
    }
}

#[test]
fn mute_sends_silence_and_goes_on_sending() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(3_000);
    world.path.mute(true);
    world.run(100);
    let (caller, callee) = world.listen(1_000);
    assert_eq!(callee.len(), 50 * FRAME_SAMPLES);
    // A-law has no zero: its silence is the smallest step.
    assert!(level(&callee).0 < -65.0, "{:?}", level(&callee));
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    world.path.mute(false);
    world.run(100);
    assert_tone(&world.listen(1_000).1, CALLER_HERTZ, SENT_DBFS, 2.0);
}

#[test]
fn hold_plays_music_to_the_callee_and_nothing_to_the_caller_and_resume_joins_them_again() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    world.path.hold(world.now(), true);
    world.path.target(
        world.now(),
        MediaTarget {
            direction: Direction::SendOnly,
            ..target(Codec::Pcma)
        },
    );
    world.run(200);
    let (caller, callee) = world.listen(16_000);
    assert!(
        level(&caller).0 < -60.0,
        "the caller hears {:?}",
        level(&caller)
    );
    let music = level(&callee).0;
    assert!((-24.0..=-16.0).contains(&music), "{music} dBFS");
    assert!(
        level_at(&callee, CALLER_HERTZ).0 < -30.0,
        "the callee hears the caller"
    );
    world.path.hold(world.now(), false);
    world.path.target(world.now(), target(Codec::Pcma));
    world.run(300);
    let (caller, callee) = world.listen(1_000);
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    assert_tone(&callee, CALLER_HERTZ, SENT_DBFS, 2.0);
    let numbers: Vec<u16> = world
        .callee
        .packets
        .iter()
        .map(|packet| packet.sequence)
        .collect();
    assert!(
        numbers
            .windows(2)
            .all(|two| two[1] == two[0].wrapping_add(1)),
        "the numbers do not go on"
    );
    assert!(
        world
            .callee
            .packets
            .windows(2)
            .all(|two| two[1].timestamp.wrapping_sub(two[0].timestamp) == 160)
    );
}

#[test]
fn a_phone_that_is_held_may_be_silent_but_not_one_that_talks() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    world.path.hold(world.now(), true);
    world.callee.hum = None;
    world.run(60_000);
    assert_eq!(world.phone_lost, 0);
    world.path.hold(world.now(), false);
    world.run(29_900);
    assert_eq!(world.phone_lost, 0);
    world.run(60_000);
    assert_eq!(world.phone_lost, 1);
}

#[test]
fn a_phone_that_holds_us_gets_nothing_and_may_be_silent() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(500);
    world.path.target(
        world.now(),
        MediaTarget {
            direction: Direction::Inactive,
            ..target(Codec::Pcma)
        },
    );
    world.callee.hum = None;
    let (_, callee) = world.listen(60_000);
    assert_eq!((callee.len(), world.phone_lost), (0, 0));
    world.path.target(world.now(), target(Codec::Pcma));
    let marked = world.callee.packets.len();
    world.run(1_000);
    assert!(
        world.callee.packets[marked].marker,
        "sound after a pause begins a talk spurt"
    );
}

#[test]
fn keys_are_exact_under_loss_and_disorder() {
    const DIALLED: &str = "1234#0*99ABCD55";
    for seed in 0..10 {
        let mut world = World::talking(seed, Codec::Pcma);
        (world.jitter_ms, world.lost) = (60, 20);
        world.run(500);
        world.press(DIALLED);
        world.run(5_000);
        assert_eq!(world.callee.keys_heard, DIALLED, "seed {seed}");
    }
}

#[test]
fn a_phone_without_named_events_hears_tones() {
    let mut world = World::talking(1, Codec::Pcma);
    world.path.target(
        world.now(),
        MediaTarget {
            telephone_event: None,
            ..target(Codec::Pcma)
        },
    );
    world.path.mute(true);
    world.run(500);
    world.press("42##0");
    let (_, callee) = world.listen(2_000);
    let heard: String = KeyDetector::default()
        .listen(&callee)
        .into_iter()
        .map(Key::name)
        .collect();
    assert_eq!(heard, "42##0");
}

#[test]
fn the_caller_hears_the_country_s_ringing_until_the_phone_is_heard() {
    let mut world = World::new(1);
    world.callee.hum = None;
    world.path.ring();
    let (caller, _) = world.listen(400);
    assert!(level_at(&caller, 400.0).0 > -28.0 && level_at(&caller, 450.0).0 > -28.0);
    // Early audio: its first packet ends the ringing.
    world.path.target(world.now(), target(Codec::Pcma));
    world.callee.hum = Some(Sine::new(CALLEE_HERTZ, SENT_DBFS));
    world.run(500);
    world.path.ring();
    let (caller, _) = world.listen(1_000);
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
    assert!(level_at(&caller, 400.0).0 < -45.0);
}

/// RFC 3960 §3.2: one fork speaks and gives up, another goes on ringing.
#[test]
fn the_ringing_comes_back_when_early_sound_is_over() {
    let mut world = World::new(1);
    world.path.ring();
    world.path.target(world.now(), target(Codec::Pcma));
    world.run(1_000);
    assert_tone(&world.listen(1_000).0, CALLEE_HERTZ, SENT_DBFS, 2.0);
    world.callee.hum = None;
    let (caller, _) = world.listen(4_000);
    assert!(level(&caller[4_000..]).0 < -50.0);
    world.run(2_000);
    let (caller, _) = world.listen(3_000);
    assert!(level_at(&caller, 400.0).0 > -40.0);
}

#[test]
fn the_answer_ends_the_ringing_even_if_the_phone_is_silent() {
    let mut world = World::new(1);
    world.callee.hum = None;
    world.path.ring();
    world.run(3_100);
    world.path.target(world.now(), target(Codec::Pcma));
    world.path.answered(world.now());
    world.run(200);
    let (caller, _) = world.listen(5_000);
    assert!(level(&caller).0 < -60.0, "{:?}", level(&caller));
}

#[test]
fn sound_follows_a_phone_whose_address_is_not_what_it_said() {
    let mut world = World::talking(1, Codec::Pcma);
    let real: SocketAddr = "192.0.2.1:6000".parse().unwrap();
    for _ in 0..10 {
        let (_, bytes) = world.callee.packet().unwrap();
        world.path.rtp(world.now(), real, bytes);
    }
    world.callee.addr = real;
    let (caller, callee) = world.listen(2_000);
    assert_tone(&caller[8_000..], CALLEE_HERTZ, SENT_DBFS, 2.0);
    assert_tone(&callee[8_000..], CALLER_HERTZ, SENT_DBFS, 2.0);
    assert_eq!(world.stats().strangers, 3);
}

#[test]
fn strangers_wrong_payload_types_and_damage_are_counted_and_not_heard() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(500);
    let loud = Bytes::from(Law::A.encode(&Sine::new(2_000.0, 0.0).frame()));
    let mut stranger = RtpSender::new(5);
    for _ in 0..50 {
        let now = world.now();
        let packet = stranger.packet(8, false, loud.clone()).to_bytes();
        world
            .path
            .rtp(now, "203.0.113.66:666".parse().unwrap(), packet);
        let wrong = stranger.packet(9, false, loud.clone()).to_bytes();
        world.path.rtp(now, PHONE.parse().unwrap(), wrong);
        world.path.rtp(
            now,
            PHONE.parse().unwrap(),
            Bytes::from_static(&[0x80, 8, 0]),
        );
        world
            .path
            .rtcp(now, PHONE.parse().unwrap(), &[0x80, 200, 0, 99]);
        world.run(20);
    }
    let stats = world.stats();
    assert_eq!(
        (stats.strangers, stats.wrong_payload_type, stats.malformed),
        (50, 50, 100),
        "{stats:?}"
    );
    let (caller, _) = world.listen(1_000);
    assert!(level_at(&caller, 2_000.0).0 < -50.0);
    assert_tone(&caller, CALLEE_HERTZ, SENT_DBFS, 2.0);
}

#[test]
fn a_stall_is_caught_up_with_by_three_frames_and_time_goes_on() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(1_000);
    let (rtp, ear) = (world.callee.packets.len(), world.caller.timestamps.len());
    world.now_ms += 2_000;
    world.path.handle_timeout(world.now());
    world.take_outputs();
    assert!(world.callee.packets.len() - rtp <= 3);
    let step = world.caller.timestamps[ear].wrapping_sub(world.caller.timestamps[ear - 1]);
    assert_eq!(step % 960, 0);
    assert!(step >= 960 * 97, "{step}");
    assert!(world.stats().frames_missed >= 96);
    world.run(1_000);
    assert_tone(&world.listen(1_000).0, CALLEE_HERTZ, SENT_DBFS, 2.0);
}

#[test]
fn reports_go_out_and_the_round_trip_is_measured() {
    let mut world = World::talking(1, Codec::Pcma);
    world.run(5_100);
    let report = world.reports.pop().unwrap();
    let sender = report.sender.unwrap();
    assert!(sender.packets > 240, "{report:?}");
    assert_eq!(report.blocks.len(), 1);
    assert_eq!(report.blocks[0].ssrc, world.callee.rtp.ssrc());
    world.now_ms += 80;
    let block = housecall_media::rtp::ReportBlock {
        ssrc: report.ssrc,
        fraction_lost: 5,
        lost: 1,
        highest_sequence: 1,
        jitter: 0,
        last_sender_report: sender.ntp_middle(),
        delay_since_sender_report: 0,
    };
    let answer = Report {
        ssrc: 99,
        sender: None,
        blocks: vec![block],
        ..Report::default()
    };
    world.path.rtcp(
        world.now(),
        PHONE_RTCP.parse().unwrap(),
        &answer.to_bytes("phone"),
    );
    let stats = world.stats();
    assert_eq!(stats.reported_fraction_lost, 5);
    let trip = stats.round_trip.unwrap().as_millis();
    assert!((80..=200).contains(&trip), "{trip} ms");
    world.path.close(world.now());
    world.take_outputs();
    assert!(world.reports.pop().unwrap().bye);
}
