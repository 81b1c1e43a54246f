use housecall::Outcome;

use super::{over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

/// A scenario that checks how our requests inside the call are routed.
async fn routed(scenario: &str, wire: Wire) {
    let sipp = sipp!(scenario, wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    sipp.passed().await;
}

over!(two_loose_routers: Udp, Tcp);
async fn two_loose_routers(wire: Wire) {
    routed("record_route", wire).await;
}

over!(a_strict_router: Udp);
async fn a_strict_router(wire: Wire) {
    routed("strict_route", wire).await;
}
