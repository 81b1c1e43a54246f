use housecall::Outcome;

use super::{answered, hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

over!(a_server_challenges: Udp, Tcp, Tls);
async fn a_server_challenges(wire: Wire) {
    answered("challenge401", wire).await;
}

over!(a_proxy_challenges: Udp, Tcp, Tls);
async fn a_proxy_challenges(wire: Wire) {
    answered("challenge407", wire).await;
}

over!(the_better_of_two_algorithms: Udp);
async fn the_better_of_two_algorithms(wire: Wire) {
    answered("two_algorithms", wire).await;
}

over!(an_unknown_algorithm_is_passed_over: Udp);
async fn an_unknown_algorithm_is_passed_over(wire: Wire) {
    answered("unknown_algorithm", wire).await;
}

over!(a_stale_nonce: Udp, Tcp);
async fn a_stale_nonce(wire: Wire) {
    answered("stale", wire).await;
}

over!(a_challenged_bye: Udp);
async fn a_challenged_bye(wire: Wire) {
    answered("challenged_bye", wire).await;
}

over!(an_endless_challenge: Udp, Tcp);
async fn an_endless_challenge(wire: Wire) {
    let sipp = sipp!("endless", wire);
    let mut caller = Caller::dial(&sipp).await;
    let ended = caller.ended(Outcome::SignInRefused).await;
    assert_eq!(ended.cause.status, Some(401));
    assert_eq!(caller.sent("INVITE"), 2);
    sipp.passed().await;
}

// A realm that is not the trunk's: nobody is told anything, and there is no second try (RFC 3261 §22.1).
over!(a_foreign_realm: Udp, Tcp, Tls);
async fn a_foreign_realm(wire: Wire) {
    let sipp = sipp!("foreign_realm", wire);
    let mut caller = Caller::dial(&sipp).await;
    let ended = caller.ended(Outcome::SignInRefused).await;
    assert_eq!(ended.cause.status, Some(401));
    assert_eq!(caller.sent("INVITE"), 1);
    sipp.passed().await;
}

over!(a_foreign_realm_when_we_hang_up: Udp, Tcp);
async fn a_foreign_realm_when_we_hang_up(wire: Wire) {
    let sipp = sipp!("foreign_bye", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    caller.hears("SIP/2.0 407").await;
    sipp.passed().await;
    assert_eq!(caller.sent("BYE"), 1);
}

over!(a_challenged_hold: Udp, Tcp);
async fn a_challenged_hold(wire: Wire) {
    let sipp = sipp!("challenged_hold", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller.held().await;
    hangs_up(&mut caller, sipp).await;
}
