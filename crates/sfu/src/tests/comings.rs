use std::time::Duration;

use super::world::{ONE, PRACTITIONER, SECOND, THREE, TWO, World};
use crate::PatientSeat::{One, Three, Two};
use crate::{Ending, Fact, Gone, JoinRefused, PeerState, Phase, Place, Seat};

fn place(world: &World, seat: Seat) -> Place {
    world
        .room
        .view()
        .people
        .into_iter()
        .find(|person| person.seat == seat)
        .unwrap()
        .place
}

#[test]
fn v7_the_practitioners_first_join_opens_the_room() {
    let mut world = World::new();
    world.room.arrive(world.now, One).unwrap();
    assert_eq!(world.room.view().phase, Phase::Waiting);
    assert!(matches!(world.join(ONE), Err(JoinRefused::NotOpenYet)));
    world.join(PRACTITIONER).unwrap();
    world.run(SECOND);
    world.join(PRACTITIONER).unwrap();
    world.run(SECOND);
    let joined = world
        .facts
        .iter()
        .filter(|fact| **fact == Fact::PractitionerJoined)
        .count();
    assert_eq!(joined, 1);
    assert!(matches!(world.room.view().phase, Phase::Open { .. }));
    assert!(
        matches!(place(&world, ONE), Place::Waiting { .. }),
        "who waited goes on waiting"
    );
}

#[test]
fn v10_who_is_let_in_ahead_goes_in_when_the_practitioner_joins() {
    let mut world = World::new();
    world.room.arrive(world.now, One).unwrap();
    world.room.arrive(world.now, Two).unwrap();
    world.room.admit_all(world.now).unwrap();
    world.room.send_back(world.now, Two).unwrap();
    assert!(world.room.admit(world.now, Three).is_err(), "is not here");
    assert!(matches!(world.join(ONE), Err(JoinRefused::NotOpenYet)));
    world.join(PRACTITIONER).unwrap();
    world.join(ONE).unwrap();
    assert!(matches!(world.join(TWO), Err(JoinRefused::NotAdmitted)));
    world.run(SECOND);
    let money = world
        .facts
        .iter()
        .filter(|fact| !matches!(fact, Fact::Connected(_)));
    let money: Vec<_> = money.copied().collect();
    // Who was sent back before the session began was never let in, as far as money goes (M4).
    assert_eq!(
        money,
        [Fact::PractitionerJoined, Fact::PatientAdmitted(One)]
    );
}

#[test]
fn v10_nobody_joins_without_being_let_in() {
    let mut world = World::with(&[]);
    assert!(matches!(world.join(ONE), Err(JoinRefused::NotAdmitted)));
    world.room.arrive(world.now, One).unwrap();
    world.room.arrive(world.now, Three).unwrap();
    assert!(matches!(world.join(ONE), Err(JoinRefused::NotAdmitted)));
    assert!(world.room.admit(world.now, Two).is_err(), "is not here");
    world.room.admit_all(world.now).unwrap();
    world.join(ONE).unwrap();
    world.join(THREE).unwrap();
    assert!(matches!(world.join(TWO), Err(JoinRefused::NotAdmitted)));
    world.run(SECOND);
    let admitted: Vec<_> = world
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::PatientAdmitted(_)))
        .collect();
    assert_eq!(
        admitted,
        [&Fact::PatientAdmitted(One), &Fact::PatientAdmitted(Three)]
    );
}

#[test]
fn v10_who_is_removed_must_be_let_in_anew() {
    let mut world = World::with(&[One]);
    world.room.remove(world.now, One).unwrap();
    world.run(SECOND);
    assert_eq!(place(&world, ONE), Place::Absent);
    assert_eq!(world.gone, [(ONE, Gone::Left)]);
    assert!(matches!(world.join(ONE), Err(JoinRefused::NotAdmitted)));
}

#[test]
fn v9_a_second_page_evicts_the_first() {
    let mut world = World::with(&[One]);
    let state = PeerState {
        muted: true,
        camera_off: false,
    };
    world.room.set_state(world.now, ONE, state).unwrap();
    world.facts.clear();
    let second = world.join(ONE).unwrap();
    world.run(SECOND * 2);
    assert_eq!(world.gone, [(ONE, Gone::Evicted)]);
    assert_eq!(world.facts, [Fact::Left(ONE), Fact::Connected(ONE)]);
    assert!(world.page(second).connected);
    let view = world.room.view();
    assert_eq!(view.people[1].state, state, "mute is kept");
    assert!(view.people[1].connected);
}

#[test]
fn a_bad_offer_evicts_nobody() {
    let mut world = World::with(&[One]);
    let local = "127.0.0.1:4000".parse().unwrap();
    let refused = world
        .room
        .join(world.now, ONE, local, "v=0\r\nnonsense")
        .unwrap_err();
    assert!(matches!(refused, JoinRefused::Offer(_)));
    world.run(SECOND);
    assert!(world.gone.is_empty());
    assert!(world.room.view().people[1].connected);
}

#[test]
fn v8_a_patient_leaves_and_comes_back() {
    let mut world = World::with(&[One]);
    world.room.leave(world.now, ONE).unwrap();
    world.run(SECOND);
    assert_eq!(place(&world, ONE), Place::Left);
    world.join(ONE).unwrap();
    world.run(SECOND * 2);
    assert_eq!(place(&world, ONE), Place::InRoom);
    let ones: Vec<_> = world
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::Connected(ONE) | Fact::Left(ONE)))
        .collect();
    assert_eq!(
        ones,
        [
            &Fact::Connected(ONE),
            &Fact::Left(ONE),
            &Fact::Connected(ONE)
        ]
    );
}

#[test]
fn v8_disconnect_ends_for_everyone() {
    let mut world = World::with(&[One, Two]);
    world.room.disconnect(world.now).unwrap();
    world.run(SECOND);
    let everyone = [PRACTITIONER, ONE, TWO].map(|seat| (seat, Gone::RoomEnded));
    assert_eq!(world.gone, everyone);
    assert_eq!(world.facts.last(), Some(&Fact::Ended(Ending::Disconnected)));
    assert!(matches!(world.join(ONE), Err(JoinRefused::Ended)));
    assert!(matches!(world.join(PRACTITIONER), Err(JoinRefused::Ended)));
    assert!(world.room.arrive(world.now, One).is_err());
    assert_eq!(world.room.poll_timeout(), None);
}

#[test]
fn a_lost_connection_leaves_the_seat() {
    let mut world = World::with(&[]);
    world.room.arrive(world.now, One).unwrap();
    world.room.admit(world.now, One).unwrap();
    let page = world.join(ONE).unwrap();
    world.run(SECOND * 2);
    world.cut(page);
    world.run(SECOND * 40);
    assert_eq!(world.gone, [(ONE, Gone::Lost)]);
    assert_eq!(place(&world, ONE), Place::Reconnecting);
    assert!(world.facts.ends_with(&[Fact::Left(ONE)]));
    world.join(ONE).unwrap();
    world.run(SECOND * 2);
    assert_eq!(place(&world, ONE), Place::InRoom);
}

#[test]
fn v15_an_empty_room_ends_at_the_last_departure() {
    let mut world = World::with(&[One]);
    world.room.leave(world.now, PRACTITIONER).unwrap();
    world.run(SECOND);
    world.room.leave(world.now, ONE).unwrap();
    let left = world.now;
    let due = world.room.poll_timeout().unwrap();
    assert_eq!(due, left + Duration::from_secs(300));
    world.sleep_until_due();
    assert_eq!(
        world.facts.last(),
        Some(&Fact::Ended(Ending::Empty { since: left }))
    );
    let Phase::Ended { at, .. } = world.room.view().phase else {
        panic!("{:?}", world.room.view().phase)
    };
    assert_eq!(at, left);
}

#[test]
fn v15_whoever_comes_back_in_time_keeps_it_open() {
    let mut world = World::with(&[]);
    world.room.leave(world.now, PRACTITIONER).unwrap();
    world.now += Duration::from_secs(299);
    world.room.handle_timeout(world.now);
    world.join(PRACTITIONER).unwrap();
    world.run(SECOND * 3);
    assert!(matches!(world.room.view().phase, Phase::Open { .. }));
}
