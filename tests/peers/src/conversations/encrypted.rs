//! Encrypted sound (RFC 4568, RFC 3711), with SIPp: what is offered, and what is no answer to it. With baresip: `proxied_encrypted.rs`.

use housecall::softphone::{Dial, Event};
use housecall::trunk::SrtpPolicy;
use housecall::{Outcome, Trunk};
use housecall_phone::Secret;
use housecall_sip::Peer;

use super::{hangs_up, over, sipp};
use crate::caller::{Caller, OUR_TONE, dial_to, trunk};
use crate::wire::Wire;

/// A call over a trunk that wants its sound encrypted so.
pub(super) fn secured(srtp: SrtpPolicy, peer: Peer) -> Dial {
    let trunk = Trunk { srtp, ..trunk() };
    let mut dial = dial_to(trunk, &[peer]);
    dial.secret = Some(Secret::new([7; Secret::BYTES]));
    dial
}

/// Whether the sound of an answered call is encrypted.
pub(super) async fn is_secured(caller: &mut Caller) -> bool {
    let answered = caller
        .until_event("an answer", |event| matches!(event, Event::Answered(_)))
        .await;
    matches!(answered, Event::Answered(target) if target.srtp.is_some())
}

// The scenario checks the offer of each description: the profile, the suite, no word of DTLS.
over!(our_sound_comes_back_encrypted: Udp, Tls);
async fn our_sound_comes_back_encrypted(wire: Wire) {
    let sipp = sipp!("secured", wire);
    let mut caller = Caller::dial_over(wire, secured(SrtpPolicy::Required, sipp.peer())).await;
    assert!(is_secured(&mut caller).await);
    caller.hears_tone(OUR_TONE).await;
    caller.hold();
    caller.held().await;
    caller.resume();
    caller.resumed().await;
    caller.hears_tone(OUR_TONE).await;
    assert_eq!(caller.sound().stats.forged, 0);
    hangs_up(&mut caller, sipp).await;
}

/// Whoever answers what is no answer to an encrypted offer is hung up on: nothing is said in the open in that call.
async fn no_answer(wire: Wire, scenario: &str, policies: &[SrtpPolicy]) {
    for policy in policies.iter().copied() {
        let sipp = sipp!(scenario, wire);
        let mut caller = Caller::dial_over(wire, secured(policy, sipp.peer())).await;
        caller.ended(Outcome::NoCommonSound).await;
        sipp.passed().await;
        assert_eq!(caller.sent("INVITE"), 1);
        assert_eq!(caller.sound().stats.rtp_sent, 0);
    }
}

over!(an_answer_in_the_open: Udp, Tcp);
async fn an_answer_in_the_open(wire: Wire) {
    // Where encryption is preferred, one more INVITE offers the open: `housecall-phone` has that conversation.
    no_answer(wire, "opened", &[SrtpPolicy::Required]).await;
}

over!(an_answer_without_a_key: Udp);
async fn an_answer_without_a_key(wire: Wire) {
    let policies = [SrtpPolicy::Required, SrtpPolicy::Preferred];
    no_answer(wire, "keyless", &policies).await;
}

over!(a_refusal_ends_a_call_that_must_be_encrypted: Udp);
async fn a_refusal_ends_a_call_that_must_be_encrypted(wire: Wire) {
    let sipp = sipp!("secured_refused", wire);
    let mut caller = Caller::dial_over(wire, secured(SrtpPolicy::Required, sipp.peer())).await;
    let ended = caller.ended(Outcome::NoCommonSound).await;
    assert_eq!(ended.cause.status, Some(488));
    sipp.passed().await;
    assert_eq!(caller.sent("INVITE"), 1);
}

over!(a_refusal_is_told_before_anything_is_said_in_the_open: Udp, Tcp);
async fn a_refusal_is_told_before_anything_is_said_in_the_open(wire: Wire) {
    let sipp = sipp!("secured_refused", wire, calls: 2);
    let mut caller = Caller::dial_over(wire, secured(SrtpPolicy::Preferred, sipp.peer())).await;
    caller
        .until_event("a word of warning", |event| {
            *event == Event::EncryptionRefused
        })
        .await;
    assert!(!is_secured(&mut caller).await);
    caller.hears_tone(OUR_TONE).await;
    hangs_up(&mut caller, sipp).await;
}
