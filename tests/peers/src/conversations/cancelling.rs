use std::time::Duration;

use housecall::Outcome;
use housecall::softphone::{Side, Timers};

use super::{over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

over!(while_it_rings: Udp, Tcp, Tls);
async fn while_it_rings(wire: Wire) {
    let sipp = sipp!("ring_on", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.rings().await;
    caller.hang_up();
    let ended = caller.ended(Outcome::Cancelled).await;
    assert_eq!(ended.by, Side::Us);
    sipp.passed().await;
}

over!(it_rings_too_long: Udp, Tcp);
async fn it_rings_too_long(wire: Wire) {
    let sipp = sipp!("ring_on", wire);
    let limit = Duration::from_secs(1);
    let mut caller = Caller::dial_with(&sipp, |dial| dial.ring_limit = limit).await;
    caller.rings().await;
    let ended = caller.ended(Outcome::NoAnswer).await;
    assert_eq!(ended.by, Side::Us);
    sipp.passed().await;
}

over!(before_anything_came: Udp, Tcp, Tls);
async fn before_anything_came(wire: Wire) {
    let sipp = sipp!("slow_ring", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.hang_up();
    caller.ended(Outcome::Cancelled).await;
    // RFC 3261 §9.1: not before the first provisional response.
    assert_eq!(caller.sent("CANCEL"), 0);
    caller.hears("SIP/2.0 180").await;
    assert_eq!(caller.sent("CANCEL"), 0);
    caller.sends("CANCEL").await;
    sipp.passed().await;
}

over!(the_answer_crosses: Udp, Tcp, Tls);
async fn the_answer_crosses(wire: Wire) {
    let sipp = sipp!("late_answer", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.rings().await;
    caller.hang_up();
    caller.ended(Outcome::Cancelled).await;
    caller.sends("ACK").await;
    caller.sends("BYE").await;
    sipp.passed().await;
}

over!(nobody_ends_what_we_cancelled: Udp, Tcp);
async fn nobody_ends_what_we_cancelled(wire: Wire) {
    let sipp = sipp!("ring_for_ever", wire);
    // 64*T1 is 32 s otherwise.
    let timers = Timers {
        t1: Duration::from_millis(30),
        ..Timers::default()
    };
    let mut caller = Caller::dial_with(&sipp, |dial| dial.timers = timers).await;
    caller.rings().await;
    caller.hang_up();
    caller.ended(Outcome::Cancelled).await;
    caller.hears("SIP/2.0 200").await;
    sipp.passed().await;
    // Nothing more is owed after a while, and nothing else was said meanwhile.
    caller.owes_nothing().await;
    assert_eq!((caller.sent("CANCEL"), caller.sent("ACK")), (1, 0));
}
