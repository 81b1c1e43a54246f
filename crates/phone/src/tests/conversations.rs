use std::time::Duration;

use housecall_media::sdp::{Codec, Description, Direction, MediaTarget};
use housecall_sip::Method;
use housecall_sip::digest::Credentials;

use super::world::{Act, BAD, GOOD, Plan, Script, World, dial, dial_by, secs, trunk};
use crate::{Call, Ended, Event, Outcome, Side};

const SEEDS: u64 = 200;

fn ended(world: &World) -> &Ended {
    match world.last_told() {
        Event::Ended(ended) => ended,
        other => panic!("{other:?}"),
    }
}

fn names(told: &[Event]) -> Vec<&'static str> {
    let name = |event: &Event| match event {
        Event::RouteFailed { .. } => "route failed",
        Event::EncryptionRefused => "plain",
        Event::Redirected { .. } => "redirected",
        Event::KeyRefused(_) => "key refused",
        Event::KeyHeard(_) => "key heard",
        Event::Ringing => "ringing",
        Event::EarlyMedia(_) => "early",
        Event::Answered(_) => "answered",
        Event::MediaChanged(_) => "changed",
        Event::Held => "held",
        Event::Resumed => "resumed",
        Event::HoldRefused => "refused",
        Event::Ended(_) => "ended",
    };
    told.iter().map(name).collect()
}

fn target(event: &Event) -> &MediaTarget {
    match event {
        Event::EarlyMedia(target) | Event::Answered(target) | Event::MediaChanged(target) => target,
        other => panic!("{other:?}"),
    }
}

#[test]
fn p3_rings_is_answered_and_hung_up() {
    let mut world = World::new(1, GOOD, Script::AnswersAfter(secs(2)));
    world.run(secs(10));
    assert_eq!(names(&world.told), ["ringing", "answered"]);
    let answered = target(&world.told[1]);
    assert_eq!(answered.remote, "10.0.0.2:50000".parse().unwrap());
    assert_eq!((answered.codec, answered.payload_type), (Codec::Pcmu, 0));
    assert_eq!(answered.telephone_event, Some(101));
    assert_eq!(answered.direction, Direction::SendRecv);
    world.plan(Duration::ZERO, Plan::HangUp);
    world.run(secs(70));
    assert_eq!(ended(&world).outcome, Outcome::Completed);
    assert_eq!(ended(&world).by, Side::Us);
    assert_eq!(world.heard_count(Method::Bye), 1);
    assert!(world.call.is_finished());
}

#[test]
fn the_invite_says_who_calls_whom() {
    let world_invite = {
        let mut world = World::new(2, GOOD, Script::Silent);
        world.run(secs(1));
        world.heard[0].clone()
    };
    assert_eq!(
        world_invite.request_uri(),
        Some("sip:+61491570006@sip.carrier.test;user=phone")
    );
    let from = world_invite.from().unwrap();
    assert_eq!(from.uri.as_str(), "sip:+61255500142@sip.carrier.test");
    let asserted = world_invite.header(housecall_sip::Name::PAssertedIdentity);
    assert_eq!(asserted, Some("<sip:+61255500142@sip.carrier.test>"));
    let contact = world_invite.contact().unwrap().unwrap();
    assert_eq!(contact.uri.as_str(), "sip:+61255500142@10.0.0.1:5060");
    assert!(
        world_invite.bytes().len() < 1300,
        "{} bytes",
        world_invite.bytes().len()
    );
}

#[test]
fn the_trunk_challenges() {
    let mut world = World::new(3, GOOD, Script::AnswersAfter(secs(1))).with_guard();
    world.run(secs(5));
    assert_eq!(names(&world.told), ["ringing", "answered"]);
    assert_eq!(world.heard_count(Method::Invite), 2);
}

// RFC 3261 §22: a password that is refused is the administrator's business, and not tried for ever.
#[test]
fn a_password_that_is_refused_has_words_of_its_own() {
    let trunk = trunk().with_credentials(Credentials::new("harbour", "ebb"));
    let script = Script::AnswersAfter(secs(1));
    let mut world = World::with(dial_by(3, &[trunk]), GOOD, &[script]).with_guard();
    world.run(secs(70));
    assert_eq!(ended(&world).outcome, Outcome::SignInRefused);
    assert_eq!(ended(&world).cause.status, Some(407));
    assert!((2..=3).contains(&world.heard_count(Method::Invite)));
    assert!(world.call.is_finished());
}

#[test]
fn p3_refusals_in_words() {
    const NONE: &[(&str, &str)] = &[];
    let cases = [
        (486, NONE, Outcome::Busy),
        (603, NONE, Outcome::Declined),
        (404, NONE, Outcome::WrongNumber),
        (403, NONE, Outcome::NotPermitted),
        (503, NONE, Outcome::Congested),
        (480, &[("Reason", "Q.850;cause=17")], Outcome::Busy),
    ];
    for (status, headers, outcome) in cases {
        let mut world = World::new(4, GOOD, Script::Refuses(status, headers));
        world.run(secs(70));
        assert_eq!(ended(&world).outcome, outcome, "{status}");
        assert_eq!(ended(&world).cause.status, Some(status));
        assert_eq!(ended(&world).by, Side::Them);
        assert!(world.call.is_finished(), "{status}");
    }
}

#[test]
fn p7_it_rings_for_45_seconds() {
    let mut world = World::new(5, GOOD, Script::RingsForEver);
    world.run(Duration::from_millis(44_900));
    assert_eq!(names(&world.told), ["ringing"]);
    world.run(secs(70));
    assert_eq!(ended(&world).outcome, Outcome::NoAnswer);
    assert_eq!(world.heard_count(Method::Cancel), 1);
    assert!(world.call.is_finished());
}

#[test]
fn hanging_up_while_it_rings_is_a_cancel() {
    let mut world = World::new(6, GOOD, Script::RingsForEver);
    world.plan(secs(3), Plan::HangUp);
    world.run(secs(70));
    assert_eq!(ended(&world).outcome, Outcome::Cancelled);
    assert_eq!(world.heard_count(Method::Cancel), 1);
    assert_eq!(world.heard_count(Method::Bye), 0);
    assert!(world.call.is_finished());
}

#[test]
fn p3_early_sound_is_heard() {
    let mut world = World::new(7, GOOD, Script::EarlyThenAnswers(secs(3)));
    world.run(secs(10));
    let mut told = names(&world.told);
    assert_eq!(told.pop(), Some("answered"));
    told.sort_unstable();
    assert_eq!(told, ["early", "ringing"]);
}

/// Consent: nothing names a place to send sound to before the network has agreed to it, whatever else it says.
#[test]
fn row_25_no_sound_flows_before_it_is_agreed() {
    for script in [
        Script::RingsForEver,
        Script::WorksThenRefuses(486),
        Script::RingsThenRefuses(603),
        Script::NoCodec,
        Script::Silent,
    ] {
        let mut world = World::new(25, GOOD, script);
        world.plan(secs(20), Plan::HangUp);
        world.run(secs(100));
        let is_target = |event: &Event| {
            matches!(
                event,
                Event::EarlyMedia(_) | Event::Answered(_) | Event::MediaChanged(_)
            )
        };
        assert!(
            !world.told.iter().any(is_target),
            "{:?}",
            names(&world.told)
        );
        assert_eq!(ends(&world.told), 1);
    }
}

#[test]
fn an_answer_without_a_body_means_the_early_one() {
    let mut world = World::new(8, GOOD, Script::EarlyOnly(secs(3)));
    world.run(secs(10));
    assert_eq!(target(world.last_told()).codec, Codec::Pcmu);
}

#[test]
fn an_answer_that_nobody_could_hear_is_hung_up() {
    let mut world = World::new(9, GOOD, Script::NoCodec);
    world.run(secs(70));
    assert_eq!(ended(&world).outcome, Outcome::NoCommonSound);
    assert_eq!(world.heard_count(Method::Ack), 1);
    assert_eq!(world.heard_count(Method::Bye), 1);
}

#[test]
fn p4_hold_then_resume() {
    let mut world = World::new(10, GOOD, Script::AnswersAfter(secs(1)));
    world.run(secs(5));
    assert_eq!(
        world.call.resume(world.now).unwrap_err().state,
        "the call is not held"
    );
    world.plan(secs(0), Plan::Hold);
    world.run(secs(2));
    assert_eq!(names(&world.told)[2..], ["changed", "held"]);
    assert_eq!(target(&world.told[2]).direction, Direction::SendOnly);
    let offer = world.fars[0].offer.clone().unwrap();
    assert_eq!(offer.media[0].direction, Some(Direction::SendOnly));
    assert_eq!(offer.origin.session_version, "2");
    assert_eq!(
        world.call.hold(world.now).unwrap_err().state,
        "the call is held"
    );
    world.plan(secs(0), Plan::Resume);
    world.run(secs(2));
    assert_eq!(names(&world.told)[4..], ["changed", "resumed"]);
    let offer = world.fars[0].offer.clone().unwrap();
    assert_eq!(offer.media[0].direction, Some(Direction::SendRecv));
    assert_eq!(offer.origin.session_version, "3");
}

#[test]
fn hold_at_the_wrong_moment() {
    let mut world = World::new(11, GOOD, Script::RingsForEver);
    assert_eq!(world.call.hold(world.now).unwrap_err().state, "dialing");
    world.run(secs(1));
    assert_eq!(world.call.hold(world.now).unwrap_err().state, "ringing");
    world.plan(secs(0), Plan::HangUp);
    world.run(secs(1));
    assert_eq!(
        world.call.hold(world.now).unwrap_err().state,
        "the call is over"
    );
    let mut fresh = Call::dial(world.now, dial(1)).unwrap();
    fresh.hang_up(world.now);
    assert!(fresh.is_over());
}

#[test]
fn the_other_side_holds() {
    let cases = [
        (Direction::SendOnly, Direction::RecvOnly),
        (Direction::Inactive, Direction::Inactive),
    ];
    for (theirs, ours) in cases {
        let mut world = World::new(12, GOOD, Script::AnswersAfter(secs(1)));
        world.run(secs(5));
        world.plan(secs(0), Plan::Far(Act::Hold(theirs)));
        world.plan(secs(5), Plan::Far(Act::Hold(Direction::SendRecv)));
        world.run(secs(3));
        assert_eq!(target(world.last_told()).direction, ours);
        world.run(secs(5));
        assert_eq!(target(world.last_told()).direction, Direction::SendRecv);
    }
}

#[test]
fn a_hold_while_held_is_inactive() {
    let mut world = World::new(13, GOOD, Script::AnswersAfter(secs(1)));
    world.run(secs(5));
    world.plan(secs(0), Plan::Far(Act::Hold(Direction::SendOnly)));
    world.plan(secs(2), Plan::Hold);
    world.run(secs(4));
    let offer = world.fars[0].offer.clone().unwrap();
    assert_eq!(offer.media[0].direction, Some(Direction::Inactive));
    assert_eq!(world.last_told(), &Event::Held);
}

#[test]
fn two_holds_that_meet_both_come_about() {
    let mut world = World::new(14, GOOD, Script::AnswersAfter(secs(1)));
    world.run(secs(5));
    world.plan(secs(0), Plan::Hold);
    world.plan(secs(0), Plan::Far(Act::Hold(Direction::SendRecv)));
    world.run(secs(10));
    assert!(
        world.told.contains(&Event::Held),
        "{:?}",
        names(&world.told)
    );
}

#[test]
fn a_reinvite_without_an_offer_gets_ours() {
    let mut world = World::new(15, GOOD, Script::AnswersAfter(secs(1)));
    world.run(secs(5));
    world.plan(secs(0), Plan::Far(Act::AskForOffer));
    world.run(secs(2));
    assert_eq!(world.heard_count(Method::Invite), 1);
    let answer = world
        .heard
        .iter()
        .rev()
        .find(|message| message.status().is_some());
    let offer = Description::parse(answer.unwrap().body()).unwrap();
    assert_eq!(offer.media[0].formats.len(), 3);
    assert_eq!(names(&world.told), ["ringing", "answered"]);
}

#[test]
fn lost_sound_ends_the_call() {
    let mut world = World::new(16, GOOD, Script::AnswersAfter(secs(1)));
    world.plan(secs(20), Plan::MediaLost);
    world.run(secs(60));
    assert_eq!(ended(&world).outcome, Outcome::MediaLost);
    assert_eq!(world.heard_count(Method::Bye), 1);
}

#[test]
fn the_other_side_hangs_up() {
    let mut world = World::new(17, GOOD, Script::AnswersAfter(secs(1)));
    world.plan(secs(20), Plan::Far(Act::HangUp));
    world.run(secs(60));
    assert_eq!(ended(&world).outcome, Outcome::Completed);
    assert_eq!(ended(&world).by, Side::Them);
}

fn ends(told: &[Event]) -> usize {
    told.iter()
        .filter(|event| matches!(event, Event::Ended(_)))
        .count()
}

/// Whatever the network loses, a call that one side ends is over for us within 64*T1, and told once.
#[test]
fn no_call_is_stuck_on_a_bad_network() {
    for seed in 0..SEEDS {
        let script = match seed % 4 {
            0 => Script::RingsForEver,
            1 => Script::EarlyThenAnswers(secs(3)),
            _ => Script::AnswersAfter(secs(2)),
        };
        let mut world = World::new(seed, BAD, script);
        if seed % 3 == 0 {
            world = world.with_guard();
        }
        world.plan(secs(6), Plan::Hold);
        world.plan(
            secs(7 + seed % 5),
            Plan::Far(Act::Hold(Direction::SendOnly)),
        );
        world.plan(secs(15), Plan::Resume);
        world.plan(secs(30 + seed % 20), Plan::HangUp);
        world.run(secs(50) + secs(66));
        assert_eq!(
            ends(&world.told),
            1,
            "seed {seed}: {:?}",
            names(&world.told)
        );
        assert!(
            world.call.is_finished(),
            "seed {seed}: {:?}",
            names(&world.told)
        );
        assert_eq!(world.call.poll_timeout(), None, "seed {seed}");
    }
}

/// A far end that hears nothing cannot keep an unanswered call open: it ends after 64*T1, and nothing is left of it.
#[test]
fn silence_ends_everything() {
    let deaf = super::world::Network { lost: 100, ..GOOD };
    let mut world = World::new(1, deaf, Script::Silent);
    world.run(secs(32));
    assert_eq!(ended(&world).outcome, Outcome::Failed);
    assert!(world.call.is_finished());
}
