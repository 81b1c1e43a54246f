//! What real trunks and telephones send: messages of our own, one for each kind of trouble.

use super::{invite, wire};
use crate::header::{Name, NameAddr};
use crate::message::{BodyLength, Message};
use crate::status::StatusCode;
use crate::uri::Scheme;
use crate::validate::validate;

/// A valid 200 OK with one more header line.
fn ok_with(line: &str) -> Message {
    let message = Message::parse(wire(&format!(
        "SIP/2.0 200 OK
        Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKa1;rport=5062
        From: <sip:us@h>;tag=us
        To: <sip:them@h>;tag=them
        Call-ID: c1
        CSeq: 1 INVITE
        {line}
        "
    )));
    let message = message.unwrap();
    assert_eq!(validate(&message), Ok(()), "{line}");
    message
}

fn address(line: &str) -> NameAddr {
    let line = format!("Contact: {line}");
    ok_with(&line).contact().unwrap().unwrap().into_owned()
}

#[test]
fn a_dot_in_the_user_part() {
    let contact = address("<sip:john.doe@198.51.100.1>");
    assert_eq!(
        (contact.uri.user(), contact.uri.host()),
        (Some("john.doe"), "198.51.100.1")
    );
}

#[test]
fn a_plus_stays_a_plus() {
    assert_eq!(
        address("<sip:+61491570006@h;user=phone>").to_string(),
        "<sip:+61491570006@h;user=phone>"
    );
}

#[test]
fn a_hash_and_a_prefix_in_the_user_part() {
    assert_eq!(
        address("<sip:0011#61491570006@h>").uri.user(),
        Some("0011#61491570006")
    );
}

#[test]
fn number_parameters_before_the_at_sign() {
    let uri = address("<sip:+61491570006;npdi;rn=+6140000@h:5060;user=phone>").uri;
    assert_eq!(uri.user(), Some("+61491570006;npdi;rn=+6140000"));
    assert_eq!((uri.host(), uri.port()), ("h", Some(5060)));
}

#[test]
fn a_telephone_uri_as_caller() {
    let message = invite(&[(
        "From",
        "From: \"0491 570 006\" <tel:+61491570006;isub=1>;tag=t",
    )]);
    let from = message.from().unwrap();
    assert_eq!(
        (from.uri.scheme(), from.uri.user()),
        (Scheme::Tel, Some("+61491570006"))
    );
    assert_eq!(from.tag(), Some("t"));
}

#[test]
fn a_telephone_uri_without_brackets() {
    let request = invite(&[("From", "From: tel:+61491570006;tag=t")]);
    let from = request.from().unwrap();
    assert_eq!(
        (from.uri.as_str(), from.tag()),
        ("tel:+61491570006", Some("t"))
    );
}

#[test]
fn an_anonymous_caller() {
    let request = invite(&[(
        "From",
        "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=t",
    )]);
    let from = request.from().unwrap();
    assert_eq!(from.uri.host(), "anonymous.invalid");
}

#[test]
fn an_instance_with_brackets_inside_quotes() {
    let contact =
        address(r#"<sip:x@h;gr=urn:uuid:f81d-7dec>;+sip.instance="<urn:uuid:f81d>";q=0.5"#);
    assert_eq!(contact.uri.param("gr"), Some("urn:uuid:f81d-7dec"));
    assert_eq!(
        contact.params.unquoted("+sip.instance").as_deref(),
        Some("<urn:uuid:f81d>")
    );
    assert_eq!(contact.params.get("q"), Some("0.5"));
}

#[test]
fn a_globally_routable_contact_without_value() {
    assert!(address("<sip:x@h;gr>").uri.param("gr").is_some());
}

#[test]
fn an_unknown_transport_parameter() {
    assert_eq!(
        address("<sip:x@h;transport=QUIC>").uri.param("transport"),
        Some("QUIC")
    );
}

#[test]
fn a_stray_semicolon_at_the_end() {
    assert_eq!(
        address("<sip:x@h>;expires=60;").params.get("expires"),
        Some("60")
    );
}

#[test]
fn a_display_name_with_brackets_commas_and_quotes() {
    assert_eq!(
        address(r#""A <b>, \"c\"" <sip:x@h>"#).display().as_deref(),
        Some("A <b>, \"c\"")
    );
}

#[test]
fn an_unquoted_display_name_with_a_dot() {
    assert_eq!(
        address("Dr. Reed <sip:x@h>").display().as_deref(),
        Some("Dr. Reed")
    );
}

#[test]
fn a_host_with_an_underscore_and_a_final_dot() {
    assert_eq!(
        address("<sip:x@sbc_1.example.com.>").uri.host(),
        "sbc_1.example.com."
    );
}

#[test]
fn a_folded_address() {
    let message = wire("SIP/2.0 200 OK\nFrom: \"A\"\n <sip:x@h>\n\t;tag=1\n");
    // The helper trims lines, so the fold is put back by hand.
    let folded = String::from_utf8(message.to_vec())
        .unwrap()
        .replace("\r\n<", "\r\n <")
        .replace("\r\n;", "\r\n\t;");
    let message = Message::parse(folded.into()).unwrap();
    assert_eq!(message.from().unwrap().tag(), Some("1"));
}

#[test]
fn every_compact_form_at_once() {
    let message = Message::parse(wire(
        "INVITE sip:a@b SIP/2.0
        v:SIP/2.0/UDP h;branch=z9hG4bK1
        f:<sip:x@h>;tag=1
        t:<sip:y@h>
        i:c1
        CSEQ:1 INVITE
        m:<sip:x@h>
        k:timer
        l:0
        ",
    ));
    let message = message.unwrap();
    assert_eq!(validate(&message), Ok(()));
    assert!(message.lists(Name::Supported, "timer"));
}

#[test]
fn line_ends_before_the_message() {
    let message = Message::parse([&b"\r\n\r\n"[..], invite(&[]).bytes()].concat().into()).unwrap();
    assert_eq!(message, invite(&[]));
}

#[test]
fn blanks_and_tabs_before_the_colon() {
    assert_eq!(
        ok_with("Server \t: Asterisk PBX: 20").header(Name::Server),
        Some("Asterisk PBX: 20")
    );
}

#[test]
fn a_body_of_bytes_that_are_no_text() {
    let bytes = b"SIP/2.0 200 OK\r\nl: 4\r\n\r\n\xff\x00\xfe\nrest";
    let message = Message::parse(bytes::Bytes::from_static(bytes)).unwrap();
    assert_eq!(message.body(), b"\xff\x00\xfe\n");
}

#[test]
fn garbage_behind_the_body() {
    let message = Message::parse("SIP/2.0 200 OK\r\nl: 2\r\n\r\nv=0\r\nOPTIONS".into()).unwrap();
    assert_eq!(
        (message.body(), message.body_length()),
        (&b"v="[..], BodyLength::Exact(2))
    );
    assert!(message.bytes().ends_with(b"v="));
}

#[test]
fn no_content_length_in_a_datagram() {
    let message = Message::parse("SIP/2.0 200 OK\r\n\r\nv=0\r\n".into()).unwrap();
    assert_eq!(
        (message.body(), message.body_length()),
        (&b"v=0\r\n"[..], BodyLength::Absent)
    );
}

#[test]
fn a_content_length_that_would_wrap() {
    for digits in ["4294967300", "18446744073709551620"] {
        let text = format!("OPTIONS sip:a SIP/2.0\r\nl: {digits}\r\n\r\nbody");
        let message = Message::parse(text.into()).unwrap();
        assert_eq!(message.body(), b"body");
        assert!(
            !matches!(message.body_length(), BodyLength::Exact(_)),
            "{digits}"
        );
    }
}

#[test]
fn a_reason_phrase_of_their_own() {
    let message = Message::parse("SIP/2.0 486 Besetzt – später  \r\n\r\n".into()).unwrap();
    assert_eq!(
        (message.status(), message.reason()),
        (Some(StatusCode::BUSY_HERE), Some("Besetzt – später"))
    );
}

#[test]
fn no_reason_phrase_and_no_blank() {
    let message = Message::parse("SIP/2.0 183\r\n\r\n".into()).unwrap();
    assert_eq!(
        (message.status(), message.reason()),
        (Some(StatusCode::SESSION_PROGRESS), Some(""))
    );
}

#[test]
fn several_vias_in_one_line_without_blanks() {
    let message = invite(&[(
        "Via",
        "v:SIP/2.0/UDP a;branch=z9hG4bK1,SIP/2.0/TCP b:5061;branch=z9hG4bK2",
    )]);
    assert_eq!(message.vias().unwrap().len(), 2);
    assert_eq!(message.vias().unwrap()[1].sent_by.port(), Some(5061));
}

#[test]
fn a_nat_between_us() {
    let message = ok_with("X: y");
    let via = message.via().unwrap();
    assert_eq!((via.rport(), via.received()), (Some(5062), None));
    let stamped = invite(&[(
        "Via",
        "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1;received=198.51.100.4;rport=40001",
    )]);
    assert_eq!(
        stamped.via().unwrap().response_addr(),
        Some("198.51.100.4:40001".parse().unwrap())
    );
}

#[test]
fn call_ids_of_all_sorts() {
    for call_id in [
        "1",
        "a@b@c",
        "{8F-1}@[::1]",
        "\"x\"",
        "<y>",
        "a,b;c",
        "f81d4fae-7dec",
    ] {
        assert_eq!(ok_with("X: y").call_id(), Ok("c1"));
        let message = invite(&[("Call-ID", &format!("Call-ID: {call_id}"))]);
        assert_eq!(message.call_id(), Ok(call_id));
    }
}

#[test]
fn asserted_identities_of_two_kinds() {
    let message = invite(&[(
        "x",
        "P-Asserted-Identity: \"A\" <sip:+61255500142@h>, <tel:+61255500142>",
    )]);
    let identities: Vec<_> = message
        .list(Name::PAssertedIdentity)
        .map(|value| NameAddr::parse(value).unwrap())
        .collect();
    let schemes: Vec<_> = identities
        .iter()
        .map(|identity| identity.uri.scheme())
        .collect();
    assert_eq!(schemes, [Scheme::Sip, Scheme::Tel]);
}

#[test]
fn empty_headers() {
    let message = ok_with("Supported:\r\nAllow: \r\nSubject:\t");
    assert_eq!(
        message.list(Name::Supported).count() + message.list(Name::Allow).count(),
        0
    );
    assert_eq!(message.header(Name::Subject), Some(""));
}

#[test]
fn a_warning_with_commas_in_quotes() {
    let message = ok_with("Warning: 399 h \"one, two\", 370 h \"three\"");
    assert_eq!(message.list(Name::Warning).count(), 2);
}

#[test]
fn a_version_in_lower_case() {
    let message = invite(&[("", "INVITE sip:a@b sip/2.0")]);
    assert_eq!(validate(&message), Ok(()));
}

#[test]
fn challenges_with_quotes_where_none_belong() {
    let message = ok_with(
        r#"WWW-Authenticate: Digest algorithm="MD5",stale="false", realm="r",nonce="n" ,opaque="""#,
    );
    let challenge = message.challenges().remove(0);
    assert!(challenge.is_spoken() && !challenge.stale);
    assert_eq!(challenge.opaque.as_deref(), Some(""));
}

#[test]
fn a_challenge_that_ends_with_a_comma() {
    let message =
        ok_with(r#"Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth", "#);
    assert!(message.challenges()[0].is_spoken());
}

// Addresses after RFC 5118.

#[test]
fn ipv6_with_and_without_port() {
    let with = address("<sip:x@[2001:db8::10]:5070>");
    assert_eq!(
        with.uri.socket_addr(),
        Some("[2001:db8::10]:5070".parse().unwrap())
    );
    // The port inside the brackets is part of the address (RFC 5118 §4.3).
    let inside = address("<sip:x@[2001:db8::10:5070]>");
    assert_eq!(
        (inside.uri.host(), inside.uri.port()),
        ("[2001:db8::10:5070]", None)
    );
}

#[test]
fn ipv6_without_brackets_is_refused() {
    let message = invite(&[("", "INVITE sip:2001:db8::10 SIP/2.0")]);
    assert_eq!(
        validate(&message).unwrap_err().status(),
        Some(StatusCode::BAD_REQUEST)
    );
}

#[test]
fn ipv4_mapped_and_unspecified_addresses() {
    assert!(address("<sip:x@[::ffff:192.0.2.10]>").uri.ip().is_some());
    assert!(
        address("<sip:x@[::]:5060>")
            .uri
            .ip()
            .is_some_and(|ip| ip.is_unspecified())
    );
}

// Size: as many of everything as 64 KiB hold.

#[test]
fn sixty_kilobytes_of_everything() {
    let cases = [
        format!("Contact: {}<sip:x>", "<sip:x>,".repeat(7_400)),
        format!("Contact: <sip:x>{}", ";a".repeat(29_000)),
        vec!["a:b"; 11_000].join("\r\n"),
        format!("Subject: x{}", "\r\n ".repeat(19_000)),
        format!("Contact: {}", "\"".repeat(59_000)),
        format!("Contact: {}", "<".repeat(59_000)),
        format!("Contact: {}", ":".repeat(59_000)),
        format!("WWW-Authenticate: {}", "Digest ,".repeat(7_300)),
    ];
    for case in cases {
        let message = Message::parse(wire(&format!("SIP/2.0 200 OK\n{case}\n"))).unwrap();
        let _ = (validate(&message), message.contacts(), message.challenges());
        assert_eq!(Message::parse(message.bytes().clone()), Ok(message));
    }
}
