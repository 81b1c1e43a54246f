//! Conversations with the network, in virtual time.

mod awkward;
mod shell;
mod world;

use std::time::Duration;

use housecall_media::sdp::Direction;
use housecall_media::{HoldMusic, Key, KeyTone, SILENCE, Sine};

use crate::{Faults, NetworkOptions, Stage};
use world::{Seen, World};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn is_near(heard: Option<f32>, hz: f32) -> bool {
    heard.is_some_and(|heard| (heard - hz).abs() < 4.0)
}

#[test]
fn a_call_to_the_tone_hears_1004_hz_and_is_heard() {
    let mut world = World::new();
    let mut whistle = Sine::new(620.0, -20.0);
    world.say(move || whistle.frame());
    world.dial("+61491570157");
    world.run(secs(3));
    assert_eq!(world.story(), [Seen::Progress(180), Seen::Answered]);
    assert_eq!(world.seen[1].0, secs(1));
    assert!(
        is_near(world.hears().frequency_hz, 1004.0),
        "{:?}",
        world.hears()
    );
    assert!(
        (world.hears().level_dbfs + 16.0).abs() < 0.5,
        "{:?}",
        world.hears()
    );
    let heard = world.heard_at("0491 570 157");
    assert_eq!(heard.stage, Stage::Talking);
    assert_eq!(heard.caller_id, "+61255500142");
    assert!(is_near(heard.sound.frequency_hz, 620.0), "{heard:?}");
    assert!((99..=101).contains(&heard.packets), "{heard:?}");

    world.hang_up();
    assert_eq!(world.heard_at("0491570157").stage, Stage::Ended);
    let packets = world.packets;
    world.run(secs(1));
    assert_eq!(
        world.packets, packets,
        "a subscriber whose call is over is silent"
    );
}

#[test]
fn an_echo_repeats_the_caller() {
    let mut world = World::new();
    let mut whistle = Sine::new(700.0, -20.0);
    world.say(move || whistle.frame());
    world.dial("0491570006");
    world.run(secs(4));
    assert!(
        is_near(world.hears().frequency_hz, 700.0),
        "{:?}",
        world.hears()
    );
    world.fall_silent();
    world.run(secs(2));
    assert!(world.hears().is_silence());
}

#[test]
fn the_voice_is_heard_and_is_no_music() {
    let mut world = World::new();
    world.dial("0491570156");
    let mut loudest = -100.0_f32;
    for _ in 0..10 {
        world.run(secs(1));
        loudest = loudest.max(world.hears().level_dbfs);
        assert!(!world.hears().music);
    }
    assert!(loudest > -25.0, "{loudest}");
}

#[test]
fn hold_silences_the_subscriber_and_plays_it_music() {
    let mut world = World::new();
    world.say(|| SILENCE);
    world.dial("0491570157");
    world.run(secs(2));
    world.offer(Direction::SendOnly);
    assert!(world.heard_at("0491570157").held);
    let packets = world.packets;
    let mut music = HoldMusic::new();
    world.say(move || music.frame());
    world.run(secs(8));
    assert_eq!(
        world.packets, packets,
        "nothing may be sent to who holds (RFC 3264 §8.4)"
    );
    let heard = world.heard_at("0491570157");
    assert!(heard.sound.music, "{heard:?}");

    world.offer(Direction::SendRecv);
    world.say(|| SILENCE);
    world.run(secs(4));
    let heard = world.heard_at("0491570157");
    assert!(!heard.held && heard.sound.is_silence(), "{heard:?}");
    assert!(is_near(world.hears().frequency_hz, 1004.0));
    assert!(world.packets >= packets + 199);
}

#[test]
fn who_cannot_take_the_call_refuses_it() {
    for (number, status) in [
        ("0491570158", 486),
        ("0491570110", 603),
        ("0491570313", 404),
        ("0491570999", 404),
    ] {
        let mut world = World::new();
        world.dial(number);
        world.run(secs(1));
        assert_eq!(world.story(), [Seen::Refused(status)], "{number}");
    }
}

#[test]
fn who_never_answers_rings_until_the_caller_gives_up() {
    let mut world = World::new();
    world.dial("0491570159");
    world.run(secs(120));
    assert_eq!(world.story(), [Seen::Progress(180)]);
    world.hang_up();
    world.run(secs(1));
    assert_eq!(world.story(), [Seen::Progress(180), Seen::Over]);
    assert_eq!(world.heard_at("0491570159").stage, Stage::Ended);
}

#[test]
fn a_caller_who_never_gives_up_rings_for_three_minutes() {
    let mut world = World::new();
    world.dial("0491570159");
    world.run(secs(181));
    assert_eq!(world.story(), [Seen::Progress(180), Seen::Refused(480)]);
    assert_eq!(world.seen[1].0, secs(180));
    assert_eq!(world.heard_at("0491570159").stage, Stage::Ended);
}

#[test]
fn early_audio_is_heard_before_the_answer() {
    let mut world = World::new();
    world.dial("0491570737");
    world.run(secs(2));
    assert_eq!(world.story(), [Seen::Progress(183)]);
    assert_eq!(world.heard_at("0491570737").stage, Stage::Early);
    assert!((99..=101).contains(&world.packets), "{}", world.packets);
    world.run(secs(2));
    assert_eq!(world.story(), [Seen::Progress(183), Seen::Answered]);
    assert_eq!(world.seen[1].0, secs(3));
}

#[test]
fn who_hangs_up_does_so_after_five_seconds() {
    let mut world = World::new();
    world.dial("0491571266");
    world.run(secs(10));
    assert_eq!(
        world.seen,
        [
            (secs(0), Seen::Progress(180)),
            (secs(1), Seen::Answered),
            (secs(6), Seen::HungUp),
        ]
    );
}

#[test]
fn digits_arrive_once_each_as_events_and_as_tones() {
    let mut world = World::new();
    world.say(|| SILENCE);
    world.dial("0491571491");
    world.run(secs(2));
    world.press("1590*#");
    world.run(secs(2));
    assert_eq!(world.heard_at("0491571491").digits, "1590*#");

    let mut tone = KeyTone::new(Key::new('7').unwrap(), 100);
    world.say(move || tone.frame().unwrap_or(SILENCE));
    world.run(Duration::from_millis(1400));
    assert_eq!(world.heard_at("0491571491").digits, "1590*#7");
    assert!(!world.hears().is_silence(), "the digit is read back");
}

#[test]
fn a_wrong_password_is_refused() {
    let mut world = World::new().password("harbor-street");
    world.dial("0491570157");
    world.run(secs(1));
    assert_eq!(world.story(), [Seen::Refused(403)]);
}

#[test]
fn lost_answers_are_repeated_until_the_call_stands() {
    let delay = Duration::from_millis(40);
    let lose_first = 3;
    let mut world = World::with(NetworkOptions {
        faults: Faults { lose_first, delay },
        ..NetworkOptions::default()
    });
    world.dial("0491570157");
    world.run(secs(20));
    assert_eq!(world.story().last(), Some(&Seen::Answered));
    assert!(is_near(world.hears().frequency_hz, 1004.0));
}

#[test]
fn a_full_network_says_so_and_recovers() {
    let mut options = NetworkOptions::default();
    options.media.truncate(1);
    let mut world = World::with(options);
    world.dial("0491570159");
    world.dial("0491570157");
    world.run(secs(1));
    assert_eq!(world.story(), [Seen::Progress(180), Seen::Refused(503)]);
}

#[test]
fn noise_on_the_media_port_is_dropped() {
    let mut world = World::new();
    world.dial("0491570157");
    let at = NetworkOptions::default().media[0];
    for length in 0..2100 {
        let datagram = vec![0x80; length];
        let input = crate::Input::Media {
            at,
            datagram: &datagram,
        };
        world.network.handle_input(std::time::Instant::now(), input);
    }
    world.run(secs(2));
    assert_eq!(world.story(), [Seen::Progress(180), Seen::Answered]);
}

/// RFC 3261 §10.3, §22.
#[test]
fn who_knows_the_password_is_registered() {
    const US: (&str, &str) = ("Contact", "<sip:clinic@127.0.0.1:5080>");
    let mut world = World::new();
    let registered = |world: &World| world.network.report().registered;
    assert_eq!(world.register(&[US, ("Expires", "600")]), 200);
    assert_eq!(registered(&world), [US.1]);
    assert_eq!(world.register(&[]), 200, "a question changes nothing");
    assert_eq!(registered(&world), [US.1]);
    assert_eq!(world.register(&[US, ("Expires", "0")]), 200);
    assert!(registered(&world).is_empty());

    let mut stranger = World::new().password("wrong");
    assert_eq!(stranger.register(&[US]), 403);
    assert!(registered(&stranger).is_empty());
}
