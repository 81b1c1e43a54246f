//! What is rare, and what engines stumble over.

use housecall_media::Sine;
use housecall_media::sdp::Direction;
use housecall_sip::Name;
use housecall_sip::user_agent::SessionTimer;

use super::world::{Seen, World};
use super::{is_near, secs};
use crate::{Challenge, Habits, NetworkOptions, Security, Stage};

fn with(habits: Habits) -> World {
    World::with(NetworkOptions {
        habits,
        ..NetworkOptions::default()
    })
}

fn secures(security: Security) -> World {
    with(Habits {
        security,
        ..Habits::default()
    })
}

/// RFC 3261 §22.2; RFC 8760 §2.4 for who knows MD5 only.
#[test]
fn callers_are_asked_in_either_way_and_with_md5_alone() {
    for challenge in [Challenge::Proxy, Challenge::Server] {
        for md5_only in [false, true] {
            let mut world = with(Habits {
                challenge,
                md5_only,
                ..Habits::default()
            });
            world.dial("0491570157");
            world.run(secs(2));
            assert_eq!(world.story(), [Seen::Progress(180), Seen::Answered]);
            world.hang_up();

            let mut stranger = with(Habits {
                challenge,
                md5_only,
                ..Habits::default()
            })
            .password("guessed");
            stranger.dial("0491570157");
            stranger.run(secs(1));
            assert_eq!(stranger.story(), [Seen::Refused(403)]);
        }
    }
}

/// RFC 4568: both hear each other, the network's reports are secured too, and a hold keeps the keys.
#[test]
fn sound_is_secured_as_offered() {
    for security in [Security::AsOffered, Security::Always] {
        let mut world = secures(security).secured();
        let mut whistle = Sine::new(620.0, -20.0);
        world.say(move || whistle.frame());
        world.dial("0491570157");
        world.run(secs(7));
        let heard = world.heard_at("0491570157");
        assert!(heard.encrypted);
        assert!(is_near(heard.sound.frequency_hz, 620.0), "{heard:?}");
        assert!(is_near(world.hears().frequency_hz, 1004.0));
        assert_eq!(world.reports.len(), 1);
        world.offer(Direction::SendOnly);
        world.offer(Direction::SendRecv);
        world.run(secs(2));
        assert!(is_near(world.hears().frequency_hz, 1004.0));
        world.hang_up();
    }
}

/// RFC 4568 §7.1.2: what one side secures the other does not open, nor the other way round.
#[test]
fn sound_that_is_secured_by_one_side_only_is_refused() {
    let mut world = secures(Security::Never).secured();
    world.dial("0491570157");
    world.run(secs(1));
    assert_eq!(world.story(), [Seen::Refused(488)]);
    let mut world = secures(Security::Always);
    world.dial("0491570157");
    world.run(secs(1));
    assert_eq!(world.story(), [Seen::Refused(488)]);
}

/// RFC 3262 §3: with a description in it, the answer waits for the PRACK.
#[test]
fn early_sound_is_confirmed_where_both_can() {
    for (reliable, confirmed) in [(true, 1), (false, 0)] {
        let mut world = with(Habits {
            reliable,
            ..Habits::default()
        });
        world.dial("0491570737");
        world.run(secs(4));
        assert_eq!(world.story(), [Seen::Progress(183), Seen::Answered]);
        assert_eq!(world.confirmed, confirmed);
        world.hang_up();
    }
}

/// RFC 3550 §6.4.1.
#[test]
fn reports_tell_what_was_sent() {
    let mut world = World::new();
    world.dial("0491570157");
    world.run(secs(12));
    let sent: Vec<u32> = world
        .reports
        .iter()
        .map(|report| report.sender.unwrap().packets)
        .collect();
    assert_eq!(sent.len(), 2);
    assert!(
        (245..=255).contains(&sent[0]) && sent[1] > sent[0],
        "{sent:?}"
    );
    assert!(!world.heard_at("0491570157").encrypted);
}

#[test]
fn keys_are_heard_that_come_as_info() {
    let mut world = World::new();
    world.dial("0491571491");
    world.run(secs(2));
    world.info("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
    world.info("application/dtmf-relay", "Signal= *\nDuration= 100\n");
    world.info("application/dtmf", "9");
    world.run(secs(1));
    assert_eq!(world.heard_at("0491571491").digits, "5*9");
    world.hang_up();
}

#[test]
fn a_subscriber_holds_the_caller_and_takes_it_back() {
    let mut world = World::new();
    world.dial("0491571804");
    world.run(secs(5));
    assert_eq!(
        world.story().last(),
        Some(&Seen::Asked(Direction::RecvOnly))
    );
    assert_eq!(world.seen.last().unwrap().0, secs(3));
    world.run(secs(3));
    assert_eq!(
        world.story().last(),
        Some(&Seen::Asked(Direction::SendRecv))
    );
    assert!(is_near(world.hears().frequency_hz, 1004.0));
    world.hang_up();
}

/// RFC 3261 §14.1: both describe the session in the same moment; both come through.
#[test]
fn descriptions_that_cross_both_come_through() {
    let mut world = World::new();
    world.dial("0491572549");
    world.run(secs(3) - std::time::Duration::from_millis(20));
    world.offer(Direction::SendOnly);
    world.run(secs(10));
    let story = world.story();
    assert!(story.contains(&Seen::Renegotiated), "{story:?}");
    let asked = |seen: &&Seen| matches!(seen, Seen::Asked(_));
    assert!(story.iter().filter(asked).count() >= 4, "{story:?}");
    assert!(world.heard_at("0491572549").held);
    world.hang_up();
}

#[test]
fn a_line_that_is_cut_says_nothing_any_more() {
    let mut world = World::new();
    world.dial("0491572665");
    world.run(secs(4) - std::time::Duration::from_millis(100));
    let packets = world.packets;
    assert!(packets > 140);
    world.run(secs(60));
    assert!(world.packets <= packets + 6);
    assert_eq!(world.story(), [Seen::Progress(180), Seen::Answered]);
    assert_eq!(world.heard_at("0491572665").stage, Stage::Ended);
    // Nobody answers a goodbye either.
    world.hang_up();
    world.run(secs(40));
    assert_eq!(world.story().last(), Some(&Seen::Over));
}

#[test]
fn an_announcement_is_heard_before_busy() {
    let mut world = World::new();
    world.dial("0491572983");
    world.run(secs(2));
    assert!(world.packets > 90);
    world.run(secs(2));
    assert_eq!(world.story(), [Seen::Progress(183), Seen::Refused(486)]);
    assert_eq!(world.heard_at("0491572983").stage, Stage::Ended);
}

/// RFC 3261 §21.3.3, §21.5.4.
#[test]
fn who_has_moved_and_who_is_full_say_what_to_do() {
    let mut world = World::new();
    world.dial("0491573770");
    world.run(secs(1));
    assert_eq!(world.story(), [Seen::Refused(302)]);
    let moved = world.refusal.take().unwrap();
    let contact = moved.header(Name::Contact);
    assert_eq!(contact, Some("<sip:+61491570157@sip.carrier.test>"));

    let mut world = World::new();
    world.dial("0491573087");
    world.run(secs(1));
    assert_eq!(world.story(), [Seen::Refused(503)]);
    let full = world.refusal.take().unwrap();
    assert_eq!(full.header(Name::Other("Retry-After")), Some("30"));
}

/// RFC 4028: a session that is refreshed in time goes on.
#[test]
fn short_sessions_are_refreshed() {
    let mut world = with(Habits {
        session_timer: Some(SessionTimer {
            expires: secs(90),
            ..SessionTimer::default()
        }),
        ..Habits::default()
    });
    world.dial("0491570157");
    world.run(secs(100));
    assert!(
        world.story().iter().all(|seen| *seen != Seen::HungUp),
        "{:?}",
        world.story()
    );
    assert_eq!(world.heard_at("0491570157").stage, Stage::Talking);
    world.hang_up();
}
