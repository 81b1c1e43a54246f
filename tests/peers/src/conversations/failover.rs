use std::time::Instant;

use housecall::Outcome;
use housecall::softphone::Event;
use housecall_sip::Peer;

use super::{over, sipp};
use crate::caller::{Caller, dial_to, trunk};
use crate::sipp::Sipp;
use crate::wire::{Wire, free_ports};

/// The first trunk fails, and the second carries the call, within the five seconds that are promised for it.
async fn second_carries(first: Peer, second: Sipp) {
    let begun = Instant::now();
    let dial = dial_to(trunk(), &[first, second.peer()]);
    let mut caller = Caller::dial_over(second.wire(), dial).await;
    caller
        .until_event("the first to fail", |event| {
            matches!(event, Event::RouteFailed { route: 0, .. })
        })
        .await;
    caller.sends("INVITE").await;
    assert!(begun.elapsed().as_secs_f32() < 5.0, "{:?}", begun.elapsed());
    caller.answered().await;
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    second.passed().await;
}

over!(the_first_is_overloaded: Udp, Tcp, Tls);
async fn the_first_is_overloaded(wire: Wire) {
    let first = sipp!("closed", wire);
    let second = sipp!("answer", wire);
    second_carries(first.peer(), second).await;
    // It has had its ACK.
    first.passed().await;
}

over!(the_first_is_silent: Udp, Tcp);
async fn the_first_is_silent(wire: Wire) {
    let first = sipp!("silence", wire);
    let second = sipp!("answer", wire);
    second_carries(first.peer(), second).await;
}

over!(the_first_is_not_there: Tcp, Tls);
async fn the_first_is_not_there(wire: Wire) {
    let second = sipp!("answer", wire);
    second_carries(wire.peer(free_ports(wire.ip(), 2)), second).await;
}

over!(all_are_overloaded: Udp);
async fn all_are_overloaded(wire: Wire) {
    let first = sipp!("closed", wire);
    let second = sipp!("closed", wire);
    let dial = dial_to(trunk(), &[first.peer(), second.peer()]);
    let mut caller = Caller::dial_over(wire, dial).await;
    let ended = caller.ended(Outcome::Congested).await;
    assert_eq!(ended.cause.status, Some(503));
    first.passed().await;
    second.passed().await;
}
