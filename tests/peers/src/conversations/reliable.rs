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

over!(one_phone: Udp, Tcp);
async fn one_phone(wire: Wire) {
    acknowledged("reliable", wire).await;
}

over!(two_phones: Udp);
async fn two_phones(wire: Wire) {
    acknowledged("reliable_forks", wire).await;
}
