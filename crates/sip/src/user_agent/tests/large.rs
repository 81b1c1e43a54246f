//! Requests too large for a datagram (RFC 3261 §18.1.1).

use super::stage::{Stage, far, ok, response};
use super::world::{CALLER, invite, options};
use crate::user_agent::{Body, CallHandle, Input, LargeRequests, UserAgent};
use crate::{Message, Method, Peer};

/// Dials with an offer of so many bytes.
fn dial(large: LargeRequests, offer_bytes: usize) -> (Stage, CallHandle, Message) {
    let mut stage = Stage::of(CALLER);
    let mut options = options(CALLER, 1);
    options.large = large;
    stage.agent = UserAgent::new(options);
    let mut invite = invite(far());
    invite.body = Some(Body::sdp("x".repeat(offer_bytes)));
    let call = stage.agent.invite(stage.now, invite);
    stage.drain();
    let sent = stage.last().clone();
    (stage, call, sent)
}

fn tcp() -> Peer {
    Peer::tcp(far().addr)
}

fn fail(stage: &mut Stage) {
    let input = Input::TransportFailed { peer: tcp() };
    stage.agent.handle_input(stage.now, input);
    stage.drain();
}

#[test]
fn a_request_over_1300_bytes_goes_by_tcp_and_says_so() {
    for (offer_bytes, large) in [(100, false), (1_300, true)] {
        let (stage, _, invite) = dial(LargeRequests::SwitchToTcp, offer_bytes);
        assert_eq!(invite.bytes().len() > 1_300, large);
        let (to, transport) = if large {
            (tcp(), "TCP")
        } else {
            (far(), "UDP")
        };
        assert_eq!(stage.sent.last().unwrap().0, to);
        // Responses come back over the transport that the Via names (RFC 3261 §18.2.2).
        assert_eq!(invite.via().unwrap().transport, transport);
        let contact = invite.contact().unwrap().unwrap().to_string();
        assert_eq!(contact.contains("transport=tcp"), large, "{contact}");
    }
}

#[test]
fn where_the_trunk_takes_no_tcp_it_stays_on_udp() {
    let (stage, _, invite) = dial(LargeRequests::StayUdp, 1_300);
    assert_eq!(stage.sent.last().unwrap().0, far());
    assert_eq!(invite.via().unwrap().transport, "UDP");
}

/// RFC 3261 §18.1.1: where TCP leads nowhere, UDP is tried.
#[test]
fn where_tcp_finds_nobody_it_goes_by_udp_after_all() {
    let (mut stage, call, by_tcp) = dial(LargeRequests::SwitchToTcp, 1_300);
    fail(&mut stage);
    assert_eq!(stage.sent_methods(), ["INVITE", "INVITE"]);
    let by_udp = stage.last().clone();
    assert_eq!(stage.sent.last().unwrap().0, far());
    assert_eq!(by_udp.via().unwrap().transport, "UDP");
    assert_eq!(by_udp.call_id(), by_tcp.call_id());
    assert_ne!(
        by_udp.via().unwrap().branch(),
        by_tcp.via().unwrap().branch()
    );
    assert!(stage.told.is_empty(), "nobody is told of the detour");

    stage.hears(response(&by_udp, 180, "a").build());
    stage.hears(ok(&by_udp, "a"));
    assert_eq!(stage.told, ["progress 180", "answered"]);
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    assert_eq!(stage.last().method(), Some(&Method::Bye));
}

#[test]
fn the_detour_is_taken_once() {
    let (mut stage, ..) = dial(LargeRequests::SwitchToTcp, 1_300);
    fail(&mut stage);
    let peer = far();
    stage
        .agent
        .handle_input(stage.now, Input::TransportFailed { peer });
    stage.drain();
    assert_eq!(stage.sent_methods(), ["INVITE", "INVITE"]);
    assert_eq!(stage.told, ["ended: unreachable"]);
    assert!(stage.agent.is_idle());
}

/// A connection that dies after the trunk has taken the request may have rung a phone: no second INVITE.
#[test]
fn a_request_that_was_heard_is_not_sent_again() {
    let (mut stage, _, invite) = dial(LargeRequests::SwitchToTcp, 1_300);
    stage.hears(response(&invite, 100, "").build());
    fail(&mut stage);
    assert_eq!(stage.sent_methods(), ["INVITE"]);
    assert_eq!(stage.told, ["ended: unreachable"]);
}

#[test]
fn a_call_that_was_hung_up_meanwhile_takes_no_detour() {
    let (mut stage, call, _) = dial(LargeRequests::SwitchToTcp, 1_300);
    stage.agent.hang_up(stage.now, call);
    fail(&mut stage);
    assert_eq!(stage.sent_methods(), ["INVITE"]);
}
