//! Holds of either side, what is missed meanwhile, and keys by INFO.

use std::time::Duration;

use housecall_media::Key;
use housecall_media::sdp::{Description, Direction};
use housecall_sip::user_agent::{Refresher, SessionTimer};
use housecall_sip::{Message, Method, Name};

use super::world::{Act, GOOD, Plan, Script, World, dial_by, secs, trunk};
use crate::{DtmfMode, Event, Outcome, Trunk};

fn talking(trunk: Trunk) -> World {
    let script = Script::AnswersAfter(secs(1));
    let mut world = World::with(dial_by(1, &[trunk]), GOOD, &[script]);
    world.run(secs(5));
    assert!(world.call.expects_media());
    world
}

fn is_over(world: &World) -> bool {
    matches!(world.last_told(), Event::Ended(_))
}

// RFC 3264 §8.4: neither side's hold is a lost connection.
#[test]
fn no_sound_is_missed_while_either_side_holds() {
    let theirs = |direction| Plan::Far(Act::Hold(direction));
    let both = theirs(Direction::SendRecv);
    for (hold, resume) in [
        (Plan::Hold, Plan::Resume),
        (theirs(Direction::SendOnly), both),
        (theirs(Direction::Inactive), both),
        (Plan::Far(Act::HoldTheOldWay), both),
    ] {
        let mut world = talking(trunk());
        world.plan(secs(0), hold);
        world.plan(secs(2), Plan::MediaLost);
        world.run(secs(3));
        assert!(!world.call.expects_media(), "{hold:?}");
        assert!(!is_over(&world), "{hold:?}");
        world.plan(secs(0), resume);
        world.run(secs(3));
        assert!(world.call.expects_media(), "{hold:?}");
        world.plan(secs(0), Plan::MediaLost);
        world.run(secs(70));
        assert!(is_over(&world), "{hold:?}");
    }
}

/// RFC 3264 §8.4 of old (RFC 2543): `c=0.0.0.0` means that nothing is to be sent there.
#[test]
fn a_hold_of_the_old_kind_is_answered_with_recvonly() {
    let mut world = talking(trunk());
    world.plan(secs(0), Plan::Far(Act::HoldTheOldWay));
    world.run(secs(2));
    let Event::MediaChanged(target) = world.last_told() else {
        panic!("{:?}", world.last_told());
    };
    assert!(!target.direction.sends());
}

#[test]
fn both_hold_and_each_lets_go_of_its_own() {
    let mut world = talking(trunk());
    world.plan(secs(0), Plan::Far(Act::Hold(Direction::SendOnly)));
    world.plan(secs(2), Plan::Hold);
    world.plan(secs(4), Plan::Far(Act::Hold(Direction::SendRecv)));
    world.run(secs(5));
    // They have let go; we have not.
    assert!(!world.call.expects_media());
    let changed = world.told.iter().rev().find_map(|event| match event {
        Event::MediaChanged(target) => Some(target.direction),
        _ => None,
    });
    assert_eq!(changed, Some(Direction::SendOnly));
    world.plan(secs(0), Plan::Resume);
    world.run(secs(2));
    assert_eq!(world.last_told(), &Event::Resumed);
    assert!(world.call.expects_media());
}

#[test]
fn a_hold_that_is_refused_leaves_everything_as_it_was() {
    let script = Script::RefusesChanges(488);
    let mut world = World::with(dial_by(1, &[trunk()]), GOOD, &[script]);
    world.plan(secs(5), Plan::Hold);
    world.run(secs(8));
    assert_eq!(world.last_told(), &Event::HoldRefused);
    assert!(world.call.expects_media());
    // And may be asked for again.
    assert!(world.call.hold(world.now).is_ok());
}

fn offers(world: &World) -> Vec<(Direction, String)> {
    let invites = world.heard.iter();
    let invites = invites.filter(|it| it.method() == Some(&Method::Invite));
    let offer = |invite: &Message| {
        let offer = Description::parse(invite.body()).unwrap();
        let direction = offer.direction_of(&offer.media[0]);
        (direction, offer.origin.session_version.clone())
    };
    invites.map(offer).collect()
}

fn refreshed_by_us() -> Trunk {
    let timer = SessionTimer {
        expires: secs(90),
        min_se: secs(90),
        refresher: Refresher::Us,
    };
    Trunk {
        session_timer: Some(timer),
        ..trunk()
    }
}

// RFC 4028 §7.4: a refresh that changes nothing keeps the version of o= (RFC 3264 §8), under hold as well.
#[test]
fn the_session_is_refreshed_by_what_was_said_last() {
    let script = Script::NoUpdate(secs(1));
    let mut world = World::with(dial_by(1, &[refreshed_by_us()]), GOOD, &[script]);
    world.plan(secs(100), Plan::Hold);
    world.run(secs(240));
    assert!(!is_over(&world), "{:?}", world.last_told());
    let offers = offers(&world);
    let (before, after): (Vec<_>, Vec<_>) = offers
        .into_iter()
        .partition(|(direction, _)| *direction == Direction::SendRecv);
    assert!(before.len() >= 3, "{before:?}");
    assert!(after.len() >= 3, "{after:?}");
    assert!(
        before.iter().all(|(_, version)| version == "1"),
        "{before:?}"
    );
    assert!(after.iter().all(|(_, version)| version == "2"), "{after:?}");
    // Refreshes are nobody's business.
    let told = world.told.iter();
    let holds = told.filter(|event| matches!(event, Event::Held | Event::Resumed));
    assert_eq!(holds.count(), 1);
}

// RFC 4028 §10: the far end is gone, its BYE was lost, and nobody listens to the sound.
#[test]
fn a_lost_bye_is_found_out_by_the_session_timer() {
    let mut world = talking(refreshed_by_us());
    world.fars[0].script = Script::DeafFor(secs(100_000));
    world.run(secs(90 + 70));
    let Event::Ended(ended) = world.last_told() else {
        panic!("{:?}", world.last_told());
    };
    assert_eq!(ended.outcome, Outcome::MediaLost);
    assert!(world.call.is_finished());
}

fn key(name: char) -> Key {
    Key::new(name).unwrap()
}

fn infos(world: &World) -> Vec<String> {
    let infos = world.heard.iter();
    let infos = infos.filter(|it| it.method() == Some(&Method::Info));
    infos
        .map(|info| {
            let kind = info.header(Name::ContentType).unwrap();
            assert_eq!(kind, "application/dtmf-relay");
            String::from_utf8(info.body().to_vec()).unwrap()
        })
        .collect()
}

#[test]
fn keys_travel_with_the_sound_where_the_trunk_takes_them() {
    assert!(!talking(trunk()).call.presses_by_info());
}

#[test]
fn keys_by_info_where_the_trunk_takes_no_events() {
    let script = Script::NoKeys;
    let mut world = World::with(dial_by(1, &[trunk()]), GOOD, &[script]);
    world.run(secs(5));
    assert!(world.call.presses_by_info());
    world.plan(secs(0), Plan::Press('5'));
    world.plan(secs(0), Plan::Press('#'));
    world.run(secs(5));
    let pressed = [
        "Signal=5\r\nDuration=160\r\n",
        "Signal=#\r\nDuration=160\r\n",
    ];
    assert_eq!(infos(&world), pressed);
    let told = world.told.iter();
    assert_eq!(
        told.filter(|it| matches!(it, Event::KeyRefused(_))).count(),
        0
    );
}

#[test]
fn keys_that_the_other_side_tells_of_by_info_are_heard() {
    let mut world = talking(trunk());
    for (after, signal) in [(1, "5"), (2, "11"), (3, "nonsense"), (4, "A")] {
        world.plan(secs(after), Plan::Far(Act::Press(signal)));
    }
    world.run(secs(8));
    let heard = world.told.iter().filter_map(|event| match event {
        Event::KeyHeard(key) => Some(key.name()),
        _ => None,
    });
    assert_eq!(heard.collect::<String>(), "5#A");
}

#[test]
fn the_trunk_s_settings_decide_how_keys_are_pressed() {
    let by = |dtmf| Trunk { dtmf, ..trunk() };
    assert!(talking(by(DtmfMode::Info)).call.presses_by_info());
    let trunk = by(DtmfMode::TelephoneEvent);
    let mut world = World::with(dial_by(1, &[trunk]), GOOD, &[Script::NoKeys]);
    world.run(secs(5));
    assert!(!world.call.presses_by_info());
}

#[test]
fn no_key_before_the_answer() {
    let mut world = World::new(1, GOOD, Script::RingsForEver);
    world.run(Duration::from_secs(1));
    let refused = world.call.press(world.now, key('1')).unwrap_err();
    assert_eq!(refused.state, "nobody has answered");
}
