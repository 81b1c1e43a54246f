//! Conversations: each is held in clear weather, where everything heard is asserted, and then under many seeds of a storm on
//! the SIP messages, where life is asserted: no call is stuck, no credit is reserved for ever.

mod carriers;
mod endings;
mod talking;
mod unanswered;

use crate::world::World;

/// Storms that each conversation is held in; `HOUSECALL_STORMS` asks for more.
const STORMS: u64 = 200;
/// Sound is simulated in one storm of so many: coding it takes nearly all of a test's time, and the storm does not touch it.
const STORMS_PER_SOUND: u64 = 50;
/// One conversation in so many may be broken off by a storm. Of seven INVITEs, with a loss of one in five each way, all fail about
/// once in a thousand times; a re-INVITE has to come through within the time that somebody talks.
const STORMS_PER_BREAK: u64 = 10;

/// Holds a conversation in clear weather, then in every storm. What must be true at its end is asserted each time.
fn in_all_weathers(conversation: impl Fn(&mut World)) {
    hold(World::clear(0), &conversation);
    let held = (1..=storms()).map(|seed| World::storm(seed, seed % STORMS_PER_SOUND == 0));
    let astray: u64 = held
        .map(|world| u64::from(hold(world, &conversation).is_astray()))
        .sum();
    assert!(
        astray <= storms() / STORMS_PER_BREAK,
        "{astray} of {} broken off by the storm",
        storms()
    );
}

fn storms() -> u64 {
    let asked = std::env::var("HOUSECALL_STORMS").ok();
    asked.map_or(STORMS, |asked| asked.parse().unwrap())
}

fn hold(mut world: World, conversation: impl Fn(&mut World)) -> World {
    conversation(&mut world);
    world.expect_all_is_well();
    world
}
