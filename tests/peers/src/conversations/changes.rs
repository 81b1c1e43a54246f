use housecall::softphone::Event;

use super::{hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

/// Our end of a scenario that changes something: all it takes is that we answer and go on.
async fn goes_on(caller: &mut Caller, status: u16) {
    caller.answered().await;
    caller.replies(status).await;
}

async fn over_and_passed(mut caller: Caller, sipp: crate::sipp::Sipp) {
    hangs_up(&mut caller, sipp).await;
}

over!(they_move_their_sound: Udp, Tcp, Tls);
async fn they_move_their_sound(wire: Wire) {
    let sipp = sipp!("reinvite", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    let moved = caller
        .until_event("a new target", |event| {
            matches!(event, Event::MediaChanged(_))
        })
        .await;
    let Event::MediaChanged(target) = moved else {
        panic!("{moved:?}")
    };
    assert_eq!(target.remote.port(), sipp.media_port() + 2);
    caller.hears("ACK").await;
    over_and_passed(caller, sipp).await;
}

over!(they_ask_for_our_offer: Udp, Tcp, Tls);
async fn they_ask_for_our_offer(wire: Wire) {
    let sipp = sipp!("offerless", wire);
    let mut caller = Caller::dial(&sipp).await;
    goes_on(&mut caller, 200).await;
    caller.hears("ACK").await;
    over_and_passed(caller, sipp).await;
}

/// They hold us, and we answer as RFC 3264 §8.4 says; then they take us back.
async fn held(wire: Wire, direction: &str, connection: &str, answer: &str) {
    let sipp =
        sipp!("their_hold", wire, words: &[("direction", direction), ("connection", connection)]);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    let ours = caller.replies(200).await;
    assert!(
        ours.body().contains(&format!("a={answer}\r\n")),
        "{}",
        ours.text
    );
    let ours = caller.replies(200).await;
    assert!(ours.body().contains("a=sendrecv\r\n"), "{}", ours.text);
    caller.hears("ACK").await;
    over_and_passed(caller, sipp).await;
}

over!(they_hold_us_with_music: Udp, Tcp);
async fn they_hold_us_with_music(wire: Wire) {
    held(wire, "sendonly", "127.0.0.1", "recvonly").await;
}

over!(they_hold_us_in_silence: Udp);
async fn they_hold_us_in_silence(wire: Wire) {
    held(wire, "inactive", "127.0.0.1", "inactive").await;
}

// RFC 2543 B.5, as old systems still do it; RFC 3264 §8.4 wants it understood.
over!(they_hold_us_the_old_way: Udp);
async fn they_hold_us_the_old_way(wire: Wire) {
    held(wire, "sendrecv", "0.0.0.0", "recvonly").await;
}

over!(an_impossible_offer: Udp);
async fn an_impossible_offer(wire: Wire) {
    let sipp = sipp!("impossible_offer", wire);
    let mut caller = Caller::dial(&sipp).await;
    goes_on(&mut caller, 488).await;
    caller.hears("ACK").await;
    over_and_passed(caller, sipp).await;
}

over!(they_update: Udp, Tcp, Tls);
async fn they_update(wire: Wire) {
    let sipp = sipp!("update", wire);
    let mut caller = Caller::dial(&sipp).await;
    goes_on(&mut caller, 200).await;
    caller.replies(200).await;
    over_and_passed(caller, sipp).await;
}
