use housecall::Outcome;

use super::{answered, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

over!(a_server_challenges: Udp, Tcp);
async fn a_server_challenges(wire: Wire) {
    answered("challenge401", wire).await;
}

over!(a_proxy_challenges: Udp, Tcp);
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
