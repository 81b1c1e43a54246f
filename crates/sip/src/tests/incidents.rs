//! What has broken other SIP stacks in the field. Each test names the row of reliability.md §2, and the incident whose class it stands for.

use bytes::Bytes;

use super::invite;
use crate::framing::{FramingError, StreamFramer};
use crate::header::{CSeq, Name, ValueError};
use crate::message::{BodyLength, MAX_MESSAGE_BYTES, Message, ParseError};
use crate::status::StatusCode;
use crate::validate::validate;

fn owed(message: &Message) -> Option<StatusCode> {
    validate(message).err().and_then(|fault| fault.status())
}

// CVE-2017-9372 (PJSIP): a CSeq longer than the buffer for it.
#[test]
fn row_11_a_cseq_of_any_length_is_refused_by_its_value() {
    for digits in [10, 20, 1_000, 60_000] {
        let line = format!("CSeq: {} INVITE", "9".repeat(digits));
        let message = invite(&[("CSeq", &line)]);
        assert!(
            matches!(message.cseq().unwrap_err().fault, ValueError::TooLarge { max, .. } if max == u64::from(CSeq::MAX))
        );
        assert_eq!(owed(&message), Some(StatusCode::BAD_REQUEST), "{digits}");
    }
    let method = format!("CSeq: 1 {}", "M".repeat(60_000));
    assert_eq!(
        owed(&invite(&[("CSeq", &method)])),
        Some(StatusCode::BAD_REQUEST)
    );
}

// CVE-2018-7284 (Asterisk): more Accept values than the array for them. CVE-2018-8828 (Kamailio): one value off the end.
#[test]
fn row_11_as_many_accept_values_as_a_datagram_holds_are_read_one_by_one() {
    let many = format!("Accept: {}", "a/b,".repeat(15_000));
    let message = invite(&[("Accept", &many)]);
    assert_eq!(message.list(Name::Accept).count(), 15_000);
    assert_eq!(validate(&message), Ok(()));
    let headers: String = "Accept: a/b\r\n".repeat(4_800);
    let text = format!("OPTIONS sip:a@b SIP/2.0\r\n{headers}\r\n");
    let message = Message::parse(Bytes::from(text)).unwrap();
    assert_eq!(message.headers(Name::Accept).count(), 4_800);
}

#[test]
fn row_11_a_message_above_64_kib_is_refused_before_it_is_looked_at() {
    let text = format!(
        "OPTIONS sip:a@b SIP/2.0\r\nSubject: {}\r\n\r\n",
        "x".repeat(MAX_MESSAGE_BYTES)
    );
    let length = text.len();
    assert_eq!(
        Message::parse(Bytes::from(text)),
        Err(ParseError::TooLong { length })
    );
}

// CVE-2020-28361 (Kamailio), AST-2016-009 (Asterisk chan_sip): a header that one parser sees and the next does not.
#[test]
fn row_15_a_name_with_anything_but_blanks_before_its_colon_is_no_header() {
    let allowed = invite(&[("Contact", "Contact \t : <sip:127.0.0.1:5062>")]);
    assert!(allowed.contact().unwrap().is_some(), "RFC 3261 §7.3.1");
    for byte in (0u8..=0x20).chain([0x7f, 0xa0, b'"', b'(', b'@', b'/']) {
        if matches!(byte, b' ' | b'\t' | b'\n') {
            continue;
        }
        let mut text = invite(&[]).bytes().to_vec();
        let at = text
            .windows(8)
            .position(|window| window == b"Call-ID:")
            .unwrap()
            + 7;
        text.insert(at, byte);
        let message = Message::parse(Bytes::from(text)).unwrap();
        assert_eq!(message.header(Name::CallId), None, "{byte:#04x}");
        assert_eq!(message.malformed_lines(), 1, "{byte:#04x}");
        assert_eq!(owed(&message), Some(StatusCode::BAD_REQUEST), "{byte:#04x}");
    }
    for name in ["Call ID", "Call\u{0}-ID", " Call-ID", "", "Cal\rl-ID"] {
        let message = invite(&[("Call-ID", &format!("{name}: c1@127.0.0.1"))]);
        assert_eq!(message.header(Name::CallId), None, "{name:?}");
    }
}

#[test]
fn row_15_a_value_cannot_bring_a_header_of_its_own() {
    let smuggled = "x\r\nRoute: <sip:evil.test;lr>\r\nX: y\n\rRoute: z\rRoute: q";
    let request = invite(&[]);
    let answer = crate::ResponseBuilder::new(&request, StatusCode::OK)
        .reason(smuggled)
        .to_tag(smuggled)
        .header(Name::Server, smuggled)
        .body(smuggled, "v")
        .build();
    let read = Message::parse(answer.bytes().clone()).unwrap();
    assert_eq!(read, answer);
    assert_eq!(read.headers(Name::Route).count(), 0);
    assert!(read.fields().eq(answer.fields()));
}

// Read, written and read again, a message says the same to whoever reads it next.
#[test]
fn row_15_what_was_read_and_written_is_read_the_same() {
    let odd = "INVITE sip:a@b SIP/2.0\nv : SIP/2.0/UDP h;branch=z9hG4bK1,\r\n SIP/2.0/TCP i\r\nf: \"A, \\\"B\\\"\" <sip:a@b;x=1>;tag=1\n\
               t:<sip:c@d>\r\ni:\t1 \r\nCSEQ: 1\tINVITE\r\nSubject:\r\nX: a\r\n\tb\r\n\r\nbody";
    let first = Message::parse(Bytes::from(odd)).unwrap();
    let written: String = first
        .fields()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let written = format!("INVITE sip:a@b SIP/2.0\r\n{written}\r\nbody");
    let second = Message::parse(Bytes::from(written)).unwrap();
    assert!(first.fields().eq(second.fields()));
    assert_eq!(first.vias(), second.vias());
    assert_eq!((first.from(), first.to()), (second.from(), second.to()));
    assert_eq!(first.body(), second.body());
}

// CVE-2026-23457 (nf_conntrack_sip), mjSIP 39, siphon-sip 232: a length that does not fit, or that is believed.
#[test]
fn row_19_no_content_length_is_believed_beyond_what_came() {
    let of = |lines: &[&str]| {
        // Each change of one name takes the place of the one before, so several lines go in as one.
        let joined = lines.join("\r\n");
        invite(&[("Content-Length", ""), ("x", &joined)])
    };
    for number in [
        "4294967328",
        "18446744073709551616",
        "18446744073709551648",
        "-1",
        "+0",
        "0x0",
        "0 0",
        "",
    ] {
        let message = of(&[&format!("Content-Length: {number}")]);
        assert!(
            matches!(
                message.body_length(),
                BodyLength::Malformed | BodyLength::Short { .. }
            ),
            "{number}"
        );
        assert_eq!(owed(&message), Some(StatusCode::BAD_REQUEST), "{number}");
    }
    let huge = of(&["Content-Length: 4000000000"]);
    assert_eq!(
        huge.body_length(),
        BodyLength::Short {
            announced: 4_000_000_000,
            received: 0
        }
    );
    assert!(huge.body().is_empty());
    assert_eq!(
        owed(&of(&["Content-Length: 0", "l: 0"])),
        None,
        "two that agree are one"
    );
    assert_eq!(
        owed(&of(&["Content-Length: 0", "l: 5"])),
        Some(StatusCode::BAD_REQUEST)
    );
    assert_eq!(
        owed(&of(&["Content-Length: 5", "Content-Length: x"])),
        Some(StatusCode::BAD_REQUEST)
    );
}

#[test]
fn row_19_a_stream_holds_no_more_than_64_kib_whatever_it_announces() {
    for number in ["4294967328", "4000000000", "65537", "18446744073709551615"] {
        let mut framer = StreamFramer::new();
        framer.push(
            format!("OPTIONS sip:a@b SIP/2.0\r\nContent-Length: {number}\r\n\r\n").as_bytes(),
        );
        let error = framer.next_message().unwrap_err();
        assert!(
            matches!(error, FramingError::TooLong { .. }),
            "{number}: {error}"
        );
    }
    for lines in ["l: -1", "l: 0\r\nl: 4", "l: 18446744073709551616"] {
        let mut framer = StreamFramer::new();
        framer.push(format!("OPTIONS sip:a@b SIP/2.0\r\n{lines}\r\n\r\n").as_bytes());
        assert_eq!(
            framer.next_message(),
            Err(FramingError::MalformedLength),
            "{lines}"
        );
    }
    let mut endless = StreamFramer::new();
    let error = (0..100).find_map(|_| {
        endless.push(&[b'a'; 4096]);
        endless.next_message().err()
    });
    assert!(
        matches!(error, Some(FramingError::TooLong { length }) if length <= MAX_MESSAGE_BYTES + 4096)
    );
}
