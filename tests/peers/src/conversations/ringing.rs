use super::{answered, hangs_up, over, sipp};
use crate::caller::Caller;
use crate::wire::Wire;

over!(it_rings: Udp, Tcp);
async fn it_rings(wire: Wire) {
    let sipp = sipp!("ring", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.rings().await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
}

over!(sound_before_the_answer: Udp);
async fn sound_before_the_answer(wire: Wire) {
    let sipp = sipp!("early", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.early_media().await;
    // Carriers take a leg that sends nothing for a dead one: we send before the answer, and it comes back.
    caller.hears_packets(5).await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
}

over!(sound_then_ringing: Udp);
async fn sound_then_ringing(wire: Wire) {
    let sipp = sipp!("early_then_ring", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.early_media().await;
    caller.rings().await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
}

over!(two_phones_ring: Udp, Tcp);
async fn two_phones_ring(wire: Wire) {
    let sipp = sipp!("forked_ring", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.rings().await;
    caller.answered().await;
    hangs_up(&mut caller, sipp).await;
}

over!(two_phones_are_answered: Udp, Tcp, Tls);
async fn two_phones_are_answered(wire: Wire) {
    let sipp = sipp!("forked_answers", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    let bye = caller.sends("BYE").await;
    assert!(
        bye.header("To").is_some_and(|to| to.contains("second")),
        "{}",
        bye.text
    );
    caller.hears("SIP/2.0 200").await;
    hangs_up(&mut caller, sipp).await;
}

over!(progress_of_all_sorts: Udp, Tcp);
async fn progress_of_all_sorts(wire: Wire) {
    answered("odd_progress", wire).await;
}

over!(responses_for_somebody_else: Udp, Tcp);
async fn responses_for_somebody_else(wire: Wire) {
    let sipp = sipp!("odd_vias", wire);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    assert!(!caller.has_rung());
    hangs_up(&mut caller, sipp).await;
}
