//! What we write is what we read.

use super::invite;
use crate::builder::{RequestBuilder, ResponseBuilder};
use crate::header::{Name, NameAddr, Via};
use crate::host::HostPort;
use crate::message::Message;
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::Uri;
use crate::validate::validate;

fn request(display: &str) -> Message {
    let target = Uri::sip("+61491570006", "sip.carrier.test").unwrap();
    let via = Via::new(
        "udp",
        HostPort::parse("[2001:db8::5]:5062").unwrap(),
        "z9hG4bKb1",
    );
    let us = NameAddr::new(Uri::sip("+61255500142", "sip.carrier.test").unwrap());
    RequestBuilder::new(Method::Invite, &target)
        .via(&via)
        .from(&us.clone().with_display(display).with_tag("us"))
        .to(&NameAddr::new(target.clone()))
        .call_id("c1")
        .cseq(7)
        .contact(&us)
        .routes(&[
            NameAddr::parse("<sip:p1;lr>").unwrap(),
            NameAddr::parse("<sip:p2;lr>").unwrap(),
        ])
        .header(Name::UserAgent, "Housecall")
        .body("application/sdp", "v=0\r\n")
        .build()
}

#[test]
fn a_request_reads_back_as_it_was_meant() {
    let request = request("Harbour \"Street\" Clinic");
    assert_eq!(
        Message::parse(request.bytes().clone()).as_ref(),
        Ok(&request)
    );
    assert_eq!(validate(&request), Ok(()));
    assert_eq!(
        request.request_uri(),
        Some("sip:+61491570006@sip.carrier.test")
    );
    assert_eq!(request.version(), "SIP/2.0");
    assert_eq!(
        request.from().unwrap().display().as_deref(),
        Some("Harbour \"Street\" Clinic")
    );
    assert_eq!(request.max_forwards(), Ok(Some(70)));
    assert_eq!(request.routes().unwrap().len(), 2);
    assert_eq!(
        request.via().unwrap().to_string(),
        "SIP/2.0/UDP [2001:db8::5]:5062;branch=z9hG4bKb1;rport"
    );
    assert_eq!(request.body(), b"v=0\r\n");
}

#[test]
fn a_name_cannot_smuggle_a_header_in() {
    let request = request("x\r\nEvil: 1\r\n\r\nbody");
    assert_eq!(request.header(Name::Other("Evil")), None);
    assert_eq!(validate(&request), Ok(()));
    assert_eq!(request.body(), b"v=0\r\n");
}

#[test]
fn a_response_copies_what_it_must() {
    let request = invite(&[
        ("", "INVITE sip:a@b.c SIP/2.0"),
        (
            "v2",
            "Via: SIP/2.0/TCP p1.example.com;branch=z9hG4bKq, SIP/2.0/UDP p0.example.com",
        ),
        ("Record-Route", "Record-Route: <sip:p1;lr=on;did=8>"),
    ]);
    let response = ResponseBuilder::new(&request, StatusCode::RINGING)
        .source("198.51.100.9:4444".parse().unwrap())
        .to_tag("them")
        .build();
    let vias: Vec<_> = response
        .vias()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKa1;rport=4444;received=198.51.100.9",
        "SIP/2.0/TCP p1.example.com;branch=z9hG4bKq",
        "SIP/2.0/UDP p0.example.com",
    ];
    assert_eq!(vias, expected);
    assert_eq!(response.header(Name::From), request.header(Name::From));
    assert_eq!(response.to().unwrap().tag(), Some("them"));
    assert_eq!(response.cseq(), request.cseq());
    assert_eq!(
        response.header(Name::RecordRoute),
        Some("<sip:p1;lr=on;did=8>")
    );
    assert_eq!(response.reason(), Some("Ringing"));
    assert_eq!(Message::parse(response.bytes().clone()), Ok(response));
}

#[test]
fn a_dialog_is_not_made_by_a_refusal_or_by_trying() {
    let request = invite(&[
        ("Record-Route", "Record-Route: <sip:p1;lr>"),
        ("To", "To: <sip:a@b>;tag=kept"),
    ]);
    for status in [StatusCode::TRYING, StatusCode::BUSY_HERE] {
        let response = ResponseBuilder::new(&request, status)
            .to_tag("new")
            .reason("Occupé")
            .build();
        assert_eq!(response.header(Name::RecordRoute), None);
        assert_eq!(response.to().unwrap().tag(), Some("kept"));
        assert_eq!(response.reason(), Some("Occupé"));
    }
}

#[test]
fn odd_characters_of_to_come_back_unchanged() {
    let request = invite(&[("To", "To: \"BEL:\\\u{7} NUL:\\\0\" <sip:a@b>")]);
    let response = ResponseBuilder::new(&request, StatusCode::OK)
        .to_tag("t")
        .build();
    assert_eq!(
        response.header(Name::To),
        Some("\"BEL:\\\u{7} NUL:\\\0\" <sip:a@b>;tag=t")
    );
}
