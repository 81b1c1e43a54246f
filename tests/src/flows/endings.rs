//! The ways in which an answered call ends.

use std::cell::RefCell;
use std::collections::BTreeMap;

use housecall_meter::Credits;
use housecall_phone::Outcome;

use super::{hold, in_all_weathers, storms};
use crate::world::{World, answered, early_sound, held, millis, over, ringing, secs};

#[test]
fn they_hang_up() {
    in_all_weathers(|world| {
        world.dial("0491 571 266");
        world.until(answered());
        world.until(over(Outcome::Completed));
        world.expect_end(Outcome::Completed);
        world.expect_cost(1);
    });
}

#[test]
fn both_hang_up_in_the_same_moment() {
    in_all_weathers(|world| {
        world.dial("0491 571 266");
        world.until(answered());
        let moment = secs(5) - millis(50) + world.random(millis(100));
        world.run(moment);
        world.hang_up();
        world.expect_end(Outcome::Completed);
        world.expect_cost(1);
    });
}

#[test]
fn they_hang_up_while_held() {
    in_all_weathers(|world| {
        world.dial("0491 571 266");
        world.until(answered());
        world.run(secs(3));
        world.ask_to_hold();
        world.until(over(Outcome::Completed));
        world.expect_end(Outcome::Completed);
        world.expect_cost(1);
    });
}

#[test]
fn the_sound_is_lost_for_half_a_minute() {
    let mut world = World::clear(1);
    world.dial("0491 570 157");
    world.until(answered());
    world.run(secs(2));
    world.cut_the_sound();
    world.until(over(Outcome::MediaLost));
    world.expect_cost(1);
    world.expect_all_is_well();
}

/// M8: credits that run out end no call in progress.
#[test]
fn credits_that_run_out_end_no_call() {
    let mut world = World::clear(1).with_credits(Credits(1));
    world.dial("0491 570 157");
    world.until(answered());
    world.run(secs(61));
    assert!(!world.is_over(), "{}", world.story());
    world.hang_up();
    world.expect_cost(2);
    world.expect_all_is_well();
    assert_eq!(world.available(), -1);
}

/// The caller hangs up whenever it likes, whatever the call is doing.
#[test]
fn the_caller_hangs_up_at_any_moment() {
    let numbers = [
        "0491 570 157",
        "0491 570 159",
        "0491 570 737",
        "0491 571 266",
        "0491 570 158",
    ];
    let phases = RefCell::new(BTreeMap::new());
    for seed in 1..=2 * storms() {
        let number = numbers[seed as usize % numbers.len()];
        hold(World::storm(seed, false), |world| {
            world.dial(number);
            let moment = world.random(secs(8));
            world.run(moment / 2);
            world.try_to_hold();
            world.run(moment / 2);
            *phases.borrow_mut().entry(phase(world)).or_insert(0) += 1;
            world.hang_up();
        });
    }
    let phases = phases.into_inner();
    for phase in ["dialling", "ringing", "early", "talking", "held", "over"] {
        assert!(
            phases.get(phase).is_some_and(|times| *times >= 5),
            "{phase} in {phases:?}"
        );
    }
}

fn phase(world: &World) -> &'static str {
    if world.is_over() {
        "over"
    } else if world.was_told(held()) {
        "held"
    } else if world.was_told(answered()) {
        "talking"
    } else if world.was_told(early_sound()) {
        "early"
    } else if world.was_told(ringing()) {
        "ringing"
    } else {
        "dialling"
    }
}
