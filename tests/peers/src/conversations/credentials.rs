use housecall::Outcome;

use super::{over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

/// A scenario that challenges, and answers when it is content.
async fn let_in(scenario: &str, wire: Wire) {
    let sipp = sipp!(scenario, wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    sipp.passed().await;
}

over!(a_server_challenges: Udp, Tcp);
async fn a_server_challenges(wire: Wire) {
    let_in("challenge401", wire).await;
}

over!(a_proxy_challenges: Udp, Tcp);
async fn a_proxy_challenges(wire: Wire) {
    let_in("challenge407", wire).await;
}

over!(the_better_of_two_algorithms: Udp);
async fn the_better_of_two_algorithms(wire: Wire) {
    let_in("two_algorithms", wire).await;
}

over!(an_unknown_algorithm_is_passed_over: Udp);
async fn an_unknown_algorithm_is_passed_over(wire: Wire) {
    let_in("unknown_algorithm", wire).await;
}

over!(a_stale_nonce: Udp, Tcp);
async fn a_stale_nonce(wire: Wire) {
    let_in("stale", wire).await;
}

over!(a_challenged_bye: Udp);
async fn a_challenged_bye(wire: Wire) {
    let_in("challenged_bye", wire).await;
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
