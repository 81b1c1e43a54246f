//! The session description in a body of several parts (RFC 2046 §5.1, RFC 5621 §3).

use bytes::Bytes;

use crate::message::Message;

fn carried(content_type: &str, body: &str) -> Option<String> {
    let body = body.replace('\n', "\r\n");
    let head = format!(
        "INVITE sip:a@b SIP/2.0\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let message = Message::parse(Bytes::from(head + &body)).unwrap();
    let found = message.sdp_body()?;
    Some(String::from_utf8(found.to_vec()).unwrap())
}

#[test]
fn a_body_that_is_one() {
    assert_eq!(
        carried("Application/SDP; charset=utf-8", "v=0\n").as_deref(),
        Some("v=0\r\n")
    );
    assert_eq!(carried("application/isup", "v=0\n"), None);
    assert_eq!(carried("sdp", "v=0\n"), None);
}

#[test]
fn the_telephone_network_adds_its_own() {
    let body = "a preamble\n--unique-1\nContent-Type : application/SDP;\n  charset=utf-8\nContent-Disposition: session\n\n\
                v=0\ns=-\n--unique-1\nContent-Type: application/isup;version=nxv3\n\n\u{1}\u{2}\n--unique-1--\nan epilogue";
    let found = carried("multipart/mixed;boundary=unique-1", body);
    assert_eq!(found.as_deref(), Some("v=0\r\ns=-"));
    let quoted = carried("Multipart/Mixed; boundary=\"unique-1\"", body);
    assert_eq!(quoted, found);
}

#[test]
fn of_alternatives_the_last_is_best_and_of_others_the_first() {
    let body = "--b\nContent-Type: application/sdp\n\none\n--b\nc: application/sdp\n\ntwo\n--b--\n";
    assert_eq!(
        carried("multipart/alternative;boundary=b", body).as_deref(),
        Some("two")
    );
    assert_eq!(
        carried("multipart/mixed;boundary=b", body).as_deref(),
        Some("one")
    );
}

#[test]
fn parts_inside_parts_two_deep_and_no_deeper() {
    let inner = "--in\nContent-Type: application/sdp\n\nv=0\n--in--\n";
    let middle = format!("--b\nContent-Type: multipart/mixed;boundary=in\n\n{inner}--b--\n");
    assert_eq!(
        carried("multipart/mixed;boundary=b", &middle).as_deref(),
        Some("v=0")
    );
    let outer = format!("--o\nContent-Type: multipart/mixed;boundary=b\n\n{middle}--o--\n");
    assert_eq!(carried("multipart/mixed;boundary=o", &outer), None);
}

#[test]
fn other_sessions_and_codings_are_passed_over() {
    // RFC 3959: a description of an early session beside that of the session itself.
    let body = "--b\nContent-Type: application/sdp\nContent-Disposition: early-session;handling=optional\n\nearly\n\
                --b\nContent-Type: application/sdp\nContent-Transfer-Encoding: base64\n\ndj0w\n\
                --b\nContent-Type: application/sdp\nContent-Transfer-Encoding: Binary\n\nv=0\n--b--\n";
    assert_eq!(
        carried("multipart/mixed;boundary=b", body).as_deref(),
        Some("v=0")
    );
}

// CVE-2022-21723: a parser of parts that read past the end of the body.
#[test]
fn row_17_bodies_cut_anywhere_and_boundaries_of_any_length_are_survived() {
    let body = "--b\nContent-Type: application/sdp\n\nv=0\n--b\n--b--\n";
    for end in 0..=body.len() {
        let found = carried("multipart/mixed;boundary=b", &body[..end]);
        assert!(
            found.is_none_or(|found| found.len() <= body.len() + 8),
            "{end}"
        );
    }
    assert_eq!(
        carried(
            "multipart/mixed;boundary=b",
            "--b\nContent-Type: application/sdp\n\nv=0"
        )
        .as_deref(),
        Some("v=0")
    );
    assert_eq!(
        carried(
            "multipart/mixed;boundary=b",
            "--bb\nContent-Type: application/sdp\n\nv=0"
        ),
        None
    );
    for boundary in ["", "\"\"", &"x".repeat(71)] {
        let body = format!("--{boundary}\nContent-Type: application/sdp\n\nv=0\n");
        assert_eq!(
            carried(&format!("multipart/mixed;boundary={boundary}"), &body),
            None
        );
    }
    assert_eq!(carried("multipart/mixed", body), None);
}

#[test]
fn row_17_a_thousand_parts_are_not_looked_at() {
    let mut body = "--b\nContent-Type: text/plain\n\nx\n".repeat(1000);
    body += "--b\nContent-Type: application/sdp\n\nv=0\n--b--\n";
    assert_eq!(carried("multipart/mixed;boundary=b", &body), None);
}
