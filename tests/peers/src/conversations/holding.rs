use housecall::softphone::Event;

use super::{hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

async fn is_held(caller: &mut Caller) {
    caller
        .until_event("hold", |event| *event == Event::Held)
        .await;
}

over!(we_hold_and_resume: Udp, Tcp);
async fn we_hold_and_resume(wire: Wire) {
    let sipp = sipp!("our_hold", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    is_held(&mut caller).await;
    caller.resume();
    caller
        .until_event("the end of the hold", |event| *event == Event::Resumed)
        .await;
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
    is_held(&mut caller).await;
    hangs_up(&mut caller, sipp).await;
}

over!(both_offer: Udp, Tcp);
async fn both_offer(wire: Wire) {
    let sipp = sipp!("glare", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller.replies(491).await;
    is_held(&mut caller).await;
    hangs_up(&mut caller, sipp).await;
}
