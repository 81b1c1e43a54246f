//! Calls through kamailio, which verifies our digest (407) and checks our messages, to baresip.

use std::sync::Arc;

use housecall::softphone::{Asked, Question, Side};
use housecall::{Outcome, TrunkSetup};
use housecall_sip::Peer;

use crate::caller::{Caller, OUR_TONE, dial_to, trunk};
use crate::registrar::{PHONE_TONE, Registrar, inside};
use crate::wire::Wire;

/// Rings the telephone and waits until both hear each other.
async fn talking(peer: Peer, registrar: &Registrar) -> Caller {
    let mut caller = Caller::dial_over(Wire::Udp, dial_to(trunk(), &[peer])).await;
    caller.hears("SIP/2.0 407").await;
    caller.answered().await;
    caller.hears_tone(PHONE_TONE).await;
    registrar.until_phone_hears(OUR_TONE);
    caller
}

#[tokio::test]
async fn we_hold_resume_and_hang_up() {
    if !inside("conversations::proxied::we_hold_resume_and_hang_up") {
        return;
    }
    let registrar = Registrar::start("tcp");
    let mut caller = talking(registrar.tcp(), &registrar).await;
    caller.hold();
    caller.held().await;
    caller.resume();
    caller.resumed().await;
    let before = caller.sound().stats.from_phone.received;
    caller.hears_packets(before + 25).await;
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    registrar.until_phone_says("terminated");
}

#[tokio::test]
async fn the_telephone_hangs_up() {
    if !inside("conversations::proxied::the_telephone_hangs_up") {
        return;
    }
    let registrar = Registrar::start("udp");
    let mut caller = talking(registrar.udp(), &registrar).await;
    registrar.phone_hangs_up();
    let ended = caller.ended(Outcome::Completed).await;
    assert_eq!(ended.by, Side::Them);
}

#[tokio::test]
async fn the_registrar_is_asked_who_we_are() {
    if !inside("conversations::proxied::the_registrar_is_asked_who_we_are") {
        return;
    }
    let registrar = Registrar::start("udp");
    let phone = housecall::softphone::Softphone::bind(Default::default())
        .await
        .unwrap();
    for (what, password, status) in [
        (Asked::Alive, "open sesame", 200),
        (Asked::Registered, "open sesame", 200),
        (Asked::Registered, "wrong", 401),
    ] {
        let peer = registrar.udp();
        let known = housecall_sip::digest::Credentials::new("housecall", password);
        let setup = TrunkSetup::new(trunk().with_credentials(known), peer);
        let setup = Arc::new(setup);
        let reply = phone.ask(Question { what, peer, setup }).await.unwrap();
        assert_eq!(
            reply.message.status(),
            Some(status),
            "{what:?}: {}",
            reply.message.text
        );
    }
}
