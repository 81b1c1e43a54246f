//! Answers owed, with messages of our own.

use super::invite;
use crate::header::Name;
use crate::method::Method;
use crate::status::StatusCode;
use crate::validate::{Abilities, Fault, validate};

fn status_of(changes: &[(&str, &str)]) -> Option<u16> {
    let fault = validate(&invite(changes)).err()?;
    Some(fault.status().map_or(0, StatusCode::code))
}

#[test]
fn an_ordinary_invite_is_valid() {
    assert_eq!(status_of(&[]), None);
}

#[test]
fn each_fault_and_its_answer() {
    let cases: [(u16, &str, &str); 15] = [
        (400, "Via", ""),
        (400, "Via", "Via: SIP/2.0/UDP"),
        (400, "From", ""),
        (400, "To", "To: <sip:x"),
        (400, "Call-ID", "Call-ID: two words"),
        (400, "CSeq", "CSeq: 1 BYE"),
        (400, "CSeq", "CSeq: 4294967296 INVITE"),
        (400, "Content-Length", "Content-Length: 4294967328"),
        (400, "Content-Length", "Content-Length: -1"),
        (
            400,
            "Content-Length",
            "Content-Length: 99999999999999999999999999",
        ),
        (400, "Max-Forwards", "Max-Forwards: 256"),
        (400, "Content-Type", "Content-Type: sdp"),
        (400, "junk", "this is no header"),
        (416, "", "INVITE mailto:a@b.c SIP/2.0"),
        (505, "", "INVITE sip:a@b.c SIP/3.0"),
    ];
    for (status, name, line) in cases {
        assert_eq!(status_of(&[(name, line)]), Some(status), "{line}");
    }
}

#[test]
fn a_tel_target_is_a_target() {
    assert_eq!(status_of(&[("", "INVITE tel:+61491570006 SIP/2.0")]), None);
}

#[test]
fn equal_content_lengths_are_one_and_different_ones_none() {
    assert_eq!(status_of(&[("x", "l: 0")]), None);
    assert_eq!(status_of(&[("x", "l: 00")]), None);
    assert_eq!(status_of(&[("x", "l: 1")]), Some(400));
}

#[test]
fn a_faulty_ack_is_dropped() {
    let ack = ("", "ACK sip:a@b.c SIP/2.0");
    assert_eq!(status_of(&[ack, ("CSeq", "CSeq: 1 ACK")]), None);
    assert_eq!(status_of(&[ack, ("CSeq", "CSeq: 1 INVITE")]), Some(0));
}

fn telephone() -> Abilities {
    Abilities {
        methods: vec![
            Method::Invite,
            Method::Ack,
            Method::Bye,
            Method::Cancel,
            Method::Options,
        ],
        extensions: vec!["100rel"],
        body_types: vec!["application/sdp"],
    }
}

fn refusal(changes: &[(&str, &str)]) -> Option<(u16, Option<String>)> {
    let request = invite(changes);
    assert_eq!(validate(&request), Ok(()));
    let fault = telephone().check(&request).err()?;
    let Fault::Answer { status, header, .. } = fault else {
        return Some((0, None));
    };
    Some((
        status.code(),
        header.map(|(name, value)| format!("{name}: {value}")),
    ))
}

#[test]
fn what_a_telephone_refuses() {
    let allow = Some("Allow: INVITE, ACK, BYE, CANCEL, OPTIONS".to_owned());
    let refer = [("", "REFER sip:a@b.c SIP/2.0"), ("CSeq", "CSeq: 1 REFER")];
    assert_eq!(refusal(&refer), Some((405, allow.clone())));
    let dance = [("", "DANCE sip:a@b.c SIP/2.0"), ("CSeq", "CSeq: 1 DANCE")];
    assert_eq!(refusal(&dance), Some((501, allow)));
    let timer = [("Require", "Require: 100rel, timer")];
    assert_eq!(
        refusal(&timer),
        Some((420, Some("Unsupported: timer".to_owned())))
    );
    assert_eq!(refusal(&[("Require", "Require: 100REL")]), None);
    assert_eq!(
        refusal(&[("Accept", "Accept: text/plain, image/*")]).map(|(status, _)| status),
        Some(406)
    );
    for range in ["application/sdp;level=1", "application/*", "*/*;q=0.1"] {
        assert_eq!(
            refusal(&[("Accept", &format!("Accept: {range}"))]),
            None,
            "{range}"
        );
    }
}

#[test]
fn bodies_a_telephone_cannot_read() {
    let with_body = |header: &str| {
        let text = format!("{}\r\n{header}\r\nContent-Length: 3\r\n\r\nabc", head());
        let request = crate::Message::parse(text.into()).unwrap();
        telephone()
            .check(&request)
            .err()
            .and_then(|fault| fault.status())
            .map(StatusCode::code)
    };
    assert_eq!(with_body("Content-Type: text/html"), Some(415));
    assert_eq!(with_body("c: application/SDP;x=y"), None);
    assert_eq!(with_body("c: application/sdp\r\ne: gzip"), Some(415));
    assert_eq!(
        with_body("c: text/html\r\nContent-Disposition: session;handling=optional"),
        None
    );
}

fn head() -> String {
    let request = invite(&[("Content-Length", "")]);
    let head = String::from_utf8(request.bytes().to_vec()).unwrap();
    head.trim_end().to_owned()
}

#[test]
fn the_answer_carries_the_hint() {
    let request = invite(&[("Require", "Require: timer")]);
    let fault = telephone().check(&request).unwrap_err();
    let answer = fault.response(&request).unwrap().to_tag("t").build();
    assert_eq!(answer.status(), Some(StatusCode::BAD_EXTENSION));
    assert_eq!(answer.header(Name::Unsupported), Some("timer"));
    assert_eq!(answer.to().unwrap().tag(), Some("t"));
}
