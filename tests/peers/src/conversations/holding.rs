use housecall::softphone::Event;

use super::{hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

over!(we_hold_and_resume: Udp, Tcp, Tls);
async fn we_hold_and_resume(wire: Wire) {
    let sipp = sipp!("our_hold", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller.held().await;
    caller.resume();
    caller.resumed().await;
    let before = caller.sound().stats.from_phone.received;
    caller.hears_packets(before + 10).await;
    hangs_up(&mut caller, sipp).await;
}

over!(they_do_not_want_to_be_held: Udp);
async fn they_do_not_want_to_be_held(wire: Wire) {
    let sipp = sipp!("hold_refused", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller
        .until_event("a refusal", |event| *event == Event::HoldRefused)
        .await;
    hangs_up(&mut caller, sipp).await;
}

over!(they_are_busy_with_an_offer: Udp);
async fn they_are_busy_with_an_offer(wire: Wire) {
    let sipp = sipp!("hold_pending", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller.held().await;
    hangs_up(&mut caller, sipp).await;
}

over!(both_offer: Udp, Tcp, Tls);
async fn both_offer(wire: Wire) {
    let sipp = sipp!("glare", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller.replies(491).await;
    caller.held().await;
    hangs_up(&mut caller, sipp).await;
}

over!(they_have_no_time_for_a_hold: Udp, Tcp);
async fn they_have_no_time_for_a_hold(wire: Wire) {
    let sipp = sipp!("hold_overlapping", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller.held().await;
    assert_eq!(caller.sent("INVITE"), 3);
    hangs_up(&mut caller, sipp).await;
}

over!(they_have_forgotten_the_call: Udp);
async fn they_have_forgotten_the_call(wire: Wire) {
    let sipp = sipp!("hold_unknown", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller
        .until_event("an end", |event| matches!(event, Event::Ended(_)))
        .await;
    sipp.passed().await;
}
