//! Headers as they stand in whole messages.

use std::time::Duration;

use super::{invite, wire};
use crate::header::{Contacts, Name, ValueError};
use crate::message::{Message, ParseError};

#[test]
fn bare_line_feeds_end_lines_too() {
    let text = "SIP/2.0 180 Ringing\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nf: <sip:a@b>;tag=1\nSubject: x\n y\n\nbody";
    let message = Message::parse(text.into()).unwrap();
    assert_eq!(message.from().unwrap().tag(), Some("1"));
    assert_eq!(message.header(Name::Subject), Some("x  y"));
    assert_eq!(message.body(), b"body");
}

#[test]
fn unknown_headers_are_kept_as_they_came() {
    let message = invite(&[("P-Charge-Info", "P-CHARGE-info: <tel:+6125550>;npi=0")]);
    assert_eq!(
        message.header(Name::Other("p-charge-info")),
        Some("<tel:+6125550>;npi=0")
    );
    assert_eq!(
        message.header(Name::Other("VIA")),
        message.header(Name::Via)
    );
    assert!(message.fields().any(|(name, _)| name == "P-CHARGE-info"));
}

#[test]
fn latin_1_names_are_read_and_the_wire_is_kept() {
    let head = b"SIP/2.0 200 OK\r\nFrom: \"Ren\xe9e\" <sip:a@b>;tag=1\r\n\r\n";
    let message = Message::parse(bytes::Bytes::from_static(head)).unwrap();
    assert_eq!(message.from().unwrap().display().as_deref(), Some("Renée"));
    assert_eq!(&message.bytes()[..], head);
}

#[test]
fn routes_keep_their_order_and_parameters() {
    let message = invite(&[
        (
            "Record-Route",
            "Record-Route: <sip:p2.example.com;lr=on;ftag=us>, <sip:p1.example.com;lr>",
        ),
        (
            "more",
            "Record-Route: \"edge\" <sip:[2001:db8::1]:5061;lr;transport=tcp>",
        ),
    ]);
    let routes: Vec<_> = message
        .record_routes()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "<sip:p2.example.com;lr=on;ftag=us>",
        "<sip:p1.example.com;lr>",
        "\"edge\" <sip:[2001:db8::1]:5061;lr;transport=tcp>",
    ];
    assert_eq!(routes, expected);
    assert!(
        invite(&[("Route", "Route: sip:p1.example.com;lr")])
            .routes()
            .is_err()
    );
}

#[test]
fn lists_and_their_tokens() {
    let message = invite(&[
        ("Supported", "k: timer , 100rel,, path"),
        ("Require", "Require: 100REL"),
    ]);
    let supported: Vec<_> = message.list(Name::Supported).collect();
    assert_eq!(supported, ["timer", "100rel", "path"]);
    assert!(message.lists(Name::Require, "100rel") && !message.lists(Name::Require, "100"));
}

#[test]
fn star_contact_and_expires() {
    let message = invite(&[("Contact", "Contact: *"), ("Expires", "Expires: 0")]);
    assert_eq!(message.contacts(), Ok(Contacts::Star));
    assert_eq!(message.contact(), Ok(None));
    assert_eq!(message.expires(), Ok(Some(Duration::ZERO)));
}

#[test]
fn the_network_and_the_proxy_both_say_why() {
    let message = invite(&[
        (
            "Reason",
            "Reason: SIP;cause=486;text=\"Busy, here\", Q.850;cause=17",
        ),
        ("x", "Reason: ;;"),
    ]);
    let reasons = message.reasons();
    assert_eq!(reasons.len(), 2);
    assert_eq!(reasons[1].q850(), Some(17));
}

#[test]
fn missing_and_repeated_headers_say_which() {
    let without = invite(&[("To", "")]);
    assert_eq!(without.to().unwrap_err().to_string(), "To: missing");
    let twice = invite(&[("x", "f: <sip:x@y>;tag=2")]);
    assert_eq!(twice.from().unwrap_err().fault, ValueError::Repeated);
    let empty = invite(&[("Call-ID", "Call-ID:")]);
    assert_eq!(
        empty.call_id().unwrap_err().to_string(),
        "Call-ID: malformed word"
    );
}

#[test]
fn what_cannot_be_framed_is_refused() {
    let parse = |bytes: &[u8]| Message::parse(bytes::Bytes::copy_from_slice(bytes)).map(|_| ());
    assert_eq!(parse(b""), Err(ParseError::Empty));
    assert_eq!(parse(b"\r\n\r\n"), Err(ParseError::Empty));
    assert_eq!(parse(b"GET / HTTP/1.1\r\n\r\n"), Err(ParseError::NotSip));
    assert_eq!(parse(b"INVITE sip:a@b\r\n\r\n"), Err(ParseError::NotSip));
    assert_eq!(parse(b"SIP/2.0 2000 OK\r\n\r\n"), Err(ParseError::Status));
    assert_eq!(parse(b"SIP/2.0\r\n\r\n"), Err(ParseError::Status));
    assert_eq!(
        parse(b"OPTIONS sip:a SIP/2.0\r\nVia: S"),
        Err(ParseError::HeadUnfinished { length: 29 })
    );
    assert_eq!(
        parse(&vec![b'a'; 70_000]),
        Err(ParseError::TooLong { length: 70_000 })
    );
}

#[test]
fn a_message_prints_only_its_first_line_in_a_log() {
    let message = invite(&[]);
    assert_eq!(
        format!("{message:?}"),
        format!("Message(INVITE, {} bytes)", message.bytes().len())
    );
}

#[test]
fn challenges_of_both_kinds_and_several_to_a_header() {
    let message = Message::parse(wire(
        r#"
        SIP/2.0 407 Proxy Authentication Required
        Proxy-Authenticate: Digest realm="a", nonce="1", algorithm=SHA-256, qop="auth,auth-int", Digest realm="a",nonce="1"
        WWW-Authenticate: Basic realm="b", Digest realm="b, c" , nonce = "2" , stale=TRUE, qop=auth
        "#,
    ))
    .unwrap();
    let challenges = message.challenges();
    let realms: Vec<_> = challenges
        .iter()
        .map(|challenge| challenge.realm.as_str())
        .collect();
    assert_eq!(realms, ["b, c", "a", "a"]);
    assert!(challenges[0].stale && challenges[0].qop == ["auth"]);
    assert_eq!(challenges[1].qop, ["auth", "auth-int"]);
}
