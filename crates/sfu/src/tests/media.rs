use super::client::Heard;
use super::world::{ONE, PRACTITIONER, SECOND, THREE, TWO, World};
use crate::PatientSeat::{One, Three, Two};
use crate::Seat;
use crate::keyframes::INTERVAL;

/// The m-lines of a slot: sound, then picture.
fn lines(slot: u8) -> (usize, usize) {
    let slot = usize::from(slot);
    (2 + 2 * slot, 3 + 2 * slot)
}

fn hears(world: &mut World, viewer: Seat, seen: Seat) -> (usize, usize) {
    let (sound, picture) = lines(seen.slot_for(viewer).unwrap());
    let client = world.client(viewer);
    (client.heard_on(sound).len(), client.heard_on(picture).len())
}

#[test]
fn everybody_sees_and_hears_everybody() {
    let mut world = World::with(&[One, Two, Three]);
    world.run(SECOND * 2);
    for viewer in Seat::ALL {
        for seen in Seat::ALL.into_iter().filter(|seen| *seen != viewer) {
            let (sound, picture) = hears(&mut world, viewer, seen);
            assert!(
                sound > 150 && picture > 150,
                "{viewer:?} of {seen:?}: {sound} sounds, {picture} pictures"
            );
        }
    }
}

#[test]
fn two_see_only_each_other() {
    let mut world = World::with(&[Two]);
    world.run(SECOND);
    assert!(hears(&mut world, TWO, PRACTITIONER).1 > 50);
    assert!(hears(&mut world, PRACTITIONER, TWO).1 > 50);
    assert_eq!(hears(&mut world, PRACTITIONER, ONE), (0, 0));
    assert_eq!(hears(&mut world, PRACTITIONER, THREE), (0, 0));
    assert_eq!(hears(&mut world, TWO, ONE), (0, 0));
}

#[test]
fn v10_who_was_sent_back_is_neither_seen_nor_sees() {
    let mut world = World::with(&[One, Two]);
    world.room.send_back(world.now, One).unwrap();
    world.run(SECOND / 10);
    let before = (
        hears(&mut world, PRACTITIONER, ONE),
        hears(&mut world, ONE, PRACTITIONER),
    );
    world.run(SECOND * 2);
    let after = (
        hears(&mut world, PRACTITIONER, ONE),
        hears(&mut world, ONE, PRACTITIONER),
    );
    assert_eq!(before, after);
    assert!(hears(&mut world, PRACTITIONER, TWO).1 > 150);
}

#[test]
fn a_picture_begins_with_a_key_frame() {
    let mut world = World::with(&[One]);
    world.run(SECOND);
    let (_, picture) = lines(0);
    let client = world.client(PRACTITIONER);
    let first = client.heard_on(picture)[0];
    assert!(is_key(first), "{first:?}");
}

#[test]
fn v9_who_comes_back_goes_on_in_the_same_stream() {
    let mut world = World::with(&[One]);
    world.run(SECOND);
    let (sound, picture) = lines(0);
    let before = world.client(PRACTITIONER).heard_on(picture).len();
    world.film(ONE, false);
    world.join(ONE).unwrap();
    world.run(SECOND * 2);
    let client = world.client(PRACTITIONER);
    let pictures: Vec<Heard> = client.heard_on(picture).into_iter().cloned().collect();
    let sounds: Vec<Heard> = client.heard_on(sound).into_iter().cloned().collect();
    assert!(
        pictures.len() > before + 100,
        "{before}, then {}",
        pictures.len()
    );
    for stream in [&pictures, &sounds] {
        assert!(
            stream
                .windows(2)
                .all(|two| two[1].sequence == two[0].sequence.wrapping_add(1))
        );
        assert!(
            stream
                .windows(2)
                .all(|two| forward(two[0].timestamp, two[1].timestamp))
        );
    }
    assert!(
        pictures
            .windows(2)
            .all(|two| picture_id(&two[1]) == (picture_id(&two[0]) + 1) & 0x7fff)
    );
    let seams = pictures
        .iter()
        .skip(1)
        .filter(|heard| is_key(heard))
        .count();
    assert!(seams >= 1, "the second camera begins with a key frame");
}

#[test]
fn many_requests_for_a_key_frame_become_few() {
    let mut world = World::with(&[One, Two, Three]);
    world.run(SECOND);
    let (_, picture) = lines(PRACTITIONER.slot_for(ONE).unwrap());
    let before = world.client(PRACTITIONER).keyframes_asked;
    for _request in 0..50 {
        for viewer in [ONE, TWO, THREE] {
            let now = world.now;
            world.client(viewer).lose_picture(now, picture);
        }
        world.run(SECOND / 50);
    }
    let asked = world.client(PRACTITIONER).keyframes_asked - before;
    let most = (SECOND.as_millis() / INTERVAL.as_millis()) as usize + 1;
    assert!((1..=most).contains(&asked), "{asked} requests");
}

fn forward(earlier: u32, later: u32) -> bool {
    let ahead = later.wrapping_sub(earlier);
    ahead != 0 && ahead < 1 << 31
}

fn picture_id(heard: &Heard) -> u16 {
    u16::from_be_bytes([heard.payload[2] & 0x7f, heard.payload[3]])
}

fn is_key(heard: &Heard) -> bool {
    heard.payload[4] & 1 == 0
}
