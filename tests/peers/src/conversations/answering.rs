use housecall::Outcome;
use housecall::softphone::Side;

use super::{answered, hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

over!(we_hang_up: Udp, Tcp, Udp6, Tls);
async fn we_hang_up(wire: Wire) {
    let sipp = sipp!("answer", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    // SIPp sends our own sound back: half a second of it.
    caller.hears_packets(25).await;
    caller.hang_up();
    let ended = caller.ended(Outcome::Completed).await;
    assert_eq!(ended.by, Side::Us);
    sipp.passed().await;
}

over!(they_hang_up: Udp, Tcp, Tls);
async fn they_hang_up(wire: Wire) {
    let sipp = sipp!("bye", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    let ended = caller.ended(Outcome::Completed).await;
    assert_eq!(ended.by, Side::Them);
    sipp.passed().await;
    assert_eq!(caller.sent("BYE"), 0);
}

over!(an_answer_in_several_parts: Udp, Tcp);
async fn an_answer_in_several_parts(wire: Wire) {
    answered("multipart", wire).await;
}

over!(both_hang_up: Udp);
async fn both_hang_up(wire: Wire) {
    let sipp = sipp!("bye_crossing", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    caller.hears("BYE").await;
    sipp.passed().await;
}

over!(each_repeated_answer_gets_its_ack: Udp);
async fn each_repeated_answer_gets_its_ack(wire: Wire) {
    let sipp = sipp!("repeated_answer", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hears("SIP/2.0 200").await;
    caller.sends("ACK").await;
    hangs_up(&mut caller, sipp).await;
}

over!(a_lost_invite_is_repeated: Udp);
async fn a_lost_invite_is_repeated(wire: Wire) {
    let sipp = sipp!("slow_invite", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    // RFC 3261 §17.1.1.2: at 0 and 500 ms, and perhaps at 1500 on a slow machine.
    assert!(caller.sendings("INVITE").count() >= 2);
    hangs_up(&mut caller, sipp).await;
}

over!(a_connection_needs_no_repetition: Tcp);
async fn a_connection_needs_no_repetition(wire: Wire) {
    let sipp = sipp!("slow_invite", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    assert_eq!(caller.sendings("INVITE").count(), 1);
    hangs_up(&mut caller, sipp).await;
}

over!(an_answer_in_short_forms: Udp, Tcp);
async fn an_answer_in_short_forms(wire: Wire) {
    answered("compact", wire).await;
}

over!(an_answer_without_a_tag: Udp);
async fn an_answer_without_a_tag(wire: Wire) {
    answered("tagless", wire).await;
}

over!(a_bye_for_a_call_that_they_forgot: Udp, Tcp);
async fn a_bye_for_a_call_that_they_forgot(wire: Wire) {
    answered("forgotten_bye", wire).await;
}
