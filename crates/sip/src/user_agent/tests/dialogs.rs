//! Inside answered calls: routes, targets, order, and messages that cross (RFC 3261 §12, §14, §15; RFC 5407).

use std::time::Duration;

use super::inside::{CALL, answered};
use super::stage::{Stage, inside, ok, response};
use super::world::{ANSWERER, CALLER, peer};
use crate::user_agent::{Body, Input, Reply};
use crate::{Message, Method, Name, Peer, StatusCode};

fn code(stage: &Stage) -> u16 {
    stage.last().status().unwrap().code()
}

#[test]
fn requests_follow_the_recorded_route_with_all_its_parameters() {
    // RFC 3261 §12.1.2, §12.2.1.1: reversed, and nothing lost on the way.
    let (mut stage, call, _) = answered(&[
        (
            "Contact",
            "<sips:far@192.0.2.77;gr=urn:uuid:f81d;odd=%41;transport=tls?x=y>;expires=60",
        ),
        (
            "Record-Route",
            "<sip:192.0.2.3;lr;ftag=as5f;did=1.2>;foo=bar",
        ),
        ("Record-Route", "\"Edge\" <sip:192.0.2.2:5062;lr=on;r2=on>"),
    ]);
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    let (to, bye) = stage.sent.last().unwrap();
    assert_eq!(to.addr, "192.0.2.2:5062".parse().unwrap());
    let uri = bye.request_uri().unwrap();
    assert!(
        uri.starts_with("sips:far@192.0.2.77;gr=urn:uuid:f81d;odd=%41;transport=tls"),
        "{uri}"
    );
    let routes: Vec<&str> = bye.list(Name::Route).collect();
    assert_eq!(routes.len(), 2);
    assert!(
        routes[0].contains("<sip:192.0.2.2:5062;lr=on;r2=on>"),
        "{routes:?}"
    );
    assert!(
        routes[1].contains("<sip:192.0.2.3;lr;ftag=as5f;did=1.2>"),
        "{routes:?}"
    );
}

/// What an SBC with a GRUU (RFC 5627) and a proxy before it put into the answer to an INVITE.
const ROUTED: [(&str, &str); 3] = [
    ("Contact", "<sip:far@192.0.2.77;gr=urn:uuid:f81d>"),
    ("Record-Route", "<sip:192.0.2.3;lr>"),
    ("Record-Route", "<sip:192.0.2.2:5062;lr=on>"),
];

#[test]
fn the_ack_of_a_2xx_goes_by_the_route_to_the_contact() {
    // RFC 3261 §13.2.2.4, §12.2.1.1: not to the host of the Record-Route, and gr is part of the target.
    let mut stage = Stage::of(CALLER);
    let (_, invite) = stage.dial(None);
    let mut answer = response(&invite, 200, "far");
    for (name, value) in ROUTED {
        answer = answer.header(Name::from_text(name), value);
    }
    stage.hears(answer.build());
    let (to, ack) = stage.sent.last().unwrap();
    assert_eq!(to.addr, "192.0.2.2:5062".parse().unwrap());
    assert_eq!(ack.method(), Some(&Method::Ack));
    assert_eq!(
        ack.request_uri(),
        Some("sip:far@192.0.2.77;gr=urn:uuid:f81d")
    );
    let routes: Vec<&str> = ack.list(Name::Route).collect();
    assert_eq!(routes, ["<sip:192.0.2.2:5062;lr=on>", "<sip:192.0.2.3;lr>"]);
    assert_ne!(ack.via().unwrap().branch(), invite.via().unwrap().branch());
    assert_eq!(ack.cseq().unwrap().number, invite.cseq().unwrap().number);
}

#[test]
fn the_ack_of_a_refusal_keeps_the_branch_the_target_and_the_route() {
    // RFC 3261 §17.1.1.3
    let (mut stage, call, _) = answered(&ROUTED);
    let reinvite = stage.offers(call, "hold");
    let went_to = stage.sent.last().unwrap().0;
    stage.hears(response(&reinvite, 488, "far").build());
    let (to, ack) = stage.sent.last().unwrap();
    assert_eq!((*to, ack.method()), (went_to, Some(&Method::Ack)));
    for name in [Name::Via, Name::Route, Name::From, Name::CallId] {
        assert_eq!(ack.header(name), reinvite.header(name), "{name}");
    }
    assert_eq!(ack.list(Name::Route).count(), 2);
    assert_eq!(ack.request_uri(), reinvite.request_uri());
    assert_eq!(ack.cseq().unwrap().number, reinvite.cseq().unwrap().number);
    assert_eq!(stage.told, ["re-INVITE refused 488"]);
}

#[test]
fn over_tls_the_contact_says_so_and_the_dialog_keeps_the_connection() {
    // RFC 3261 §12.1.2, §18.1.1, §26.3.2.1: our real port, and one flow for all, whatever addresses the route names.
    let trunk = Peer::tls("192.0.2.9:5061".parse().unwrap());
    let mut stage = Stage::of(CALLER);
    let call = stage.agent.invite(stage.now, super::world::invite(trunk));
    stage.drain();
    let invite = stage.last().clone();
    assert_eq!(invite.via().unwrap().transport, "TLS");
    let contact = invite.contact().unwrap().unwrap().uri.to_string();
    assert_eq!(contact, "sip:housecall@10.0.0.1:5060;transport=tls");
    let mut answer = response(&invite, 200, "far");
    for (name, value) in ROUTED {
        answer = answer.header(Name::from_text(name), value);
    }
    stage.hears(answer.build());
    let reinvite = stage.offers(call, "hold");
    assert!(
        reinvite
            .contact()
            .unwrap()
            .unwrap()
            .to_string()
            .contains("transport=tls")
    );
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    assert_eq!(stage.sent_methods(), ["INVITE", "ACK", "INVITE", "BYE"]);
    assert!(stage.sent.iter().all(|(to, _)| *to == trunk));
}

#[test]
fn a_strict_router_sees_itself_in_the_request_uri() {
    // RFC 3261 §12.2.1.1: its URI is the target, the rest of the route follows, the real target is last.
    let (mut stage, call, _) = answered(&[
        ("Contact", "<sip:far@192.0.2.77:5070>"),
        ("Record-Route", "<sip:192.0.2.3;lr>, <sip:192.0.2.2:5062>"),
    ]);
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    let (to, bye) = stage.sent.last().unwrap();
    assert_eq!(to.addr, "192.0.2.2:5062".parse().unwrap());
    assert_eq!(bye.request_uri(), Some("sip:192.0.2.2:5062"));
    let routes: Vec<&str> = bye.list(Name::Route).collect();
    assert_eq!(routes, ["<sip:192.0.2.3;lr>", "<sip:far@192.0.2.77:5070>"]);
}

#[test]
fn the_called_side_keeps_the_route_as_it_came() {
    // RFC 3261 §12.1.1
    let mut stage = Stage::of(ANSWERER);
    stage.hears_invite("Record-Route: <sip:10.0.0.1:5062;lr>, <sip:192.0.2.3;lr;ftag=far>\n");
    stage
        .agent
        .respond(stage.now, CALL, Reply::new(StatusCode::OK))
        .unwrap();
    stage.drain();
    let answer = stage.last().clone();
    let recorded: Vec<&str> = answer.list(Name::RecordRoute).collect();
    assert_eq!(
        recorded,
        ["<sip:10.0.0.1:5062;lr>", "<sip:192.0.2.3;lr;ftag=far>"]
    );
    stage.hears_text(&inside(
        "ACK",
        "far",
        answer.to().unwrap().tag().unwrap(),
        1,
        "theirs",
    ));
    stage.agent.hang_up(stage.now, CALL);
    stage.drain();
    let routes: Vec<&str> = stage.last().list(Name::Route).collect();
    assert_eq!(routes, recorded);
}

#[test]
fn the_target_moves_with_requests_and_with_answers() {
    // RFC 3261 §12.2.1.2, §12.2.2
    let (mut stage, call, invite) = answered(&[]);
    let update = inside_call(&invite, "UPDATE", 1).replace(
        "<sip:far@10.0.0.2>\nContent",
        "<sip:moved@10.0.0.7>\nContent",
    );
    stage.hears_text(&update);
    assert_eq!(code(&stage), 200);
    let reinvite = stage.offers(call, "hold");
    assert_eq!(reinvite.request_uri(), Some("sip:moved@10.0.0.7"));
    stage.hears(ok(&reinvite, "again"));
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    assert_eq!(stage.last().request_uri(), Some("sip:again@10.0.0.9:5070"));
}

fn inside_call(invite: &Message, method: &str, cseq: u32) -> String {
    let ours = invite.from().unwrap().tag().unwrap().to_owned();
    inside(method, "far", &ours, cseq, invite.call_id().unwrap())
}

#[test]
fn a_dialog_is_known_by_its_call_id_and_both_tags() {
    // RFC 3261 §12.2.2: anything else is somebody else's, and changes nothing.
    let (mut stage, call, invite) = answered(&[]);
    let (id, ours) = (invite.call_id().unwrap(), invite.from().unwrap());
    let ours = ours.tag().unwrap();
    let strangers = [
        ("far", ours, "other"),
        ("far", "other", id),
        ("other", ours, id),
    ];
    for (number, (from, to, id)) in (1..).zip(strangers) {
        stage.hears_text(&inside("BYE", from, to, number, id));
        assert_eq!(code(&stage), 481);
    }
    assert!(stage.told.is_empty());
    assert!(stage.agent.call_id(call).is_some());
}

#[test]
fn a_request_of_the_dialog_from_a_foreign_address_counts_and_draws_nothing_there() {
    // RFC 3261 §12.2.2 knows tags, not addresses: a carrier's second border controller may hang up. Ours still go to the first.
    let foreign = Peer::udp("198.51.100.66:5060".parse().unwrap());
    let (mut stage, call, invite) = answered(&[("Contact", "<sip:far@pbx.example.com>")]);
    let info = Message::parse(inside_call(&invite, "INFO", 1).replace('\n', "\r\n").into());
    let (from, message) = (foreign, info.unwrap());
    stage
        .agent
        .handle_input(stage.now, Input::Received { from, message });
    stage.drain();
    stage.offers(call, "hold");
    assert_eq!(
        stage.sent.last().unwrap().0,
        peer(1),
        "the dialog has not moved"
    );
    let guess = inside("BYE", "guess", "guess", 9, invite.call_id().unwrap());
    let message = Message::parse(guess.replace('\n', "\r\n").into()).unwrap();
    stage
        .agent
        .handle_input(stage.now, Input::Received { from, message });
    stage.drain();
    assert_eq!(code(&stage), 481);
    assert!(stage.told.is_empty());
}

#[test]
fn requests_out_of_order_get_500() {
    // RFC 3261 §12.2.2
    let (mut stage, _, invite) = answered(&[]);
    for (cseq, expected) in [(5, 200), (4, 500), (3, 500), (9, 200)] {
        stage.hears_text(&inside_call(&invite, "INFO", cseq));
        assert_eq!(code(&stage), expected, "CSeq {cseq}");
    }
    assert!(stage.told.is_empty());
}

#[test]
fn a_2xx_that_comes_again_after_the_bye_gets_its_ack_again() {
    // RFC 3261 §13.2.2.4
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(None);
    stage.hears(ok(&invite, "far"));
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    stage.hears(ok(&invite, "far"));
    assert_eq!(stage.sent_methods(), ["INVITE", "ACK", "BYE", "ACK"]);
    let acks: Vec<&Message> = stage.sent.iter().map(|(_, message)| message).collect();
    assert_eq!(acks[1].bytes(), acks[3].bytes());
}

#[test]
fn byes_that_cross_are_both_granted() {
    // RFC 5407 §3.2.1
    let (mut stage, call, invite) = answered(&[]);
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    let bye = stage.last().clone();
    stage.hears_text(&inside_call(&invite, "BYE", 1));
    assert_eq!(code(&stage), 200);
    stage.hears(response(&bye, 200, "far").build());
    stage.wait_until_idle();
    assert_eq!(stage.told, ["ended: by us"]);
    stage.hears_text(&inside_call(&invite, "BYE", 2));
    assert_eq!(code(&stage), 481, "forgotten by now");
}

#[test]
fn a_reinvite_that_crosses_our_bye_finds_no_call() {
    // RFC 5407 §3.2.2
    let (mut stage, call, invite) = answered(&[]);
    stage.agent.hang_up(stage.now, call);
    stage.drain();
    stage.hears_offer(&invite, "INVITE", 1);
    assert_eq!(code(&stage), 481);
    assert_eq!(stage.told, ["ended: by us"]);
}

#[test]
fn a_bye_that_crosses_our_reinvite_ends_the_call_and_its_answer_is_acknowledged() {
    // RFC 5407 §3.2.3
    for answer in [200, 487] {
        let (mut stage, call, invite) = answered(&[]);
        let reinvite = stage.offers(call, "hold");
        stage.hears_text(&inside_call(&invite, "BYE", 1));
        assert_eq!(code(&stage), 200);
        stage.hears(response(&reinvite, answer, "far").build());
        assert_eq!(stage.last().method(), Some(&Method::Ack));
        assert_eq!(stage.told, ["ended: by them"]);
        stage.wait_until_idle();
    }
}

#[test]
fn a_reinvite_answered_as_unknown_ends_the_call() {
    // RFC 3261 §12.2.1.2, §14.1
    for status in [408, 481] {
        let (mut stage, call, _) = answered(&[]);
        let reinvite = stage.offers(call, "hold");
        stage.hears(response(&reinvite, status, "far").build());
        assert_eq!(stage.told, ["ended: forgotten"], "{status}");
        assert_eq!(stage.sent_methods(), ["INVITE", "ACK", "BYE"]);
    }
}

#[test]
fn a_reinvite_without_an_offer_is_asked_of_the_user() {
    // RFC 3261 §14.2, §13.3.1: the 2xx makes the offer, the ACK brings the answer.
    let (mut stage, call, invite) = answered(&[]);
    stage.hears_text(&inside_call(&invite, "INVITE", 1));
    let reply = Reply::new(StatusCode::OK).with_body(Body::sdp("offer"));
    stage.agent.respond(stage.now, call, reply).unwrap();
    stage.drain();
    assert_eq!(stage.last().body(), b"offer");
    stage.hears_offer(&invite, "ACK", 1);
    assert_eq!(stage.told, ["offered by INVITE", "acknowledged"]);
}

#[test]
fn a_reinvite_that_is_cancelled_leaves_the_call_as_it_was() {
    // RFC 3261 §9.2
    let (mut stage, call, invite) = answered(&[]);
    stage.hears_offer(&invite, "INVITE", 1);
    let cancel =
        inside_call(&invite, "CANCEL", 1).replace("branch=z9hG4bKCANCEL1", "branch=z9hG4bKINVITE1");
    stage.hears_text(&cancel);
    let codes: Vec<u16> = stage
        .sent
        .iter()
        .filter_map(|(_, m)| Some(m.status()?.code()))
        .collect();
    assert_eq!(codes, [200, 487]);
    assert!(
        stage
            .agent
            .respond(stage.now, call, Reply::new(StatusCode::OK))
            .is_err()
    );
    assert!(
        stage
            .agent
            .reinvite(stage.now, call, Body::sdp("hold"))
            .is_ok()
    );
}

#[test]
fn a_peer_without_tags_is_a_peer_all_the_same() {
    // RFC 3261 §12.1.1, §12.2.1.1: RFC 2543 did not ask for tags; a missing one is an empty one.
    let mut stage = Stage::of(CALLER);
    let (call, invite) = stage.dial(None);
    let untagged = |message: Message| {
        let text = String::from_utf8(message.bytes().to_vec()).unwrap();
        Message::parse(text.replace(";tag=REMOVE", "").into()).unwrap()
    };
    stage.hears(untagged(ok(&invite, "REMOVE")));
    let reinvite = stage.offers(call, "hold");
    assert_eq!(reinvite.to().unwrap().tag(), None);
    stage.hears(untagged(ok(&reinvite, "REMOVE")));
    assert_eq!(stage.told, ["answered", "re-INVITE answered"]);
    stage.hears_text(&inside_call(&invite, "BYE", 1).replace(";tag=far", ""));
    assert_eq!(stage.told.last().unwrap(), "ended: by them");

    let mut stage = Stage::of(ANSWERER);
    let theirs = inside("INVITE", "REMOVE", "", 1, "old").replace(";tag=REMOVE", "");
    stage.hears_text(&theirs.replace("z9hG4bK", ""));
    stage
        .agent
        .respond(stage.now, CALL, Reply::new(StatusCode::OK))
        .unwrap();
    stage.drain();
    let ours = stage.last().to().unwrap().tag().unwrap().to_owned();
    for method in ["ACK", "BYE"] {
        let number = if method == "ACK" { 1 } else { 2 };
        let text = inside(method, "REMOVE", &ours, number, "old").replace(";tag=REMOVE", "");
        stage.hears_text(&text);
    }
    assert_eq!(stage.told, ["invited", "acknowledged", "ended: by them"]);
}

#[test]
fn row_9_and_10_a_flood_of_strangers_leaves_nothing_behind() {
    // reliability.md §2, rows 9 and 10; RFC 3261 §8.2.7: answered without state, and the same way when repeated.
    let mut stage = Stage::of(CALLER);
    let methods = [
        "INVITE",
        "BYE",
        "MESSAGE",
        "SUBSCRIBE",
        "OPTIONS",
        "REGISTER",
        "REFER",
        "INFO",
    ];
    for number in 0..4_000 {
        let method = methods[number as usize % methods.len()];
        stage.hears_text(&inside(
            method,
            "x",
            if number % 3 == 0 { "y" } else { "" },
            number + 1,
            "flood",
        ));
        assert!(stage.agent.is_idle() && stage.agent.poll_timeout().is_none());
    }
    assert!(stage.told.is_empty());
    let invite = inside("INVITE", "x", "", 1, "again");
    stage.hears_text(&invite);
    let first = stage.last().clone();
    stage.hears_text(&invite);
    assert_eq!(stage.last().bytes(), first.bytes());
}

#[test]
fn row_13_an_invite_repeated_in_every_state_is_one_call() {
    // reliability.md §2, row 13; RFC 3261 §17.2.1, RFC 6026 §7.1
    let mut stage = Stage::of(ANSWERER);
    let invite = stage.hears_invite("");
    let again = |stage: &mut Stage| (0..50).for_each(|_| stage.hears(invite.clone()));
    again(&mut stage);
    stage
        .agent
        .respond(stage.now, CALL, Reply::new(StatusCode::RINGING))
        .unwrap();
    again(&mut stage);
    stage
        .agent
        .respond(stage.now, CALL, Reply::new(StatusCode::OK))
        .unwrap();
    stage.drain();
    let answer = stage.last().clone();
    again(&mut stage);
    stage.hears_from_caller(&invite, &answer, "ACK", 1, "");
    again(&mut stage);
    stage.hears_from_caller(&invite, &answer, "BYE", 2, "");
    again(&mut stage);
    assert_eq!(stage.told, ["invited", "acknowledged", "ended: by them"]);
    stage.wait(Duration::from_secs(64));
    assert!(stage.agent.is_idle());
}

#[test]
fn row_9_a_flood_inside_a_call_fills_no_memory() {
    // reliability.md §2, row 9: whoever is in a call may be mad. What is over the limit is dropped, and the call goes on.
    let (mut stage, _, invite) = answered(&[]);
    let filler = format!("Subject: {}\n", "x".repeat(60_000));
    let mut answered = 0;
    for number in 1..=400 {
        stage.sent.clear();
        stage.hears_inside(&invite, "OPTIONS", number, &filler);
        answered += stage.sent.len();
    }
    assert!((100..200).contains(&answered), "{answered}");
    stage.wait(Duration::from_secs(33));
    stage.hears_inside(&invite, "OPTIONS", 401, "");
    assert_eq!(code(&stage), 200);
    assert!(stage.told.is_empty());
}
