//! A fault of ours in one machine ends that one: it takes its leave, it is paid for once, and the others go on.

use std::ops::Range;

use housecall_carrier::{HeardCall, Stage};
use housecall_phone::Outcome;

use super::browser::{Browser, Offering, VOICE_HZ, hears};
use super::by_phone::{Consultation, TONE, TONE_HZ};
use super::calls::answered;
use super::world::{World, request, within};
use crate::record::EndedBy;
use crate::shard::Command;
use crate::{Engine, Talking};

const ECHO: &str = "0491 570 006";

/// Numbers of machines that were made between two looks.
struct Numbers(u64);

impl Numbers {
    fn from_here(engine: &Engine) -> Self {
        Self(engine.next_call().0)
    }

    fn until_here(self, engine: &Engine) -> Range<u64> {
        self.0..engine.next_call().0
    }
}

async fn fall_over(engine: &Engine, numbers: Range<u64>) {
    let command = Command::FallOver(numbers);
    let sent = engine.shard_for_call().commands.send(command).await;
    assert!(sent.is_ok());
}

async fn talk(world: &World, caller: &str, to: &str, hertz: f32) -> (Talking, Browser) {
    let offering = Offering::new().await;
    let mut request = request(to, &offering.offer);
    request.caller = caller.to_owned();
    let dialing = within(world.engine.dial(request)).await.unwrap();
    let mut browser = offering.accept(dialing.answer());
    let talking = answered(dialing).await;
    hears(&mut browser.noticed, hertz).await;
    (talking, browser)
}

#[tokio::test]
async fn a_fault_in_a_call_hangs_it_up_and_the_other_goes_on() {
    let world = World::with_credits(100).await;
    let (mut whole, mut browser) = talk(&world, "user:2", ECHO, VOICE_HZ).await;
    let numbers = Numbers::from_here(&world.engine);
    let (mut faulty, _browser) = talk(&world, "user:1", TONE, TONE_HZ).await;
    fall_over(&world.engine, numbers.until_here(&world.engine)).await;
    let record = within(faulty.ended()).await.unwrap();
    assert_eq!(record.outcome, "failed");
    assert_eq!((record.ended_by, record.credits), (EndedBy::Us, 1));
    assert!(record.talk_ms > 0, "{record:?}");
    assert!(record.quality.is_some(), "{record:?}");
    let hung_up = |call: &HeardCall| call.stage == Stage::Ended;
    world.far_end(TONE, "the end", hung_up).await;
    let packets = browser.noticed.borrow().packets;
    within(browser.noticed.wait_for(|it| it.packets > packets + 50))
        .await
        .unwrap();
    hears(&mut browser.noticed, VOICE_HZ).await;
    whole.controls().hang_up();
    let record = within(whole.ended()).await.unwrap();
    assert_eq!((record.outcome.as_str(), record.credits), ("completed", 1));
    assert_eq!(world.settled().await, 98);
}

#[tokio::test]
async fn a_fault_in_a_patient_s_phone_hangs_it_up_and_the_visit_goes_on() {
    let mut on = Consultation::begin().await;
    let numbers = Numbers::from_here(&on.world.engine);
    on.ring(TONE).await.unwrap();
    on.talks().await;
    fall_over(&on.world.engine, numbers.until_here(&on.world.engine)).await;
    assert_eq!(on.phone_ended().await, Outcome::Failed);
    on.leaves().await;
    on.far_end_is_gone(TONE).await;
    let record = on.world.first_record().await;
    assert_eq!(
        (record.outcome.as_str(), record.ended_by),
        ("failed", EndedBy::Us)
    );
    assert!(record.talk_ms > 0, "{record:?}");
    // The same seat can be rung again.
    on.ring(TONE).await.unwrap();
    on.talks().await;
    let (world, record) = on.disconnect().await;
    assert_eq!(world.settled().await, 100 - record.credits as i64);
}

#[tokio::test]
async fn a_fault_in_a_room_says_goodbye_hangs_its_phones_up_and_is_paid_once() {
    let on = Consultation::on_the_phone().await;
    // It was the first to be made.
    fall_over(&on.world.engine, 0..2).await;
    on.far_end_is_gone(TONE).await;
    let credits = on.record().await.credits;
    assert_eq!(on.world.settled().await, 100 - credits as i64);
    // And the appointment can be opened again.
    assert!(on.world.engine.find_visit("appointment:9").await.is_none());
}
