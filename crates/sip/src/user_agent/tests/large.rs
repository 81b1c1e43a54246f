//! Requests too large for a datagram (RFC 3261 §18.1.1).

use std::time::Duration;

use super::stage::{Stage, challenge, far, ok, response};
use super::world::{CALLER, invite, options};
use crate::digest::{Credentials, Guard};
use crate::user_agent::{Body, CallHandle, Input, LargeRequests, UserAgent};
use crate::{Message, Method, Name, Peer};

/// Dials with an offer of so many bytes.
fn dial(large: LargeRequests, offer_bytes: usize) -> (Stage, CallHandle, Message) {
    dial_with(large, offer_bytes, None)
}

fn dial_with(
    large: LargeRequests,
    offer_bytes: usize,
    credentials: Option<Credentials>,
) -> (Stage, CallHandle, Message) {
    let mut stage = Stage::of(CALLER);
    let mut options = options(CALLER, 1);
    options.large = large;
    stage.agent = UserAgent::new(options);
    let mut invite = invite(far());
    invite.body = Some(Body::sdp("x".repeat(offer_bytes)));
    invite.credentials = credentials;
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
        let (stage, _, invite) = dial(LargeRequests::TcpFirst, offer_bytes);
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
    let (mut stage, ..) = dial(LargeRequests::UdpAlone, 1_300);
    stage.wait(Duration::from_secs(30));
    assert!(stage.sent.iter().all(|(to, _)| *to == far()));
}

/// Nobody waits for a TCP that leads nowhere: UDP goes on as if there were none. The copy is the same request in the same transaction.
#[test]
fn a_large_request_that_udp_loses_goes_by_tcp_too() {
    for (offer_bytes, is_large) in [(100, false), (1_300, true)] {
        let (mut stage, _, by_udp) = dial(LargeRequests::default(), offer_bytes);
        stage.wait(Duration::from_millis(1_499));
        assert!(
            stage.sent.iter().all(|(to, _)| *to == far()),
            "UDP is tried first"
        );
        stage.wait(Duration::from_millis(1));
        let copy = stage.last().clone();
        assert_eq!(stage.sent.last().unwrap().0 == tcp(), is_large);
        let branch = |message: &Message| message.via().unwrap().branch().unwrap().to_owned();
        assert_eq!(branch(&copy), branch(&by_udp), "RFC 3261 §17.2.3");
        assert_eq!(copy.cseq(), by_udp.cseq());
        assert_eq!(copy.via().unwrap().transport == "TCP", is_large);
        fail(&mut stage);
        stage.wait(Duration::from_secs(40));
        let to_tcp = stage.sent.iter().filter(|(to, _)| *to == tcp());
        assert_eq!(to_tcp.count(), usize::from(is_large), "once");
        let to_udp = stage.sent.iter().filter(|(to, _)| *to == far());
        assert_eq!(to_udp.count(), 7, "RFC 3261 §17.1.1.2");
        assert_eq!(stage.told, ["ended: unanswered"]);
    }
}

/// Whatever comes back says which of the two was heard: the call goes on that way.
#[test]
fn the_call_goes_on_over_what_was_heard() {
    for peer in [far(), tcp()] {
        let (mut stage, call, _) = dial(LargeRequests::default(), 1_300);
        stage.wait(Duration::from_millis(1_500));
        let (by_udp, by_tcp) = (stage.sent[2].1.clone(), stage.sent[3].1.clone());
        let heard = if peer == tcp() { by_tcp } else { by_udp };
        for message in [
            response(&heard, 180, "a").build(),
            ok_without_contact(&heard),
        ] {
            let input = Input::Received {
                from: peer,
                message,
            };
            stage.agent.handle_input(stage.now, input);
            stage.drain();
        }
        assert_eq!(stage.told, ["progress 180", "answered"]);
        stage.agent.hang_up(stage.now, call);
        stage.drain();
        let rest: Vec<(Peer, String)> = stage.sent[4..]
            .iter()
            .map(|(to, message)| (*to, message.method().unwrap().to_string()))
            .collect();
        assert_eq!(rest, [(peer, "ACK".to_owned()), (peer, "BYE".to_owned())]);
        assert_eq!(
            stage.last().via().unwrap().transport,
            peer.transport.to_string()
        );
    }
}

fn ok_without_contact(invite: &Message) -> Message {
    response(invite, 200, "a")
        .body("application/sdp", "answer")
        .build()
}

/// RFC 3261 §22: a trunk that is asked by TCP is the trunk that the password is for, inside the call too.
#[test]
fn a_challenge_over_tcp_is_answered_there() {
    let credentials = Credentials::new("harbour", "tide");
    for large in [LargeRequests::TcpFirst, LargeRequests::default()] {
        let (mut stage, _, first) = dial_with(large, 1_300, Some(credentials.clone()));
        stage.wait(Duration::from_millis(1_500));
        let mut guard = Guard::new("sip.carrier.test", 1);
        let message = challenge(&first, &mut guard, stage.now, false);
        let from = tcp();
        stage
            .agent
            .handle_input(stage.now, Input::Received { from, message });
        stage.drain();
        let (to, again) = stage.sent.last().unwrap().clone();
        assert_eq!((to, again.method()), (tcp(), Some(&Method::Invite)));
        let message = ok_without_contact(&again);
        stage
            .agent
            .handle_input(stage.now, Input::Received { from, message });
        let reinvite = stage.offers(super::inside::CALL, "hold");
        assert_eq!(stage.sent.last().unwrap().0, tcp());
        assert!(
            reinvite.header(Name::ProxyAuthorization).is_some(),
            "{large:?}"
        );
    }
}

/// RFC 3261 §18.1.1: where TCP leads nowhere, UDP is tried.
#[test]
fn where_tcp_finds_nobody_it_goes_by_udp_after_all() {
    let (mut stage, call, by_tcp) = dial(LargeRequests::TcpFirst, 1_300);
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
    let (mut stage, ..) = dial(LargeRequests::TcpFirst, 1_300);
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

/// A connection that dies after the trunk has taken the request may have rung a phone: no second INVITE, but its CANCEL.
#[test]
fn a_request_that_was_heard_is_not_sent_again() {
    let (mut stage, _, invite) = dial(LargeRequests::TcpFirst, 1_300);
    stage.hears(response(&invite, 100, "").build());
    fail(&mut stage);
    assert_eq!(stage.sent_methods(), ["INVITE", "CANCEL"]);
    assert_eq!(stage.told, ["ended: unreachable"]);
}

#[test]
fn a_call_that_was_hung_up_meanwhile_takes_no_detour() {
    let (mut stage, call, _) = dial(LargeRequests::TcpFirst, 1_300);
    stage.agent.hang_up(stage.now, call);
    fail(&mut stage);
    assert_eq!(stage.sent_methods(), ["INVITE"]);
}
