//! Trunks that say nothing: how long each may, how long all may together, and what the user reads when the last one does.

use std::time::Duration;

use housecall_sip::{Method, Timers};

use super::world::{GOOD, Network, Plan, Script, World, dial_by, secs, trunk};
use crate::{Dial, Ended, Event, Outcome, RouteFailure, Side, Trunk};

/// The promise: whatever the trunks before it do not say, the last is tried within 5 s of dialling.
const PROMISE: Duration = Duration::from_secs(5);
const DEAF: Script = Script::DeafFor(secs(600));

fn world(scripts: &[Script]) -> World {
    let trunks = vec![trunk(); scripts.len()];
    World::with(dial_by(1, &trunks), GOOD, scripts)
}

/// Milliseconds after dialling at which routes were given up.
fn given_up_at_ms(world: &World) -> Vec<u128> {
    let told = world.told.iter().zip(&world.told_at);
    let failed = told.filter(|(event, _)| matches!(event, Event::RouteFailed { .. }));
    failed.map(|(_, at)| at.as_millis()).collect()
}

fn ended(world: &World) -> &Ended {
    match world.last_told() {
        Event::Ended(ended) => ended,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_last_of_several_is_tried_within_5_s_however_many_are_silent() {
    for count in 2..=10 {
        let mut scripts = vec![DEAF; count];
        scripts[count - 1] = Script::AnswersAfter(secs(1));
        let mut world = world(&scripts);
        world.run(PROMISE);
        assert_eq!(
            world.heard_by(count - 1, &Method::Invite),
            1,
            "{count} routes"
        );
        let silence = |route| Event::RouteFailed {
            route,
            why: RouteFailure::Silence,
        };
        let failed: Vec<Event> = (0..count - 1).map(silence).collect();
        assert_eq!(world.told[..count - 1], failed);
        world.run(secs(3));
        assert!(
            matches!(world.last_told(), Event::Answered(_)),
            "{count} routes"
        );
    }
}

/// The first is the likeliest to be well, so it gets most of the time; nobody gets less than T1.
#[test]
fn silence_is_shared() {
    let cases: [(usize, &[u128]); 5] = [
        (2, &[4_000]),
        (3, &[3_010, 4_800]),
        (4, &[2_660, 3_808, 4_800]),
        (5, &[2_310, 3_353, 4_015, 4_800]),
        (
            12,
            &[
                500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000, 5_500,
            ],
        ),
    ];
    for (count, expected) in cases {
        let mut world = world(&vec![DEAF; count]);
        world.run(secs(10));
        assert_eq!(given_up_at_ms(&world), expected, "{count} routes");
    }
}

/// A trunk's own patience is kept, where it is the shorter.
#[test]
fn a_trunk_s_settings_may_be_less_patient() {
    let hasty = Trunk {
        answer_within: Duration::from_millis(600),
        ..trunk()
    };
    let dial = dial_by(1, &[hasty, trunk(), trunk()]);
    let mut world = World::with(dial, GOOD, &[DEAF; 3]);
    world.run(secs(10));
    // What the first has not used is there for the second.
    assert_eq!(given_up_at_ms(&world), [600, 4_600]);
}

/// What a trunk takes to fail after it has spoken is no silence: the next has its full time.
#[test]
fn only_silence_is_counted() {
    let works = Script::WorksThenRefuses(503);
    let mut world = world(&[works, DEAF, Script::AnswersAfter(secs(1))]);
    world.run(secs(10));
    let [refused, silent] = given_up_at_ms(&world)[..] else {
        panic!("{:?}", world.told);
    };
    assert!((1_000..1_100).contains(&refused), "{refused}");
    // All but the milliseconds that its 183 took.
    assert!((3_950..=4_000).contains(&(silent - refused)), "{silent}");
    assert!(matches!(world.last_told(), Event::Answered(_)));
}

/// A challenge is a sign of life once; silence after it is silence again, and comes out of the same time.
#[test]
fn silence_after_a_challenge_gives_way_too() {
    let deaf = Script::DeafAfterChallenge;
    let mut world = world(&[deaf, DEAF, Script::RingsForEver]).with_guard();
    world.run(PROMISE);
    assert_eq!(given_up_at_ms(&world).len(), 2);
    assert_eq!(world.heard_by(2, &Method::Invite), 1);
}

#[test]
fn a_closed_port_after_a_silence_costs_no_time() {
    let mut world = world(&[DEAF, DEAF, Script::AnswersAfter(secs(1))]);
    world.plan(secs(1), Plan::Unreachable(0));
    world.run(secs(10));
    // The second has what the first has left: 4 s at most.
    assert_eq!(given_up_at_ms(&world), [1_000, 4_800]);
}

/// Where nobody else can be tried, the INVITE has all its sendings (RFC 3261 §17.1.1.2), and the user is told whose silence it is.
#[test]
fn the_last_route_is_given_up_after_64_t1_with_words() {
    for count in [1, 3] {
        let mut world = world(&vec![DEAF; count]);
        world.run(secs(70));
        let last = given_up_at_ms(&world)[count - 1];
        assert_eq!(last, if count == 1 { 32_000 } else { 4_800 + 32_000 });
        let ended = ended(&world);
        assert_eq!((ended.outcome, ended.by), (Outcome::Failed, Side::Them));
        assert!(ended.words.contains("does not respond"), "{}", ended.words);
    }
}

#[test]
fn the_settings_say_how_long_the_last_route_may_be_silent_but_64_t1_is_the_end() {
    for (seconds, expected) in [(5, 5), (25, 25), (60, 32)] {
        let patient = Trunk {
            give_up_after: secs(seconds),
            ..trunk()
        };
        let mut world = World::with(dial_by(1, &[patient]), GOOD, &[DEAF]);
        world.run(secs(70));
        assert_eq!(world.told_at.last(), Some(&secs(expected)));
        assert!(ended(&world).words.contains("does not respond"));
    }
    // RFC 3261 §17.1.1.1: T1 may be set lower, and with it all that follows from it.
    let timers = Timers {
        t1: Duration::from_millis(100),
        ..Timers::default()
    };
    let dial = Dial {
        timers,
        ..dial_by(1, &[trunk()])
    };
    let mut world = World::with(dial, GOOD, &[DEAF]);
    world.run(secs(70));
    assert_eq!(world.told_at.last(), Some(&Duration::from_millis(6_400)));
}

// RFC 3261 §9.1: it wakes when we have given up: the first provisional response brings it the CANCEL, and nothing is left.
#[test]
fn a_trunk_that_wakes_after_it_was_given_up_is_cancelled() {
    let patient = Trunk {
        give_up_after: secs(10),
        ..trunk()
    };
    let mut world = World::with(dial_by(1, &[patient]), GOOD, &[Script::DeafFor(secs(11))]);
    world.run(secs(80));
    assert_eq!(world.heard_by(0, &Method::Cancel), 1);
    assert!(world.call.is_finished());
    assert_eq!(world.call.poll_timeout(), None);
}

#[test]
fn a_trunk_out_of_reach_has_words_of_its_own() {
    let mut world = world(&[Script::Silent]);
    world.plan(Duration::from_millis(5), Plan::Unreachable(0));
    world.run(secs(1));
    let ended = ended(&world);
    assert_eq!(ended.outcome, Outcome::Failed);
    assert!(ended.words.contains("cannot be reached"), "{}", ended.words);
}

/// One message in five is lost each way: no more than one call in 1,000 by a lone trunk is given up though it is well (0.36^7 = 0.8).
#[test]
fn a_lone_trunk_on_a_bad_network_is_rarely_taken_for_silent() {
    let bad = Network {
        lost: 20,
        repeated: 10,
        delay_ms_max: 400,
    };
    let count = 2_000;
    let given_up = (0..count).filter(|seed| {
        let mut world = World::with(dial_by(*seed, &[trunk()]), bad, &[Script::RingsForEver]);
        world.run(secs(33));
        world
            .told
            .iter()
            .any(|event| matches!(event, Event::RouteFailed { .. }))
    });
    let given_up = given_up.count();
    assert!(given_up <= 2, "{given_up} of {count}");
}
