use housecall::softphone::{Softphone, SoftphoneOptions};

use super::{hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

/// They ask something inside the call; we answer with `status`, and nothing else changes.
async fn answered(scenario: &str, wire: Wire, status: u16) {
    let sipp = sipp!(scenario, wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.replies(status).await;
    hangs_up(&mut caller, sipp).await;
    assert_eq!(caller.sent("INVITE"), 1);
}

over!(info_is_taken: Udp);
async fn info_is_taken(wire: Wire) {
    answered("info", wire, 200).await;
}

over!(our_keys_by_info: Udp, Tcp);
async fn our_keys_by_info(wire: Wire) {
    let sipp = sipp!("keys", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.press('5');
    caller.sends("INFO").await;
    caller.hears("SIP/2.0 200").await;
    hangs_up(&mut caller, sipp).await;
}

over!(what_nobody_knows: Udp);
async fn what_nobody_knows(wire: Wire) {
    answered("unknown_method", wire, 501).await;
}

over!(a_transfer_is_declined: Udp, Tcp);
async fn a_transfer_is_declined(wire: Wire) {
    answered("refer", wire, 603).await;
}

over!(options_in_the_call: Udp, Tcp, Tls);
async fn options_in_the_call(wire: Wire) {
    answered("options_inside", wire, 200).await;
}

over!(a_number_that_has_passed: Udp, Tcp);
async fn a_number_that_has_passed(wire: Wire) {
    answered("old_cseq", wire, 500).await;
}

over!(a_bye_with_another_tag: Udp, Tcp);
async fn a_bye_with_another_tag(wire: Wire) {
    answered("foreign_tag", wire, 481).await;
}

/// What belongs to no call gets the answer it is owed, and no telephone rings.
async fn asked_outside(scenario: &str, wire: Wire) {
    let phone = Softphone::bind(SoftphoneOptions::default()).await.unwrap();
    let sipp = sipp!(scenario, wire, target: Some(phone.local()));
    sipp.passed().await;
}

over!(options_outside_a_call: Udp, Tcp);
async fn options_outside_a_call(wire: Wire) {
    asked_outside("options_outside", wire).await;
}

over!(a_call_to_us: Udp, Tcp);
async fn a_call_to_us(wire: Wire) {
    asked_outside("invite_outside", wire).await;
}

over!(the_end_of_no_call: Udp);
async fn the_end_of_no_call(wire: Wire) {
    asked_outside("bye_outside", wire).await;
}

over!(a_message_that_nobody_asked_for: Udp);
async fn a_message_that_nobody_asked_for(wire: Wire) {
    asked_outside("message_outside", wire).await;
}
