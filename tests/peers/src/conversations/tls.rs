//! What is said over TLS alone: names, authorities, versions, and connections that are lost.

use std::time::Duration;

use housecall::Outcome;
use housecall::softphone::{Event, Side};
use housecall_phone::RouteFailure;
use rustls::{ProtocolVersion, SupportedProtocolVersion, version};

use super::{hangs_up, sipp};
use crate::caller::{Caller, dial_to, telephone, trunk};
use crate::certificates::{NAME, UNKNOWN};
use crate::front::{Seen, Shown};
use crate::wire::Wire;

/// The names that we asked for, one for each connection.
fn names(seen: &Seen) -> Vec<Option<&str>> {
    let names = seen.handshakes.iter();
    names.map(|(name, _)| name.as_deref()).collect()
}

/// RFC 3261 §8.1.1.8, §18.1.1, §26.3.1: one connection for every request of the call, opened under the configured name; the Contact says
/// where and how we are reached.
#[tokio::test]
async fn the_connection_of_the_invite_carries_the_whole_call() {
    let sipp = sipp!("reinvite", Wire::Tls);
    let mut caller = Caller::dial(&sipp).await;
    let invite = caller.sends("INVITE").await;
    let contact = format!("@{};transport=tls>", caller.address());
    for (header, part) in [("Contact", &*contact), ("Via", "SIP/2.0/TLS ")] {
        let value = invite.header(header).unwrap();
        assert!(value.contains(part), "{part} in {value}");
    }
    caller.answered().await;
    let ours = caller.replies(200).await;
    assert!(ours.header("Contact").unwrap().contains(&contact));
    caller.hears("ACK").await;
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    caller.hears("SIP/2.0 200").await;
    assert_eq!(names(&sipp.front().seen()), [Some(NAME)]);
    sipp.passed().await;
}

/// RFC 8446, RFC 5246: a trunk that speaks one version only is spoken to in that one.
async fn spoken(version: &'static SupportedProtocolVersion, expected: ProtocolVersion) {
    let shown = Shown {
        versions: vec![version],
        ..Shown::default()
    };
    let sipp = sipp!("answer", Wire::Tls, shown: shown);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    let seen = sipp.front().seen();
    assert_eq!(seen.handshakes, [(Some(NAME.to_owned()), Some(expected))]);
    hangs_up(&mut caller, sipp).await;
}

#[tokio::test]
async fn version_1_2_is_spoken() {
    spoken(&version::TLS12, ProtocolVersion::TLSv1_2).await;
}

#[tokio::test]
async fn version_1_3_is_spoken() {
    spoken(&version::TLS13, ProtocolVersion::TLSv1_3).await;
}

/// A trunk that does not prove who it is hears not one byte of SIP, and the call ends without delay.
async fn refused(shown: Shown) {
    let sipp = sipp!("silence", Wire::Tls, shown: shown);
    let mut caller = Caller::dial(&sipp).await;
    let failed = caller
        .until_event("the trunk to fail", |event| {
            matches!(event, Event::RouteFailed { .. })
        })
        .await;
    let why = RouteFailure::Unreachable;
    assert_eq!(failed, Event::RouteFailed { route: 0, why });
    caller.ended(Outcome::Failed).await;
    sipp.front()
        .sees("a broken handshake", |seen| seen.refused > 0)
        .await;
    let seen = sipp.front().seen();
    assert_eq!((seen.handshakes.len(), seen.bytes), (0, 0), "{seen:?}");
}

/// RFC 5922 §7: the configured name counts, not what the certificate would rather be.
#[tokio::test]
async fn somebody_else_s_certificate_is_refused() {
    refused(Shown {
        name: "other.test",
        ..Shown::default()
    })
    .await;
}

/// RFC 5922 §7.1: nobody whom we trust vouches for it.
#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    refused(Shown {
        authority: &UNKNOWN,
        ..Shown::default()
    })
    .await;
}

/// RFC 3261 §18.1.1: the call goes on without its connection, and our BYE opens another, under the same name.
#[tokio::test]
async fn the_connection_is_lost_and_our_bye_gets_through() {
    let sipp = sipp!("answer", Wire::Tls);
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    caller.hears_packets(10).await;
    sipp.front().loses_the_connection().await;
    let before = caller.sound().stats.from_phone.received;
    caller.hears_packets(before + 10).await;
    caller.hang_up();
    caller.ended(Outcome::Completed).await;
    caller.hears("SIP/2.0 200").await;
    assert_eq!(names(&sipp.front().seen()), [Some(NAME), Some(NAME)]);
    sipp.passed().await;
}

/// RFC 3261 §12.1.1: they connect to our Contact, and their BYE comes from there. RFC 5626 §4.4.1: on a connection of theirs, a double line
/// end is answered with a single one.
#[tokio::test]
async fn the_connection_is_lost_and_their_bye_and_pings_get_through() {
    let sipp = sipp!("bye", Wire::Tls);
    let front = sipp.front();
    front.will_lose_the_connection_at("BYE");
    let mut caller = Caller::dial(&sipp).await;
    caller.answered().await;
    front.sees("our end closed", |seen| seen.closed == 1).await;
    front.dials(caller.address());
    let ended = caller.ended(Outcome::Completed).await;
    assert_eq!(ended.by, Side::Them);
    for pings in 1..=3 {
        front.pings();
        front.sees("a pong", |seen| seen.pongs == pings).await;
    }
    sipp.passed().await;
}

/// RFC 5626 §3.5.1, §4.4.1: we keep alive what we opened, for as long as it is answered.
#[tokio::test]
async fn we_ping_a_connection_that_rests() {
    let sipp = sipp!("answer", Wire::Tls);
    let dial = dial_to(trunk(), &[sipp.peer()]);
    let mut options = telephone(Wire::Tls, &dial);
    options.sip.limits.ping_after = Duration::from_millis(100);
    let mut caller = Caller::dial_as(options, dial).await;
    caller.answered().await;
    let front = sipp.front();
    front.sees("three pings", |seen| seen.pings >= 3).await;
    assert_eq!(front.seen().closed, 0);
    hangs_up(&mut caller, sipp).await;
}
