//! What happens when a trunk fails: the next route, and never a phone that rings twice. How long that takes is in `silence.rs`.

use std::time::Duration;

use housecall_sip::Method;

use super::world::{BAD, GOOD, Network, Plan, Script, World, dial_by, secs, trunk};
use crate::{Event, Outcome, RouteFailure, Trunk};

const NO_HEADERS: &[(&str, &str)] = &[];
/// The promise: the next trunk is tried within 5 s.
const PROMISE: Duration = Duration::from_secs(5);

fn world(scripts: &[Script]) -> World {
    let trunks = vec![trunk(); scripts.len()];
    World::with(dial_by(1, &trunks), GOOD, scripts)
}

fn failures(world: &World) -> Vec<(usize, RouteFailure)> {
    let failure = |event: &Event| match event {
        Event::RouteFailed { route, why } => Some((*route, *why)),
        _ => None,
    };
    world.told.iter().filter_map(failure).collect()
}

fn outcome(world: &World) -> Outcome {
    match world.last_told() {
        Event::Ended(ended) => ended.outcome,
        other => panic!("{other:?}"),
    }
}

fn is_answered(world: &World) -> bool {
    let answered = |event: &Event| matches!(event, Event::Answered(_));
    world.told.iter().any(answered)
}

const fn unavailable(status: u16, retry_after: Option<Duration>) -> RouteFailure {
    RouteFailure::Unavailable {
        status,
        retry_after,
    }
}

// RFC 3261 §21.5.4: 503 and its Retry-After; the next server is tried.
#[test]
fn a_trunk_that_is_unavailable_gives_way() {
    let refuses = Script::Refuses(503, &[("Retry-After", "120 (maintenance)")]);
    let mut world = world(&[refuses, Script::AnswersAfter(secs(2))]);
    world.run(secs(10));
    assert_eq!(failures(&world), [(0, unavailable(503, Some(secs(120))))]);
    assert!(is_answered(&world));
    assert_eq!(world.heard_by(0, &Method::Invite), 1);
    assert_eq!(world.heard_by(0, &Method::Ack), 1);
    assert_eq!(world.heard_by(1, &Method::Invite), 1);
    assert_eq!(world.call_ids.len(), 2);
    assert_ne!(world.call_ids[0], world.call_ids[1]);
}

#[test]
fn a_silent_trunk_gives_way_within_5_s_and_is_cancelled_when_it_wakes() {
    let mut world = world(&[Script::DeafFor(secs(10)), Script::AnswersAfter(secs(2))]);
    world.run(PROMISE);
    assert_eq!(failures(&world), [(0, RouteFailure::Silence)]);
    assert_eq!(world.heard_by(1, &Method::Invite), 1);
    world.run(secs(20));
    assert!(is_answered(&world));
    // RFC 3261 §9.1: its INVITE was repeated meanwhile; the first 180 brings it the CANCEL.
    assert_eq!(world.heard_by(0, &Method::Cancel), 1);
    assert_eq!(world.heard_by(0, &Method::Bye), 0);
    world.plan(secs(0), Plan::HangUp);
    world.run(secs(70));
    assert_eq!(outcome(&world), Outcome::Completed);
    assert!(world.call.is_finished());
}

/// An answer that comes too late is acknowledged and hung up (RFC 3261 §15).
#[test]
fn a_late_answer_of_a_trunk_given_up_is_hung_up() {
    let slow = Network {
        lost: 0,
        repeated: 0,
        delay_ms_max: 10,
    };
    let mut world = World::with(
        dial_by(
            1,
            &[
                Trunk {
                    answer_within: Duration::from_millis(5),
                    ..trunk()
                },
                trunk(),
            ],
        ),
        Network {
            delay_ms_max: 40,
            ..slow
        },
        &[Script::AnswersAfter(Duration::ZERO), Script::RingsForEver],
    );
    world.run(secs(5));
    assert_eq!(failures(&world), [(0, RouteFailure::Silence)]);
    assert_eq!(world.heard_by(0, &Method::Ack), 1);
    assert_eq!(world.heard_by(0, &Method::Bye), 1);
    assert!(!is_answered(&world));
    assert_eq!(world.last_told(), &Event::Ringing);
}

#[test]
fn a_trunk_out_of_reach_gives_way_at_once() {
    let mut world = world(&[Script::Silent, Script::RingsForEver]);
    world.plan(Duration::from_millis(5), Plan::Unreachable(0));
    world.run(secs(1));
    assert_eq!(failures(&world), [(0, RouteFailure::Unreachable)]);
    assert_eq!(world.last_told(), &Event::Ringing);
    // What fails later on a route that was left concerns nobody.
    world.plan(secs(0), Plan::Unreachable(0));
    world.run(secs(1));
    assert_eq!(world.last_told(), &Event::Ringing);
}

/// What the called person or the telephone network says is the answer; another trunk would only ring the same phone again.
#[test]
fn the_called_side_s_word_is_final() {
    for status in [
        403, 404, 408, 480, 486, 487, 488, 500, 502, 504, 600, 603, 604, 606,
    ] {
        let mut world = world(&[Script::Refuses(status, NO_HEADERS), Script::RingsForEver]);
        world.run(secs(3));
        assert_eq!(failures(&world), [], "{status}");
        assert!(matches!(world.last_told(), Event::Ended(_)), "{status}");
        assert_eq!(world.heard_by(1, &Method::Invite), 0, "{status}");
    }
}

#[test]
fn server_errors_give_way_where_the_trunk_s_settings_say_so() {
    let first = Trunk {
        next_on_server_error: true,
        ..trunk()
    };
    for status in [408, 500, 502, 503, 504] {
        let dial = dial_by(2, &[first.clone(), trunk()]);
        let scripts = [Script::Refuses(status, NO_HEADERS), Script::RingsForEver];
        let mut world = World::with(dial, GOOD, &scripts);
        world.run(secs(3));
        assert_eq!(failures(&world), [(0, unavailable(status, None))]);
        assert_eq!(world.last_told(), &Event::Ringing, "{status}");
    }
}

#[test]
fn a_phone_that_rang_is_not_rung_by_another_trunk() {
    for script in [Script::RingsThenRefuses(503), Script::EarlyThenRefuses(503)] {
        let mut world = world(&[script, Script::RingsForEver]);
        world.run(secs(10));
        assert_eq!(failures(&world), []);
        assert_eq!(outcome(&world), Outcome::Congested);
        assert_eq!(world.heard_by(1, &Method::Invite), 0);
    }
}

/// 183 without sound says only that the trunk works at it.
#[test]
fn progress_that_nobody_perceives_gives_way() {
    let mut world = world(&[Script::WorksThenRefuses(503), Script::RingsForEver]);
    world.run(secs(10));
    assert_eq!(failures(&world), [(0, unavailable(503, None))]);
    assert_eq!(world.last_told(), &Event::Ringing);
}

#[test]
fn hanging_up_ends_every_attempt() {
    let mut world = world(&[Script::DeafFor(secs(10)), Script::RingsForEver]);
    world.plan(secs(7), Plan::HangUp);
    world.run(secs(80));
    assert_eq!(outcome(&world), Outcome::Cancelled);
    assert_eq!(world.heard_by(0, &Method::Cancel), 1);
    assert_eq!(world.heard_by(1, &Method::Cancel), 1);
    assert!(world.call.is_finished());
    assert_eq!(world.call.poll_timeout(), None);
}

#[test]
fn the_last_route_s_failure_is_told_and_ends_the_call() {
    let unavailable_now = Script::Refuses(503, NO_HEADERS);
    let mut world = world(&[unavailable_now, unavailable_now]);
    world.run(secs(70));
    let both = [(0, unavailable(503, None)), (1, unavailable(503, None))];
    assert_eq!(failures(&world), both);
    assert_eq!(outcome(&world), Outcome::Congested);
    assert!(world.call.is_finished());
}

/// Whatever a bad network loses, a call by three routes ends once and owes nothing in the end.
#[test]
fn no_call_by_several_routes_is_stuck() {
    for seed in 0..200 {
        let deaf = Script::DeafFor(secs(seed % 9));
        let scripts = match seed % 3 {
            0 => [
                deaf,
                Script::Refuses(503, NO_HEADERS),
                Script::AnswersAfter(secs(2)),
            ],
            1 => [Script::Refuses(503, NO_HEADERS), deaf, Script::RingsForEver],
            _ => [deaf, deaf, Script::AnswersAfter(secs(1))],
        };
        let mut world = World::with(dial_by(seed, &vec![trunk(); 3]), BAD, &scripts);
        world.plan(secs(3 + seed % 40), Plan::HangUp);
        world.run(secs(43 + 70));
        let ends = world.told.iter();
        let ends = ends
            .filter(|event| matches!(event, Event::Ended(_)))
            .count();
        assert_eq!(ends, 1, "seed {seed}: {:?}", world.told);
        assert!(world.call.is_finished(), "seed {seed}");
        assert_eq!(world.call.poll_timeout(), None, "seed {seed}");
        let ids: std::collections::BTreeSet<_> = world.call_ids.iter().collect();
        assert_eq!(ids.len(), world.call_ids.len(), "seed {seed}");
    }
}
