use super::{hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

/// A scenario whose provisional responses want their PRACK.
async fn acknowledged(scenario: &str, wire: Wire) {
    let sipp = sipp!(scenario, wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.early_media().await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
}

over!(one_phone: Udp, Tcp, Tls);
async fn one_phone(wire: Wire) {
    acknowledged("reliable", wire).await;
}

over!(two_phones: Udp);
async fn two_phones(wire: Wire) {
    acknowledged("reliable_forks", wire).await;
}

over!(an_update_before_the_answer: Udp, Tcp);
async fn an_update_before_the_answer(wire: Wire) {
    let sipp = sipp!("early_update", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.early_media().await;
    caller.replies(491).await;
    caller.replies(200).await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
}
