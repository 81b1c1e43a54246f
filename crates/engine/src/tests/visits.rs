//! Visits whose browser never gets as far as media: what is owed to people and to money all the same.

use housecall_meter::Tariff;
use housecall_sfu::{PatientSeat, Phase, Place};

use super::browser::room_offer;
use super::world::{World, account, within};
use crate::{RoomRefused, StartRefused, VisitPlan};

fn plan() -> VisitPlan {
    VisitPlan {
        account: account(),
        appointment: "appointment:9".to_owned(),
        practitioner: "user:1".to_owned(),
        patients: [
            Some("patient:1".to_owned()),
            Some("patient:2".to_owned()),
            None,
        ],
        tariff: Tariff::STANDARD,
    }
}

#[tokio::test]
async fn an_offer_that_is_none_starts_and_reserves_nothing() {
    let world = World::with_credits(10).await;
    let visit = world.engine.visit(plan()).await.unwrap();
    within(visit.arrive(PatientSeat::One)).await.unwrap();
    for offer in [
        "",
        "v=0",
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
    ] {
        let refused = within(visit.join_practitioner(offer.to_owned())).await;
        assert!(matches!(refused, Err(RoomRefused::Room(_))), "{refused:?}");
    }
    assert_eq!(world.funds().await.reserved, 0);
    assert_eq!(world.engine.running(), 0);
    let view = visit.view().borrow().clone();
    assert_eq!((view.room.phase, view.started), (Phase::Waiting, None));
}

#[tokio::test]
async fn m7_a_visit_needs_a_block_for_everybody_booked() {
    let world = World::with_credits(3).await;
    let offer = room_offer();
    let visit = world.engine.visit(plan()).await.unwrap();
    let refused = within(visit.join_practitioner(offer)).await;
    let needs_four = StartRefused::InsufficientCredits {
        needed: 4,
        available: 3,
    };
    assert!(
        matches!(&refused, Err(RoomRefused::Money(money)) if money.to_string() == needs_four.to_string()),
        "{refused:?}"
    );
    assert_eq!(world.funds().await.reserved, 0);
}

#[tokio::test]
async fn v2_v8_one_room_for_an_appointment_until_the_practitioner_disconnects() {
    let world = World::with_credits(10).await;
    let offer = room_offer();
    let visit = world.engine.visit(plan()).await.unwrap();
    let same = world.engine.visit(plan()).await.unwrap();
    assert_eq!(visit.session(), same.session());

    within(visit.arrive(PatientSeat::One)).await.unwrap();
    within(same.admit(PatientSeat::One)).await.unwrap();
    within(visit.join_practitioner(offer)).await.unwrap();
    assert_eq!(world.funds().await.reserved, 4);
    let people = visit.view().borrow().room.people;
    assert!(people.iter().any(|person| person.place == Place::InRoom));

    let mut cost = visit.cost();
    within(cost.wait_for(|cost| cost.so_far == 2))
        .await
        .unwrap();
    within(visit.disconnect()).await.unwrap();
    let mut record = visit.record();
    let record = within(record.wait_for(Option::is_some))
        .await
        .unwrap()
        .clone()
        .unwrap();
    // A block begun is a block charged (M3), for the one who was let in and not for the one who never came (M4).
    assert_eq!(record.credits, 2);
    assert_eq!(world.settled().await, 8);
    let next = world.engine.visit(plan()).await.unwrap();
    assert_ne!(
        next.session(),
        visit.session(),
        "reopening is a new session"
    );
}

#[tokio::test]
async fn a_waiting_room_that_nobody_holds_is_forgotten() {
    let world = World::with_credits(10).await;
    let visit = world.engine.visit(plan()).await.unwrap();
    let first = visit.session().clone();
    within(visit.arrive(PatientSeat::Two)).await.unwrap();
    drop(visit);
    assert!(world.engine.find_visit("appointment:9").await.is_none());
    let next = world.engine.visit(plan()).await.unwrap();
    assert_ne!(next.session(), &first);
    assert_eq!(world.engine.running(), 0);
}
