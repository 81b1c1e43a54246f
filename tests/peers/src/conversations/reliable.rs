use housecall::softphone::Direction;

use super::{hangs_up, over, sipp};
use crate::caller::{Caller, OUR_TONE};
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

// RFC 3262 §5, RFC 3311 §5.1: after the PRACK our offer is answered, and theirs may come. Sound goes where the last one says, which the
// answer without a description leaves as it is.
over!(an_offer_before_the_answer: Udp, Tcp, Tls);
async fn an_offer_before_the_answer(wire: Wire) {
    let sipp = sipp!("early_offer", wire);
    let mut caller = Caller::dial(&sipp).await;
    for (port, direction) in [
        (0, Direction::SendRecv),
        (2, Direction::SendRecv),
        (2, Direction::RecvOnly),
        (0, Direction::SendRecv),
    ] {
        let early = caller.early_media().await;
        assert_eq!(early.remote.port(), sipp.media_port() + port);
        assert_eq!(early.direction, direction);
    }
    caller.answered().await;
    caller.hears_tone(OUR_TONE).await;
    hangs_up(&mut caller, sipp).await;
}
