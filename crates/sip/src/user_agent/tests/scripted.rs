//! One user agent against a far end whose messages are written out.

use std::time::Duration;

use bytes::Bytes;

use super::stage::{Stage, challenge, far, inside, ok, response};
use super::world::{CALLER, invite};
use crate::digest::{Credentials, Guard};
use crate::user_agent::{Body, Event, Input, Output};
use crate::{Message, Method, Name, Peer, StatusCode};

#[test]
fn a_second_fork_that_answers_is_acknowledged_and_hung_up() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    stage.hears(response(&invite, 180, "one").build());
    stage.hears(response(&invite, 180, "two").build());
    stage.hears(ok(&invite, "two"));
    stage.hears(ok(&invite, "one"));
    assert_eq!(stage.told, ["progress 180", "progress 180", "answered"]);
    assert_eq!(stage.sent_methods(), ["INVITE", "ACK", "ACK", "BYE"]);
    let (to, bye) = stage.sent.last().unwrap();
    assert_eq!(bye.request_uri(), Some("sip:one@10.0.0.9:5070"));
    assert_eq!(to.addr, "10.0.0.9:5070".parse().unwrap());
    assert_eq!(bye.to().unwrap().tag(), Some("one"));
    stage.hears(ok(&invite, "one"));
    stage.hears(ok(&invite, "two"));
    let expected = ["INVITE", "ACK", "ACK", "BYE", "ACK", "ACK"];
    assert_eq!(
        stage.sent_methods(),
        expected,
        "each 2xx gets its ACK, no second BYE"
    );
}

#[test]
fn a_challenge_is_answered_with_the_next_cseq_and_a_new_branch() {
    let credentials = Credentials::new("harbour", "secret");
    let mut stage = Stage::of(CALLER);
    let mut guard = Guard::new("sip.carrier.test", 1);
    let (_, first) = stage.dial(Some(credentials.clone()));
    stage.hears(challenge(&first, &mut guard, stage.now, false));
    let second = stage.last().clone();
    assert_eq!(stage.sent_methods(), ["INVITE", "ACK", "INVITE"]);
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!(
        second.cseq().unwrap().number,
        first.cseq().unwrap().number + 1
    );
    assert_ne!(
        second.via().unwrap().branch(),
        first.via().unwrap().branch()
    );
    let answers = second.authorizations(Name::ProxyAuthorization);
    let request = (&Method::Invite, second.request_uri().unwrap());
    guard
        .check(stage.now, &answers[0], request, &credentials)
        .unwrap();
    stage.hears(ok(&second, "a"));
    assert_eq!(stage.told, ["answered"]);
    assert!(
        stage.last().header(Name::ProxyAuthorization).is_some(),
        "in the ACK too"
    );
}

#[test]
fn a_password_that_is_refused_twice_is_not_tried_again() {
    let mut stage = Stage::of(CALLER);
    let mut guard = Guard::new("sip.carrier.test", 1);
    stage.dial(Some(Credentials::new("harbour", "wrong")));
    for _ in 0..3 {
        let invite = stage.sent.iter().rev().map(|(_, message)| message);
        let invite = invite
            .clone()
            .find(|message| message.method() == Some(&Method::Invite));
        let challenge = challenge(&invite.unwrap().clone(), &mut guard, stage.now, true);
        stage.hears(challenge);
    }
    let invites = stage
        .sent_methods()
        .iter()
        .filter(|method| *method == "INVITE")
        .count();
    assert_eq!(invites, 3);
    assert_eq!(stage.told, ["ended: refused 407"]);
}

#[test]
fn a_reinvite_challenged_after_the_end_is_not_sent_again() {
    let mut stage = Stage::of(CALLER);
    let mut guard = Guard::new("sip.carrier.test", 1);
    let (call, invite) = stage.dial(Some(Credentials::new("harbour", "secret")));
    stage.hears(ok(&invite, "far"));
    let offer = Body::sdp("hold");
    stage.agent.reinvite(stage.now, call, offer).unwrap();
    stage.drain();
    let reinvite = stage.last().clone();
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    stage.hears(challenge(&reinvite, &mut guard, stage.now, false));
    // Under the number of the BYE it would have overtaken a BYE that was lost, and no repetition of that would have counted.
    let expected = ["INVITE", "ACK", "INVITE", "BYE", "ACK"];
    assert_eq!(stage.sent_methods(), expected);
    assert_eq!(stage.told, ["answered", "ended: by us"]);
}

#[test]
fn without_credentials_a_challenge_is_a_refusal() {
    let mut stage = Stage::of(CALLER);
    let mut guard = Guard::new("sip.carrier.test", 1);
    let (_, invite) = stage.dial(None);
    stage.hears(challenge(&invite, &mut guard, stage.now, false));
    assert_eq!(stage.told, ["ended: refused 407"]);
}

#[test]
fn a_request_for_a_call_that_is_not_ours_gets_481() {
    let mut stage = Stage::of(CALLER);
    for method in ["BYE", "INVITE", "UPDATE", "INFO"] {
        stage.hears_text(&inside(method, "a", "b", 7, ""));
        assert_eq!(
            stage.last().status(),
            Some(StatusCode::CALL_DOES_NOT_EXIST),
            "{method}"
        );
    }
    stage.hears_text(&inside("ACK", "a", "b", 7, ""));
    assert_eq!(stage.sent.len(), 4, "an ACK is never answered");
}

#[test]
fn requests_inside_a_call_get_what_they_are_owed() {
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(None);
    stage.hears(ok(&invite, "far"));
    let call_id = invite.call_id().unwrap().to_owned();
    let ours = invite.from().unwrap().tag().unwrap().to_owned();
    let cases = [
        ("INFO", 200),
        ("OPTIONS", 200),
        ("UPDATE", 200),
        ("REFER", 603),
        ("NOTIFY", 489),
        ("SUBSCRIBE", 489),
        ("MESSAGE", 405),
        ("FROB", 501),
        ("INVITE", 100),
    ];
    for (number, (method, expected)) in (10..).zip(cases) {
        let sent = stage.sent.len();
        stage.hears_text(&inside(method, "far", &ours, number, &call_id));
        if expected == 100 {
            assert_eq!(stage.sent.len(), sent, "the user answers a re-INVITE");
        } else {
            assert_eq!(stage.last().status().unwrap().code(), expected, "{method}");
        }
    }
    assert_eq!(stage.told.last().unwrap(), "offered by INVITE");
    stage.hears_text(&inside("INVITE", "far", &ours, 30, &call_id));
    assert_eq!(
        stage.last().status().unwrap().code(),
        500,
        "one offer at a time"
    );
    assert!(
        stage
            .agent
            .reinvite(stage.now, call, Body::sdp("hold"))
            .is_err()
    );
    stage.hears_text(&inside("BYE", "far", &ours, 31, &call_id));
    let codes = stage
        .sent
        .iter()
        .filter_map(|(_, message)| message.status());
    let codes: Vec<u16> = codes.map(StatusCode::code).collect();
    assert_eq!(
        codes[codes.len() - 2..],
        [200, 487],
        "and the open offer is refused"
    );
    assert_eq!(stage.told.last().unwrap(), "ended: by them");
}

// RFC 3261 §11.2: the same inside a call and outside any; it changes nothing.
#[test]
fn whoever_asks_what_we_can_do_is_told() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    stage.hears(ok(&invite, "far"));
    let ours = invite.from().unwrap().tag().unwrap().to_owned();
    let call_id = invite.call_id().unwrap().to_owned();
    for (to_tag, call_id) in [("", ""), (&*ours, &*call_id)] {
        stage.hears_text(&inside("OPTIONS", "far", to_tag, 7, call_id));
        let answer = stage.last();
        assert_eq!(answer.status(), Some(StatusCode::OK));
        assert!(answer.to().unwrap().tag().is_some());
        for method in [
            "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE", "INFO", "PRACK",
        ] {
            assert!(answer.lists(Name::Allow, method), "{method}");
        }
        assert!(answer.lists(Name::Accept, "application/sdp"));
        for extension in ["100rel", "timer", "199"] {
            assert!(answer.lists(Name::Supported, extension), "{extension}");
        }
    }
    assert_eq!(stage.told, ["answered"]);
}

#[test]
fn a_closed_port_ends_the_call_at_once() {
    let mut stage = Stage::of(CALLER);
    stage.dial(None);
    stage
        .agent
        .handle_input(stage.now, Input::TransportFailed { peer: far() });
    stage.drain();
    assert_eq!(stage.told, ["ended: unreachable"]);
    assert!(stage.agent.is_idle());
}

#[test]
fn an_invite_cancelled_without_any_final_response_is_forgotten() {
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(None);
    stage.hears(response(&invite, 180, "a").build());
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    let start = stage.now;
    stage.wait_until_idle();
    assert_eq!(stage.now - start, Duration::from_secs(32));
    assert_eq!(stage.told, ["progress 180", "ended: by us"]);
}

#[test]
fn a_reinvite_that_gets_only_a_provisional_response_ends_the_call() {
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(None);
    stage.hears(ok(&invite, "far"));
    let reinvite = stage.offers(call, "hold");
    stage.hears(response(&reinvite, 100, "far").build());
    stage.wait_until_idle();
    assert_eq!(stage.told, ["answered", "ended: forgotten"]);
    assert!(stage.sent_methods().contains(&"BYE".to_owned()));
}

#[test]
fn a_network_that_rings_on_after_the_cancel_is_left() {
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(None);
    stage.hears(response(&invite, 180, "a").build());
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    for _ in 0..10 {
        stage.now += Duration::from_secs(6);
        stage.agent.handle_timeout(stage.now);
        stage.hears(response(&invite, 180, "a").build());
    }
    assert!(stage.agent.is_idle());
}

#[test]
fn over_tcp_nothing_is_repeated_and_the_contact_says_so() {
    let mut stage = Stage::of(CALLER);
    let to = Peer::tcp(far().addr);
    stage.agent.invite(stage.now, invite(to));
    stage.drain();
    let contact = stage.last().contact().unwrap().unwrap();
    assert_eq!(contact.uri.param("transport"), Some("tcp"));
    assert_eq!(stage.last().via().unwrap().transport, "TCP");
    stage.wait_until_idle();
    assert_eq!(stage.sent.len(), 1);
    assert_eq!(stage.told, ["ended: unanswered"]);
}

#[test]
fn torture_messages_are_survived_and_answered_at_most_once() {
    for entry in std::fs::read_dir(torture()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "dat") {
            continue;
        }
        let Ok(message) = Message::parse(std::fs::read(&path).unwrap().into()) else {
            continue;
        };
        let mut stage = Stage::of(1);
        stage.hears(message.clone());
        assert!(stage.sent.len() <= 1, "{}", path.display());
        let is_ack = message.method() == Some(&Method::Ack);
        assert!(
            stage.sent.is_empty() || (message.is_request() && !is_ack),
            "{}",
            path.display()
        );
        assert!(stage.told.len() <= 1, "{}", path.display());
    }
}

fn torture() -> std::path::PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var_os("HOUSECALL_SHARED").unwrap_or_else(|| root.into());
    std::path::PathBuf::from(shared).join("data/rfc4475")
}

#[test]
fn the_agent_that_only_dials_cannot_be_called() {
    let mut stage = Stage::of(CALLER);
    stage.hears_text(&inside("INVITE", "a", "", 1, "c"));
    assert_eq!(stage.last().status(), Some(StatusCode::FORBIDDEN));
    assert!(stage.told.is_empty());
}

#[test]
fn events_carry_the_message() {
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    let from = far();
    let message = ok(&invite, "a");
    stage
        .agent
        .handle_input(stage.now, Input::Received { from, message });
    let answered =
        std::iter::from_fn(|| stage.agent.poll_output()).find_map(|output| match output {
            Output::Event(Event::Answered { message, .. }) => Some(message),
            _ => None,
        });
    assert_eq!(answered.unwrap().body(), &Bytes::from_static(b"answer"));
}

#[test]
fn a_response_with_a_second_via_is_for_somebody_else() {
    // RFC 3261 §8.1.3.3
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    for code in [180, 200, 401, 486] {
        let stray = response(&invite, code, "a").header(Name::Via, "SIP/2.0/UDP 10.0.0.7:5060");
        stage.hears(stray.build());
    }
    assert!(stage.told.is_empty(), "{:?}", stage.told);
    stage.hears(ok(&invite, "a"));
    assert_eq!(stage.told, ["answered"]);
    assert_eq!(stage.sent_methods(), ["INVITE", "ACK"]);
}
