use std::time::Duration;

use super::world::{ANSWERER, Answers, BAD, CALLER, GOOD, Network, Plan, World};
use crate::StatusCode;

const MINUTE: Duration = Duration::from_secs(60);
const SEEDS: u64 = 200;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ends(told: &[String]) -> usize {
    told.iter()
        .filter(|words| words.starts_with("ended"))
        .count()
}

#[test]
fn rings_is_answered_and_hung_up() {
    let mut world = World::new(1, GOOD);
    world.dial();
    world.plan(secs(10), Plan::HangUp(CALLER));
    world.run(2 * MINUTE);
    assert_eq!(
        world.told[CALLER],
        ["progress 180", "answered", "ended: by us"]
    );
    assert_eq!(
        world.told[ANSWERER],
        ["invited", "acknowledged", "ended: by them"]
    );
    assert!(world.is_idle());
}

#[test]
fn the_called_side_hangs_up() {
    let mut world = World::new(2, GOOD);
    world.dial();
    world.plan(secs(10), Plan::HangUp(ANSWERER));
    world.run(2 * MINUTE);
    assert_eq!(
        world.told[CALLER],
        ["progress 180", "answered", "ended: by them"]
    );
    assert_eq!(
        world.told[ANSWERER],
        ["invited", "acknowledged", "ended: by us"]
    );
    assert!(world.is_idle());
}

#[test]
fn busy() {
    let mut world = World::new(3, GOOD);
    world.answers = Answers::With(StatusCode::BUSY_HERE);
    world.dial();
    world.run(2 * MINUTE);
    assert_eq!(world.told[CALLER], ["ended: refused 486"]);
    assert_eq!(world.has_arrived("ACK"), 1);
    assert!(world.is_idle());
}

#[test]
fn hanging_up_while_it_rings_reaches_the_other_side() {
    let mut world = World::new(4, GOOD);
    world.answers = Answers::RingsForEver;
    world.dial();
    world.plan(secs(3), Plan::HangUp(CALLER));
    world.run(2 * MINUTE);
    assert_eq!(world.told[CALLER], ["progress 180", "ended: by us"]);
    assert_eq!(world.told[ANSWERER], ["invited", "ended: cancelled"]);
    assert_eq!(world.has_arrived("SIP/2.0 487"), 1);
    assert!(world.is_idle());
}

#[test]
fn the_cancel_waits_for_a_provisional_response() {
    let mut world = World::new(5, GOOD);
    world.answers = Answers::RingsForEver;
    world.dial();
    world.plan(Duration::ZERO, Plan::HangUp(CALLER));
    world.run(2 * MINUTE);
    let cancel = world
        .arrived
        .iter()
        .position(|line| line.starts_with("CANCEL"));
    let provisional = world
        .arrived
        .iter()
        .position(|line| line.starts_with("SIP/2.0 1"));
    assert!(
        provisional.unwrap() < cancel.unwrap(),
        "{:?}",
        world.arrived
    );
    assert_eq!(world.told[ANSWERER], ["invited", "ended: cancelled"]);
    assert!(world.is_idle());
}

#[test]
fn an_answer_that_crosses_the_cancel_is_hung_up() {
    let slow = Network {
        delay_ms: (1, 200),
        ..GOOD
    };
    let mut crossed = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed, slow);
        world.dial();
        world.plan(Duration::from_millis(2_150), Plan::HangUp(CALLER));
        world.run(2 * MINUTE);
        assert!(world.is_idle(), "seed {seed}");
        let answered = world.told[CALLER].iter().any(|words| words == "answered");
        if !answered
            && world.told[ANSWERER]
                .iter()
                .any(|words| words == "acknowledged")
        {
            assert_eq!(
                world.told[ANSWERER].last().unwrap(),
                "ended: by them",
                "seed {seed}"
            );
            assert_eq!(world.has_arrived("BYE"), 1, "seed {seed}");
            crossed += 1;
        }
    }
    assert!(crossed > 5, "{crossed}");
}

#[test]
fn two_offers_that_meet_are_both_made_again() {
    let even = Network {
        delay_ms: (10, 10),
        ..GOOD
    };
    let mut world = World::new(6, even);
    world.dial();
    world.plan(secs(5), Plan::Reinvite(CALLER));
    world.plan(secs(5), Plan::Reinvite(ANSWERER));
    world.plan(secs(20), Plan::HangUp(CALLER));
    world.run(2 * MINUTE);
    assert_eq!(world.has_arrived("SIP/2.0 491"), 2);
    for side in [CALLER, ANSWERER] {
        let told = &world.told[side];
        assert!(
            told.iter().any(|words| words == "re-INVITE again"),
            "{told:?}"
        );
        assert!(
            told.iter().any(|words| words == "re-INVITE answered"),
            "{told:?}"
        );
    }
    assert!(world.is_idle());
}

#[test]
fn nobody_there() {
    let deaf = Network { lost: 100, ..GOOD };
    let mut world = World::new(7, deaf);
    world.dial();
    let took = world.run(2 * MINUTE);
    assert_eq!(world.told[CALLER], ["ended: unanswered"]);
    assert_eq!(took, secs(32));
    assert!(world.is_idle());
}

/// Whatever the network does, a call that was hung up ends for both sides within 64*T1 of its last message, and exactly once.
#[test]
fn no_call_is_stuck_on_a_bad_network() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, BAD);
        world.dial();
        world.plan(secs(4 + seed % 3), Plan::Reinvite(seed as usize % 2));
        let hang_up = secs(40 + seed % 30);
        world.plan(hang_up, Plan::HangUp(seed as usize / 2 % 2));
        // A caller that never learns of the answer waits as long as its user does.
        world.plan(hang_up + secs(5), Plan::HangUp(CALLER));
        // The last message may be sent 32 s after the hang-up, and be remembered for 32 s more.
        world.run(hang_up + secs(5) + 2 * secs(33));
        assert!(world.is_idle(), "seed {seed}: {:?}", world.told);
        assert_eq!(
            ends(&world.told[CALLER]),
            1,
            "seed {seed}: {:?}",
            world.told
        );
        let invited = usize::from(!world.told[ANSWERER].is_empty());
        assert_eq!(
            ends(&world.told[ANSWERER]),
            invited,
            "seed {seed}: {:?}",
            world.told
        );
    }
}

/// As above, with the hang-up at any moment of the first seconds.
#[test]
fn no_call_is_stuck_when_hung_up_early() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, BAD);
        world.dial();
        let hang_up = Duration::from_millis(seed * 17);
        world.plan(hang_up, Plan::HangUp(seed as usize % 2));
        // If the answerer had nothing to hang up yet, the caller does.
        world.plan(secs(40), Plan::HangUp(CALLER));
        world.run(secs(40) + 2 * secs(33));
        assert!(world.is_idle(), "seed {seed}: {:?}", world.told);
        assert_eq!(
            ends(&world.told[CALLER]),
            1,
            "seed {seed}: {:?}",
            world.told
        );
    }
}
