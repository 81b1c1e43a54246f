//! The torture messages of RFC 5118, written anew from its list, and the answers they are owed.

use bytes::Bytes;

use crate::header::Name;
use crate::message::Message;
use crate::status::StatusCode;
use crate::validate::validate;

/// A REGISTER as RFC 5118 §4 writes them, with the given target, Via and other lines.
fn register(target: &str, via: &str, more: &str) -> Message {
    let lines = format!(
        "REGISTER {target} SIP/2.0\r\nTo: sip:user@example.com\r\nFrom: sip:user@example.com;tag=81x2\r\n\
         Via: {via}\r\nCall-ID: SSG9559905523997077@hlau_4100\r\nMax-Forwards: 70\r\n\
         Contact: \"Caller\" <sip:caller@[2001:db8::1]>\r\nCSeq: 98176 REGISTER\r\n{more}Content-Length: 0\r\n\r\n"
    );
    Message::parse(Bytes::from(lines)).unwrap()
}

const VIA: &str = "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111";

#[test]
fn section_4_1_a_valid_message_with_an_ipv6_reference() {
    let message = register("sip:[2001:db8::10]", VIA, "");
    assert_eq!(validate(&message), Ok(()));
    let target = message.target().unwrap();
    assert_eq!((target.host(), target.port()), ("[2001:db8::10]", None));
    assert_eq!(
        target.socket_addr(),
        Some("[2001:db8::10]:5060".parse().unwrap())
    );
    assert_eq!(
        message.via().unwrap().response_addr(),
        Some("[2001:db8::9:1]:5060".parse().unwrap())
    );
    let contact = message.contact().unwrap().unwrap();
    assert_eq!(contact.uri.ip(), Some("2001:db8::1".parse().unwrap()));
}

#[test]
fn section_4_2_an_invalid_message_without_brackets() {
    let message = register("sip:2001:db8::10", VIA, "");
    assert_eq!(
        validate(&message).unwrap_err().status(),
        Some(StatusCode::BAD_REQUEST)
    );
}

#[test]
fn section_4_3_the_port_inside_the_brackets_or_outside() {
    // Ambiguous to people only: what is in the brackets is the address.
    let inside = register("sip:[2001:db8::10:5070]", VIA, "");
    assert_eq!(validate(&inside), Ok(()));
    let target = inside.target().unwrap();
    assert_eq!(
        (target.ip(), target.port()),
        (Some("2001:db8::10:5070".parse().unwrap()), None)
    );
    // §4.4
    let outside = register("sip:[2001:db8::10]:5070", VIA, "");
    assert_eq!(validate(&outside), Ok(()));
    let target = outside.target().unwrap();
    assert_eq!(
        (target.ip(), target.port()),
        (Some("2001:db8::10".parse().unwrap()), Some(5070))
    );
}

#[test]
fn section_4_5_received_with_and_without_brackets() {
    for received in ["[2001:db8::9:255]", "2001:db8::9:255"] {
        let via = format!("SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3-111");
        let message = register("sip:[2001:db8::10]", &via, "");
        assert_eq!(validate(&message), Ok(()));
        let addr = message.via().unwrap().response_addr();
        assert_eq!(
            addr,
            Some("[2001:db8::9:255]:5060".parse().unwrap()),
            "{received}"
        );
    }
}

/// An INVITE with the given parts as RFC 5118 §4.6 to §4.10 write them.
fn call(via: &str, contact: &str, body: &str) -> Message {
    let head = format!(
        "INVITE sip:user@[2001:db8::10] SIP/2.0\r\nTo: sip:user@[2001:db8::10]\r\nFrom: sip:user@example.com;tag=81x2\r\n\
         Via: {via}\r\nCall-ID: SSG9559905523997077@hlau_4100\r\nContact: {contact}\r\nCSeq: 8612 INVITE\r\n\
         Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Message::parse(Bytes::from(head)).unwrap()
}

#[test]
fn section_4_6_addresses_in_a_session_description_are_no_matter_of_ours() {
    let body = "o=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\nc=IN IP6 2001:db8::20\r\n";
    let message = call(VIA, "\"Caller\" <sip:caller@[2001:db8::20]>", body);
    assert_eq!(validate(&message), Ok(()));
    assert_eq!(message.sdp_body().as_deref(), Some(body.as_bytes()));
}

#[test]
fn section_4_7_both_families_in_one_message() {
    let vias = "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111, SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKjhja8781hjuaij65144";
    let body = "c=IN IP6 2001:db8::20\r\n";
    let message = call(vias, "\"Caller\" <sip:caller@192.0.2.33>", body);
    assert_eq!(validate(&message), Ok(()));
    let vias = message.vias().unwrap();
    let addrs: Vec<_> = vias
        .iter()
        .map(|via| via.response_addr().unwrap().to_string())
        .collect();
    assert_eq!(addrs, ["[2001:db8::9:1]:5060", "192.0.2.1:5062"]);
    assert_eq!(
        message.contact().unwrap().unwrap().uri.ip(),
        Some("192.0.2.33".parse().unwrap())
    );
}

#[test]
fn section_4_9_an_ipv4_address_mapped_into_ipv6() {
    let mapped = "SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19";
    let message = call(mapped, "<sip:user@[::ffff:192.0.2.2]>", "");
    assert_eq!(validate(&message), Ok(()));
    let addr = message.via().unwrap().response_addr();
    assert_eq!(addr, Some("[::ffff:192.0.2.10]:19823".parse().unwrap()));
    assert_eq!(
        message.contact().unwrap().unwrap().uri.ip(),
        Some("::ffff:192.0.2.2".parse().unwrap())
    );
}

#[test]
fn section_4_10_three_colons() {
    // The grammar of RFC 3261 allowed them by mistake; such an address is none (RFC 3986 §3.2.2 has it right).
    for (target, via) in [
        ("sip:user@[2001:db8:::192.0.2.1]", VIA),
        (
            "sip:[2001:db8::10]",
            "SIP/2.0/UDP [2001:db8:::192.0.2.1];branch=z9hG4bK1",
        ),
    ] {
        let message = register(target, via, "");
        assert_eq!(
            validate(&message).unwrap_err().status(),
            Some(StatusCode::BAD_REQUEST),
            "{target} {via}"
        );
    }
}

#[test]
fn other_addresses_that_are_none() {
    for host in [
        "[2001:db8::10",
        "2001:db8::10]",
        "[]",
        "[::1%25eth0]",
        "[192.0.2.1]",
        "[v1.x]",
        "[::1]x",
        "[1:2:3:4:5:6:7:8:9]",
    ] {
        let message = register(&format!("sip:{host}"), VIA, "");
        assert_eq!(
            validate(&message).unwrap_err().status(),
            Some(StatusCode::BAD_REQUEST),
            "{host}"
        );
        let via = format!("SIP/2.0/UDP {host};branch=z9hG4bK1");
        let message = register("sip:[2001:db8::10]", &via, "");
        assert!(message.via().is_err(), "{host}");
        assert!(message.header(Name::Via).is_some());
    }
}
