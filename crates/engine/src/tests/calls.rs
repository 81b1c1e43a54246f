use std::time::Duration;

use housecall_carrier::Stage;

use super::browser::{Browser, Offering, VOICE_HZ, hears, is_near};
use super::world::{World, shows, within};
use crate::record::EndedBy;
use crate::{
    CallPhase, CallRecord, DialRefused, Dialed, Dialing, StartRefused, Talking, TooManyCalls,
};

const TONE: &str = "0491 570 157";
const BUSY: &str = "0491 570 158";
const NEVER_ANSWERS: &str = "0491 570 159";
const DECLINES: &str = "0491 570 110";
const HANGS_UP: &str = "0491 571 266";
const NOBODY: &str = "0491 570 313";

#[tokio::test]
async fn a_call_is_heard_keyed_held_and_paid() {
    let world = World::with_credits(100).await;
    let offering = Offering::new().await;
    let dialing = world.dial(TONE, &offering.offer).await.unwrap();
    assert_eq!(world.funds().await.reserved, 1);
    let mut browser = offering.accept(dialing.answer());
    let mut call = answered(dialing).await;
    let (controls, mut view) = (call.controls(), call.view());

    hears(&mut browser.noticed, 1004.0).await;
    let far = world
        .far_end(TONE, "our voice", |call| {
            is_near(call.sound.frequency_hz, VOICE_HZ)
        })
        .await;
    assert_eq!(far.caller_id, "+61255500142");
    assert_eq!(far.stage, Stage::Talking);

    "12#".chars().for_each(|digit| controls.digit(digit));
    world
        .far_end(TONE, "the keys", |call| call.digits == "12#")
        .await;

    controls.hold();
    shows(&mut view, "held", |view| view.held.is_on()).await;
    shows(&mut browser.noticed, "silence", |it| it.heard_dbfs < -60.0).await;
    world.far_end(TONE, "music", |call| call.sound.music).await;
    controls.resume();
    shows(&mut view, "resumed", |view| !view.held.is_on()).await;
    hears(&mut browser.noticed, 1004.0).await;

    controls.mute(true);
    world
        .far_end(TONE, "nothing", |call| call.sound.is_silence())
        .await;

    controls.hang_up();
    let record = within(call.ended()).await.unwrap();
    assert_eq!(outcome(&record), ("completed", None, 1));
    assert_eq!(record.ended_by, EndedBy::Us);
    assert!(record.hold_ms > 0 && record.hold_ms < record.talk_ms);
    let quality = record.quality.as_ref().unwrap();
    assert!(quality.packets_received > 50);
    // How good it was is the machine's affair; so short a call may be on hold or muted whenever what is sent would be judged.
    assert!(quality.heard.is_some(), "{quality:?}");
    assert_eq!(world.settled().await, 99);
    assert_eq!(world.records(), [record]);
    world
        .far_end(TONE, "the end", |call| call.stage == Stage::Ended)
        .await;
}

#[tokio::test]
async fn p7_who_cannot_be_reached_costs_nothing() {
    for (to, expected) in [
        (BUSY, ("busy", Some(486), 0)),
        (DECLINES, ("declined", Some(603), 0)),
        (NOBODY, ("wrong_number", Some(404), 0)),
    ] {
        let world = World::with_credits(100).await;
        let record = unanswered(dial(&world, to).await).await;
        assert_eq!(outcome(&record), expected, "{to}");
        assert_eq!(record.ended_by, EndedBy::Them, "{to}");
        assert_eq!((record.talk_ms, record.answered), (0, None), "{to}");
        assert_eq!(world.settled().await, 100, "{to}");
    }
}

#[tokio::test]
async fn p7_a_phone_that_rings_too_long_is_not_answered() {
    let limit = Duration::from_millis(300);
    let world = World::new(100, |options| options.ring_limit = limit).await;
    let record = unanswered(dial(&world, NEVER_ANSWERS).await).await;
    assert_eq!(record.outcome, "no_answer");
    assert_eq!(world.settled().await, 100);
}

#[tokio::test]
async fn a_call_that_they_end_is_completed_by_them() {
    let world = World::with_credits(100).await;
    let offering = Offering::new().await;
    let dialing = world.dial(HANGS_UP, &offering.offer).await.unwrap();
    let _browser = offering.accept(dialing.answer());
    let record = within(answered(dialing).await.ended()).await.unwrap();
    assert_eq!(record.outcome, "completed");
    assert_eq!((record.ended_by, record.credits), (EndedBy::Them, 1));
    assert_eq!(world.settled().await, 99);
}

#[tokio::test]
async fn an_offer_that_is_none_gives_back_what_was_reserved() {
    let world = World::with_credits(100).await;
    for offer in ["", "v=0\r\n", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"] {
        let refused = world.dial(TONE, offer).await.unwrap_err();
        assert!(matches!(refused, DialRefused::Offer(_)), "{refused}");
    }
    assert_eq!(world.settled().await, 100);
    assert!(world.records().is_empty() && world.carrier.report().calls.is_empty());
    // Neither the person nor the number counts as in a call.
    dial(&world, TONE).await;
}

#[tokio::test]
async fn m7_nothing_rings_that_is_not_covered() {
    let world = World::with_credits(0).await;
    let offer = Offering::new().await.offer;
    let refused = world.dial(TONE, &offer).await.unwrap_err();
    let DialRefused::Money(StartRefused::InsufficientCredits { needed, available }) = refused
    else {
        panic!("{refused}");
    };
    assert_eq!((needed, available), (1, 0));
    assert_eq!(world.settled().await, 0);
    assert!(world.carrier.report().calls.is_empty());
}

#[tokio::test]
async fn p6_a_number_rings_once_at_a_time() {
    let world = World::with_credits(100).await;
    let first = dial(&world, NEVER_ANSWERS).await;
    let offer = Offering::new().await.offer;
    let second = world.dial(NEVER_ANSWERS, &offer).await.unwrap_err();
    assert!(matches!(second, DialRefused::Limit(TooManyCalls::Number)));
    assert_eq!(world.funds().await.reserved, 1);
    first.hang_up_handle().hang_up();
    assert_eq!(unanswered(first).await.outcome, "cancelled");
    assert_eq!(world.settled().await, 100);
}

#[tokio::test]
async fn a_drain_refuses_new_calls_and_waits_for_the_old() {
    let world = World::with_credits(100).await;
    let call = dial(&world, NEVER_ANSWERS).await;
    assert!(!world.engine.drain(Duration::from_millis(1)).await);
    let offer = Offering::new().await.offer;
    let refused = world.dial(TONE, &offer).await.unwrap_err();
    assert!(matches!(refused, DialRefused::Draining), "{refused}");

    call.hang_up_handle().hang_up();
    assert!(world.engine.drain(super::world::PATIENCE).await);
    assert_eq!(world.funds().await.reserved, 0);
    assert_eq!(unanswered(call).await.credits, 0);
}

#[tokio::test]
async fn a_page_that_closes_while_it_rings_hangs_up() {
    let world = World::with_credits(100).await;
    let dialing = dial(&world, NEVER_ANSWERS).await;
    let mut view = dialing.view();
    shows(&mut view, "ringing", |view| {
        view.phase == CallPhase::Ringing
    })
    .await;
    drop(dialing);
    assert_eq!(world.first_record().await.outcome, "cancelled");
    assert_eq!(world.settled().await, 100);
    world
        .far_end(NEVER_ANSWERS, "the end", |call| call.stage == Stage::Ended)
        .await;
}

#[tokio::test]
async fn a_page_that_closes_while_it_talks_hangs_up() {
    let (world, talking, _browser) = talking().await;
    drop(talking);
    let record = world.first_record().await;
    assert_eq!(outcome(&record), ("completed", None, 1));
    assert_eq!(world.settled().await, 99);
}

#[tokio::test]
async fn a_stop_ends_and_settles_every_call() {
    let (world, mut talking, _browser) = talking().await;
    let ringing = dial(&world, NEVER_ANSWERS).await;
    assert!(world.engine.end_all(super::world::PATIENCE).await);
    assert_eq!(within(talking.ended()).await.unwrap().outcome, "completed");
    assert_eq!(unanswered(ringing).await.outcome, "cancelled");
    let funds = world.funds().await;
    assert_eq!((funds.available, funds.reserved), (99, 0));
}

/// Rings from a browser that shows its offer and never connects.
async fn dial(world: &World, to: &str) -> Dialing {
    let offer = Offering::new().await.offer;
    world.dial(to, &offer).await.unwrap()
}

/// A call to the tone in which both are heard.
async fn talking() -> (World, Talking, Browser) {
    let world = World::with_credits(100).await;
    let offering = Offering::new().await;
    let dialing = world.dial(TONE, &offering.offer).await.unwrap();
    let mut browser = offering.accept(dialing.answer());
    let talking = answered(dialing).await;
    hears(&mut browser.noticed, 1004.0).await;
    (world, talking, browser)
}

pub(super) async fn answered(dialing: Dialing) -> Talking {
    match within(dialing.answered()).await.unwrap() {
        Dialed::Answered(talking) => talking,
        Dialed::Unanswered(record) => panic!("not answered: {record:?}"),
    }
}

async fn unanswered(dialing: Dialing) -> CallRecord {
    match within(dialing.answered()).await.unwrap() {
        Dialed::Answered(_) => panic!("answered"),
        Dialed::Unanswered(record) => *record,
    }
}

fn outcome(record: &CallRecord) -> (&str, Option<u16>, u64) {
    (&record.outcome, record.cause.status, record.credits)
}
