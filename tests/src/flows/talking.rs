//! Somebody answers.

use housecall_carrier::SUBSCRIBERS;
use housecall_phone::Outcome;

use super::{hold, in_all_weathers};
use crate::net::Weather;
use crate::world::{World, answered, early_sound, millis, ringing, secs};

#[test]
fn both_sides_hear_each_other() {
    in_all_weathers(|world| {
        world.dial("0491 570 157");
        world.until(answered());
        world.run(secs(3));
        world.expect_sound_both_ways();
        world.hang_up_within_the_first_minute();
    });
}

#[test]
fn a_muted_caller_is_not_heard_and_hears() {
    in_all_weathers(|world| {
        world.dial("0491 570 157");
        world.until(answered());
        world.run(secs(2));
        world.expect_carrier_hears_the_caller();
        world.mute(true);
        world.run(secs(1));
        world.expect_carrier_hears_nothing();
        world.expect_caller_hears_the_tone();
        world.mute(false);
        world.run(secs(1));
        world.expect_carrier_hears_the_caller();
        world.hang_up_within_the_first_minute();
    });
}

#[test]
fn hold_plays_music_and_resume_restores_both_ways() {
    in_all_weathers(|world| {
        world.dial("0491 570 157");
        world.until(answered());
        world.run(secs(2));
        world.hold();
        world.expect_carrier_is_held(true);
        world.run(secs(8));
        world.expect_carrier_hears_music();
        world.expect_caller_hears_nothing();
        world.resume();
        world.expect_carrier_is_held(false);
        world.run(secs(2));
        world.expect_sound_both_ways();
        world.hang_up_within_the_first_minute();
    });
}

#[test]
fn hold_and_resume_again_and_again() {
    in_all_weathers(|world| {
        world.dial("0491 570 157");
        world.until(answered());
        for _ in 0..3 {
            world.hold();
            world.run(millis(300));
            world.resume();
            world.run(millis(300));
        }
        world.run(secs(1));
        world.expect_sound_both_ways();
        world.hang_up();
        world.expect_end(Outcome::Completed);
    });
}

#[test]
fn digits_arrive_once_each_in_order() {
    in_all_weathers(|world| {
        world.dial("0491 571 491");
        world.until(answered());
        world.run(secs(1));
        world.press("15590*#");
        world.run(secs(2));
        world.expect_carrier_got_digits("15590*#");
        world.run(secs(1));
        // They are read back, as tones.
        world.expect_caller_soon_hears_something();
        world.hang_up_within_the_first_minute();
    });
}

#[test]
fn early_sound_is_heard_before_the_answer_and_costs_nothing() {
    in_all_weathers(|world| {
        world.dial("0491 570 737");
        world.run(secs(2));
        if world.expect_told(early_sound()) {
            world.expect_caller_soon_hears_something();
        }
        world.until(answered());
        world.run(secs(2));
        world.expect_carrier_hears_the_caller();
        world.hang_up_within_the_first_minute();
    });
}

#[test]
fn the_second_minute_costs_a_second_credit() {
    in_all_weathers(|world| {
        world.dial("0491 571 491");
        world.until(answered());
        world.run(secs(61));
        world.hang_up();
        world.expect_end(Outcome::Completed);
        world.expect_cost(2);
    });
}

/// Loss and disorder of the sound itself: less than anybody notices, and the keys are exact.
#[test]
fn a_mildly_bad_network_is_not_heard() {
    let mild = Weather {
        loss: 0.02,
        duplication: 0.01,
        delay: millis(20),
        jitter: millis(30),
    };
    for seed in 1..=5 {
        hold(World::clear(seed).with_rtp(mild), |world| {
            world.dial("0491 571 491");
            world.until(ringing());
            world.until(answered());
            world.run(secs(1));
            world.press("0123456789*#");
            world.run(secs(4));
            world.expect_carrier_got_digits("0123456789*#");
            world.expect_carrier_hears_the_caller();
            world.hang_up();
            world.expect_end(Outcome::Completed);
        });
    }
}

/// A number that nobody asserts anything about is a number that nobody tried.
#[test]
fn every_subscriber_can_be_dialled() {
    for subscriber in SUBSCRIBERS {
        hold(World::clear(1), |world| {
            world.dial(&format!("+{}", subscriber.number));
            world.run(secs(4));
            world.hang_up();
        });
    }
}
