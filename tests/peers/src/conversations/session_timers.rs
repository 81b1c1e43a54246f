use super::{answered, hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

over!(our_session_is_too_short: Udp);
async fn our_session_is_too_short(wire: Wire) {
    answered("timer_too_short", wire).await;
}

over!(they_refresh: Udp, Tcp, Tls);
async fn they_refresh(wire: Wire) {
    let sipp = sipp!("timer_theirs", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hears("UPDATE").await;
    caller.replies(200).await;
    caller.hears("INVITE").await;
    caller.replies(200).await;
    caller.hears("ACK").await;
    hangs_up(&mut caller, sipp).await;
}

// What we refresh, and when, is proved in virtual time; here that we take the role, and that whatever we send is a refresh.
over!(we_refresh: Udp, Tcp);
async fn we_refresh(wire: Wire) {
    let sipp = sipp!("timer_ours", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hold();
    caller.held().await;
    hangs_up(&mut caller, sipp).await;
}
