//! Nobody answers, and nothing is charged.

use housecall_meter::Credits;
use housecall_phone::{Outcome, Trunk};

use super::in_all_weathers;
use crate::world::{World, millis, over, ringing, secs};

fn ends_by_itself(number: &str, outcome: Outcome) {
    in_all_weathers(|world| {
        world.dial(number);
        world.until(over(outcome));
        world.expect_end(outcome);
        world.expect_cost(0);
    });
}

#[test]
fn a_busy_line() {
    ends_by_itself("0491 570 158", Outcome::Busy);
}

#[test]
fn a_declined_call() {
    ends_by_itself("0491 570 110", Outcome::Declined);
}

#[test]
fn a_number_that_does_not_exist() {
    ends_by_itself("0491 570 313", Outcome::WrongNumber);
}

#[test]
fn nobody_answers_within_the_ring_limit() {
    in_all_weathers(|world| {
        world.dial("0491 570 159");
        world.run(secs(2));
        if world.expect_told(ringing()) {
            world.expect_caller_soon_hears_something();
        }
        world.until(over(Outcome::NoAnswer));
        assert!(
            world.is_astray() || world.elapsed() == secs(45),
            "{}",
            world.story()
        );
        world.expect_end(Outcome::NoAnswer);
        world.expect_cost(0);
    });
}

#[test]
fn the_caller_gives_up_while_it_rings() {
    in_all_weathers(|world| {
        world.dial("0491 570 159");
        world.run(secs(3));
        world.expect_told(ringing());
        world.hang_up();
        world.expect_end(Outcome::Cancelled);
        world.expect_cost(0);
    });
}

#[test]
fn the_caller_gives_up_before_anything_came_back() {
    in_all_weathers(|world| {
        world.dial("0491 570 157");
        let thought = world.random(millis(2));
        world.run(thought);
        world.hang_up();
        world.expect_end(Outcome::Cancelled);
        world.expect_cost(0);
    });
}

#[test]
fn a_network_that_is_away() {
    let mut world = World::deaf(1);
    world.dial("0491 570 157");
    world.until(over(Outcome::Failed));
    assert_eq!(world.elapsed(), Trunk::GIVE_UP_AFTER);
    world.expect_cost(0);
    world.expect_all_is_well();
}

#[test]
fn without_credits_nothing_is_sent() {
    let mut world = World::clear(1).with_credits(Credits(0));
    assert!(!world.dial("0491 570 157"));
    world.expect_nothing_happened();
}
