//! V13: a patient of a visit goes on by phone. The far end is the pretend network, the pages are `str0m`.

use std::time::Duration;

use housecall_carrier::{HeardCall, Stage};
use housecall_meter::{Credits, PhoneEstimate, Tariff};
use housecall_phone::{DestinationRefused, Outcome};
use tokio::sync::watch;

use super::browser::{Browser, Offering, VOICE_HZ, hears, is_near};
use super::world::{PATIENCE, World, account, shows, until, within};
use crate::record::EndedBy;
use crate::{
    CallPhase, CallRecord, Country, DialLimits, DialRefused, Number, PatientSeat, PersonView,
    PhoneView, Place, RingRefused, RingRequest, RoomRefused, Seat, TooManyCalls, Visit, VisitPlan,
    VisitRecord, VisitView,
};

const ONE: PatientSeat = PatientSeat::One;
pub(super) const TONE: &str = "0491 570 157";
pub(super) const TONE_HZ: f32 = 1_004.0;
const BUSY: &str = "0491 570 158";
const NEVER_ANSWERS: &str = "0491 570 159";
const DECLINES: &str = "0491 570 110";
const HANGS_UP: &str = "0491 571 266";
const PREMIUM: &str = "1900 654 321";

/// A visit in which the practitioner and the first patient are connected by their pages.
pub(super) struct Consultation {
    pub(super) world: World,
    visit: Visit,
    view: watch::Receiver<VisitView>,
    practitioner: Browser,
    patient: Browser,
}

fn plan() -> VisitPlan {
    VisitPlan {
        account: account(),
        appointment: "appointment:9".to_owned(),
        practitioner: "user:1".to_owned(),
        patients: [Some("patient:1".to_owned()), None, None],
        tariff: Tariff::STANDARD,
    }
}

fn ring_request(to: &str) -> RingRequest {
    let number = |text: &str| Number::parse(text, Country::Au).unwrap();
    RingRequest {
        caller: "user:1".to_owned(),
        from: number("02 5550 0142"),
        to: number(to),
    }
}

impl Consultation {
    pub(super) async fn begin() -> Self {
        Self::begin_in(World::with_credits(100).await).await
    }

    async fn begin_in(world: World) -> Self {
        let visit = world.engine.visit(plan()).await.unwrap();
        within(visit.arrive(ONE)).await.unwrap();
        within(visit.admit(ONE)).await.unwrap();
        let offering = Offering::seat().await;
        let answer = within(visit.join_practitioner(offering.offer.clone())).await;
        let mut practitioner = offering.accept(&answer.unwrap());
        let offering = Offering::seat().await;
        let answer = within(visit.join_patient(ONE, offering.offer.clone())).await;
        let mut patient = offering.accept(&answer.unwrap());
        hears(&mut practitioner.noticed, VOICE_HZ).await;
        hears(&mut patient.noticed, VOICE_HZ).await;
        Self {
            view: visit.view(),
            world,
            visit,
            practitioner,
            patient,
        }
    }

    /// One in which the patient is on the phone, and hears and is heard.
    pub(super) async fn on_the_phone() -> Self {
        let mut on = Self::begin().await;
        on.ring(TONE).await.unwrap();
        on.talks().await;
        on
    }

    pub(super) async fn ring(&self, to: &str) -> Result<(), RingRefused> {
        within(self.visit.ring(ONE, ring_request(to))).await
    }

    pub(super) async fn talks(&mut self) {
        self.phone("answered", |phone| phone.call.phase == CallPhase::Talking)
            .await;
        hears(&mut self.practitioner.noticed, TONE_HZ).await;
        let hears_us = |call: &HeardCall| is_near(call.sound.frequency_hz, VOICE_HZ);
        self.world.far_end(TONE, "our voice", hears_us).await;
    }

    async fn phone(&mut self, what: &str, wanted: impl Fn(&PhoneView) -> bool) -> PhoneView {
        let seen = shows(&mut self.view, what, |view| {
            view.phone(ONE).is_some_and(&wanted)
        })
        .await;
        *seen.phone(ONE).unwrap()
    }

    /// Waits for the end of the patient's phone call and returns how it ended.
    pub(super) async fn phone_ended(&mut self) -> Outcome {
        let over = self.phone("the end", |phone| phone.ended.is_some()).await;
        assert_eq!(over.call.phase, CallPhase::Ended);
        over.ended.unwrap().outcome
    }

    /// Waits until the patient is in the room no more: the room says so after the phone does.
    pub(super) async fn leaves(&mut self) {
        let seat = Seat::Patient(ONE);
        shows(&mut self.view, "they have left", |view| {
            let people = &view.room.people;
            people
                .iter()
                .any(|person| person.seat == seat && person.place == Place::Left)
        })
        .await;
    }

    pub(super) async fn far_end_is_gone(&self, to: &str) {
        let ended = |call: &HeardCall| call.stage == Stage::Ended;
        self.world.far_end(to, "the end", ended).await;
    }

    fn patient_view(&self) -> PersonView {
        let people = self.view.borrow().room.people;
        let seat = Seat::Patient(ONE);
        *people.iter().find(|person| person.seat == seat).unwrap()
    }

    pub(super) async fn disconnect(self) -> (World, VisitRecord) {
        within(self.visit.disconnect()).await.unwrap();
        let record = self.record().await;
        (self.world, record)
    }

    /// Waits for the record of the visit.
    pub(super) async fn record(&self) -> VisitRecord {
        let mut record = self.visit.record();
        let written = within(record.wait_for(Option::is_some)).await.unwrap();
        written.clone().unwrap()
    }
}

async fn record_of(world: &World) -> CallRecord {
    until("the call's record", || world.records().into_iter().next()).await
}

#[tokio::test]
async fn v13_a_phone_rings_answers_takes_the_seat_and_the_visit_pays() {
    let mut on = Consultation::begin().await;
    on.ring(TONE).await.unwrap();
    on.phone("ringing", |phone| phone.call.phase == CallPhase::Ringing)
        .await;
    // Until the answer the page keeps the seat.
    assert!(on.patient_view().connected && !on.patient_view().by_phone);
    on.talks().await;
    let seen = on.patient_view();
    assert!(seen.connected && seen.by_phone);
    let before = on.patient.noticed.borrow().packets;
    assert_eq!(on.view.borrow().joins(Seat::Patient(ONE)), 1);

    let far = on.world.far_end(TONE, "a caller", |_| true).await;
    assert_eq!(far.caller_id, "+61255500142");
    on.world.leap(Duration::from_secs(150));
    let mut cost = on.visit.cost();
    // M9: three minutes have begun, which are more than the block's two credits.
    shows(&mut cost, "three minutes", |cost| cost.so_far == 3).await;
    assert_eq!(on.world.funds().await.reserved, 3);
    let after = on.patient.noticed.borrow().packets;
    assert!(
        after - before < 5,
        "the page still hears: {before} to {after}"
    );

    let session = on.visit.session().clone();
    let (world, visit) = on.disconnect().await;
    let [patient] = visit.patients.as_slice() else {
        panic!("{visit:?}");
    };
    assert_eq!((visit.credits, patient.credits), (3, 3));
    assert!(patient.by_phone_ms >= 150_000 && patient.connected_ms > patient.by_phone_ms);
    let call = record_of(&world).await;
    assert_eq!((call.outcome.as_str(), call.credits), ("completed", 0));
    assert_eq!((call.visit, call.ended_by), (Some(session), EndedBy::Us));
    assert!(call.talk_ms >= 150_000 && call.quality.is_some());
    assert_eq!(call.recipient, "patient:1");
    assert_eq!(world.settled().await, 97);
}

#[tokio::test]
async fn v13_who_does_not_answer_keeps_the_page_and_costs_nothing() {
    for (to, expected) in [(BUSY, Outcome::Busy), (DECLINES, Outcome::Declined)] {
        let mut on = Consultation::begin().await;
        on.ring(to).await.unwrap();
        assert_eq!(on.phone_ended().await, expected, "{to}");
        let seen = on.patient_view();
        assert!(seen.connected && !seen.by_phone, "{to}");
        on.patient.noticed.borrow_and_update();
        hears(&mut on.patient.noticed, VOICE_HZ).await;
        let (world, visit) = on.disconnect().await;
        assert_eq!((visit.credits, visit.patients[0].by_phone_ms), (2, 0));
        assert_eq!(record_of(&world).await.answered, None);
        assert_eq!(world.settled().await, 98, "{to}");
    }
}

#[tokio::test]
async fn v13_the_practitioner_thinks_better_of_it_while_it_rings() {
    let mut on = Consultation::begin().await;
    on.ring(NEVER_ANSWERS).await.unwrap();
    on.phone("ringing", |phone| phone.call.phase == CallPhase::Ringing)
        .await;
    let again = on.ring(TONE).await.unwrap_err();
    assert!(matches!(again, RingRefused::Ongoing), "{again}");
    within(on.visit.hang_up_phone(ONE)).await.unwrap();
    assert_eq!(on.phone_ended().await, Outcome::Cancelled);
    on.far_end_is_gone(NEVER_ANSWERS).await;
    assert!(on.patient_view().connected && !on.patient_view().by_phone);
    let nothing = within(on.visit.hang_up_phone(ONE)).await;
    assert!(matches!(nothing, Err(RoomRefused::Room(_))));
    // And it may be rung again.
    on.ring(TONE).await.unwrap();
    on.talks().await;
}

#[tokio::test]
async fn v13_a_phone_that_is_gone_can_be_rung_again() {
    let mut on = Consultation::begin().await;
    on.ring(HANGS_UP).await.unwrap();
    assert_eq!(on.phone_ended().await, Outcome::Completed);
    on.leaves().await;
    on.ring(TONE).await.unwrap();
    on.talks().await;
    within(on.visit.hang_up_phone(ONE)).await.unwrap();
    assert_eq!(on.phone_ended().await, Outcome::Completed);
    on.far_end_is_gone(TONE).await;
    let (world, visit) = on.disconnect().await;
    // Two minutes, no more than the block.
    assert_eq!(visit.credits, 2);
    assert_eq!(world.settled().await, 98);
    assert_eq!(world.records().len(), 2);
}

#[tokio::test]
async fn v13_a_page_takes_the_seat_back_only_if_asked_to() {
    let mut on = Consultation::on_the_phone().await;
    let offering = Offering::seat().await;
    // A page that mends its connection does not know yet.
    let refused = within(on.visit.join_patient(ONE, offering.offer.clone())).await;
    assert!(
        matches!(refused, Err(RoomRefused::OnThePhone)),
        "{refused:?}"
    );
    assert!(on.patient_view().by_phone);
    let answer = within(on.visit.return_from_phone(ONE, offering.offer.clone())).await;
    let mut back = offering.accept(&answer.unwrap());
    assert_eq!(on.phone_ended().await, Outcome::Completed);
    on.far_end_is_gone(TONE).await;
    hears(&mut back.noticed, VOICE_HZ).await;
    hears(&mut on.practitioner.noticed, VOICE_HZ).await;
    assert!(on.patient_view().connected && !on.patient_view().by_phone);
    assert_eq!(on.view.borrow().joins(Seat::Patient(ONE)), 2);
}

#[tokio::test]
async fn v13_no_phone_is_left_behind_by_its_room() {
    for sent_back in [false, true] {
        let on = Consultation::on_the_phone().await;
        if sent_back {
            within(on.visit.send_back(ONE)).await.unwrap();
        } else {
            on.world.engine.close_rooms().await;
        }
        on.far_end_is_gone(TONE).await;
    }
    let on = Consultation::begin().await;
    on.ring(NEVER_ANSWERS).await.unwrap();
    let rings = |call: &HeardCall| call.stage == Stage::Ringing;
    on.world.far_end(NEVER_ANSWERS, "ringing", rings).await;
    assert!(on.world.engine.end_all(PATIENCE).await);
    on.far_end_is_gone(NEVER_ANSWERS).await;
    assert_eq!(record_of(&on.world).await.outcome, "cancelled");
}

#[tokio::test]
async fn p6_whom_a_call_may_not_reach_is_not_rung_from_a_room_either() {
    let world = World::new(100, |options| {
        options.limits = DialLimits {
            per_number_in_window: 1,
            ..DialLimits::default()
        };
    })
    .await;
    let mut on = Consultation::begin_in(world).await;
    let refused = on.ring(PREMIUM).await.unwrap_err();
    let premium = |refused: &RingRefused| {
        matches!(
            refused,
            RingRefused::Dial(DialRefused::Destination(DestinationRefused::Premium))
        )
    };
    assert!(premium(&refused), "{refused}");
    let refused = within(on.visit.ring(PatientSeat::Two, ring_request(TONE))).await;
    assert!(matches!(refused, Err(RingRefused::NobodyBooked)));
    on.ring(BUSY).await.unwrap();
    on.phone_ended().await;
    let refused = on.ring(BUSY).await.unwrap_err();
    let limit = |refused: &RingRefused| {
        matches!(
            refused,
            RingRefused::Dial(DialRefused::Limit(TooManyCalls::NumberRate { .. }))
        )
    };
    assert!(limit(&refused), "{refused}");
    within(on.visit.send_back(ONE)).await.unwrap();
    let refused = on.ring(TONE).await.unwrap_err();
    assert!(
        matches!(refused, RingRefused::Room(RoomRefused::Room(_))),
        "{refused}"
    );
    let report = on.world.carrier.report();
    assert!(
        [PREMIUM, TONE]
            .into_iter()
            .all(|to| report.last_to(to).is_none())
    );
}

#[tokio::test]
async fn m8_m9_the_price_change_is_known_before_and_a_call_is_not_cut_for_money() {
    let mut on = Consultation::begin_in(World::with_credits(2).await).await;
    let now = on.world.money_now();
    let estimate = on.visit.phone_estimate(now, now + Duration::from_secs(300));
    let PhoneEstimate {
        by_page, by_phone, ..
    } = estimate;
    // Five minutes of a block whose two credits are begun: three more.
    assert_eq!((by_page, by_phone), (Credits(0), Credits(3)));
    on.ring(TONE).await.unwrap();
    on.talks().await;
    on.world.leap(Duration::from_secs(290));
    let mut cost = on.visit.cost();
    shows(&mut cost, "five minutes", |cost| {
        cost.so_far == 5 && cost.available == -3
    })
    .await;
    assert!(on.patient_view().by_phone);
    let (world, visit) = on.disconnect().await;
    assert_eq!(visit.credits, 5);
    assert_eq!(world.settled().await, -3);
}
