//! Encrypted sound (RFC 4568, RFC 3711) to and from baresip, by each policy of ours and of its.

use housecall::Outcome;
use housecall::softphone::Event;
use housecall::trunk::SrtpPolicy;

use super::encrypted::{is_secured, secured};
use crate::caller::{Caller, OUR_TONE};
use crate::registrar::{MANDATORY, PHONE_TONE, Registrar, inside};
use crate::wire::Wire;

async fn dial(policy: SrtpPolicy, registrar: &Registrar) -> Caller {
    Caller::dial_over(Wire::Udp, secured(policy, registrar.udp())).await
}

/// Each hears the other's tone, as loud as it was said.
async fn both_hear(caller: &Caller, registrar: &Registrar) {
    caller.hears_tone(PHONE_TONE).await;
    registrar.until_phone_hears(OUR_TONE);
}

async fn hangs_up(mut caller: Caller) {
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    assert_eq!(
        caller.sound().stats.forged,
        0,
        "not one packet that its key did not open"
    );
}

/// The telephone does not take what we offer: the call ends with words, after one INVITE with a password.
async fn refused(policy: SrtpPolicy, registrar: &Registrar) {
    let mut caller = dial(policy, registrar).await;
    let ended = caller.ended(Outcome::NoCommonSound).await;
    assert_eq!(ended.cause.status, Some(488));
    assert!(
        ended.words.contains("no common way to carry sound"),
        "{}",
        ended.words
    );
    // The second answers the proxy's challenge.
    assert_eq!(caller.sent("INVITE"), 2);
    assert_eq!(caller.sound().stats.rtp_sent, 0);
}

/// RFC 4568 §5.1: keys both ways, and after a hold as before it.
#[tokio::test]
async fn a_telephone_that_encrypts() {
    if !inside("conversations::proxied_encrypted::a_telephone_that_encrypts") {
        return;
    }
    let registrar = Registrar::start_with("udp", MANDATORY);
    for policy in [SrtpPolicy::Required, SrtpPolicy::Preferred] {
        let mut caller = dial(policy, &registrar).await;
        assert!(is_secured(&mut caller).await);
        both_hear(&caller, &registrar).await;
        caller.hold();
        caller.held().await;
        caller.resume();
        caller.resumed().await;
        both_hear(&caller, &registrar).await;
        hangs_up(caller).await;
    }
    refused(SrtpPolicy::Off, &registrar).await;
}

/// A trunk that may go without is told so first, one that must not is left, and one that never asked is not troubled.
#[tokio::test]
async fn a_telephone_that_does_not() {
    if !inside("conversations::proxied_encrypted::a_telephone_that_does_not") {
        return;
    }
    let registrar = Registrar::start("tcp");
    refused(SrtpPolicy::Required, &registrar).await;
    let mut caller = dial(SrtpPolicy::Preferred, &registrar).await;
    caller
        .until_event("a word of warning", |event| {
            *event == Event::EncryptionRefused
        })
        .await;
    assert!(!is_secured(&mut caller).await);
    both_hear(&caller, &registrar).await;
    hangs_up(caller).await;
    let mut caller = dial(SrtpPolicy::Off, &registrar).await;
    assert!(!is_secured(&mut caller).await);
    both_hear(&caller, &registrar).await;
    hangs_up(caller).await;
}
