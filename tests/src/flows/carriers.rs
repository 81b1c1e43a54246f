//! What telephone networks do to calls in progress.

use housecall_carrier::Security;
use housecall_media::sdp::Direction;
use housecall_phone::{Event, Outcome, SrtpPolicy};

use super::{hold, in_all_weathers};
use crate::world::{World, answered, millis, over, secs};

fn moved_to(direction: Direction) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::MediaChanged(target) if target.direction == direction)
}

/// RFC 3264 §8.4: who is held sends nothing, and is heard again afterwards.
#[test]
fn they_hold_us_and_take_us_back() {
    in_all_weathers(|world| {
        world.dial("0491 571 804");
        world.until(answered());
        world.run(secs(1));
        world.expect_carrier_hears_the_caller();
        world.until(moved_to(Direction::RecvOnly));
        world.run(secs(1));
        world.expect_carrier_hears_no_packet();
        world.until(moved_to(Direction::SendRecv));
        world.run(secs(2));
        world.expect_sound_both_ways();
        world.hang_up_within_the_first_minute();
    });
}

/// RFC 4568, RFC 3711: each hears the other under SRTP, and a hold is neither taken for a replay nor begins the numbers again.
#[test]
fn secured_sound_is_heard_both_ways_and_after_a_hold() {
    in_all_weathers(|world| {
        world.secure(SrtpPolicy::Required, Security::Always);
        world.dial("0491 570 157");
        world.until(answered());
        world.run(secs(2));
        world.expect_encrypted(true);
        world.expect_sound_both_ways();
        world.hold();
        world.run(secs(1));
        world.resume();
        world.run(secs(6));
        world.expect_sound_both_ways();
        world.expect_no_stranger();
        world.hang_up_within_the_first_minute();
    });
}

/// A trunk that would rather have SRTP goes without it, and says so.
#[test]
fn a_network_without_srtp_is_called_in_the_open_and_that_is_told() {
    hold(World::clear(1), |world| {
        world.secure(SrtpPolicy::Preferred, Security::Never);
        world.dial("0491 570 157");
        world.until(answered());
        world.run(secs(2));
        world.expect_told(|event| matches!(event, Event::EncryptionRefused));
        world.expect_encrypted(false);
        world.expect_sound_both_ways();
        world.hang_up();
    });
}

/// RFC 3261 §14.1, §14.2: both describe the session in the same moment, again and again.
#[test]
fn holds_that_cross_their_descriptions_come_through() {
    in_all_weathers(|world| {
        world.dial("0491 572 549");
        world.until(answered());
        for _ in 0..2 {
            // They describe every two seconds.
            let moment = millis(1_950) + world.random(millis(100));
            world.run(moment);
            world.hold_when_possible();
            world.run(secs(3));
            world.resume_when_possible();
        }
        world.run(secs(2));
        world.expect_sound_both_ways();
        world.hang_up();
        world.expect_end(Outcome::Completed);
    });
}

/// A BYE that never comes: the silence says so, and nobody is charged for longer than it takes to notice.
#[test]
fn a_line_that_is_cut_is_noticed_by_its_silence() {
    let mut world = World::clear(1);
    world.dial("0491 572 665");
    world.until(answered());
    world.until(over(Outcome::MediaLost));
    world.expect_cost(1);
    world.expect_all_is_well();
}

/// What the network says before it refuses is heard, and costs nothing.
#[test]
fn an_announcement_before_busy_is_heard() {
    in_all_weathers(|world| {
        world.dial("0491 572 983");
        world.run(secs(2));
        if world.expect_told(crate::world::early_sound()) {
            world.expect_caller_soon_hears_something();
        }
        world.until(over(Outcome::Busy));
        world.expect_end(Outcome::Busy);
        world.expect_cost(0);
    });
}

/// RFC 3550 §6.4: the network's reports are read.
#[test]
fn reports_are_read() {
    hold(World::clear(1), |world| {
        world.dial("0491 570 157");
        world.until(answered());
        world.run(secs(11));
        world.expect_no_stranger();
        world.hang_up();
    });
}
