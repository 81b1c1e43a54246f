//! One TCP connection, cut anywhere.

use super::invite;
use crate::framing::{FramingError, StreamFramer};
use crate::message::{MAX_MESSAGE_BYTES, Message, ParseError};

fn with_body(body: &str) -> Vec<u8> {
    let head = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n";
    format!("{head}l: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn drain(framer: &mut StreamFramer) -> Vec<Message> {
    std::iter::from_fn(|| framer.next_message().unwrap()).collect()
}

#[test]
fn messages_come_out_however_the_stream_is_cut() {
    let mut stream = with_body("one");
    stream.extend_from_slice(b"\r\n\r\n");
    stream.extend_from_slice(invite(&[]).bytes());
    stream.extend_from_slice(&with_body("three\r\n\r\n"));
    for piece in [1, 2, 3, 7, 64, stream.len()] {
        let mut framer = StreamFramer::new();
        let mut found = Vec::new();
        for bytes in stream.chunks(piece) {
            framer.push(bytes);
            found.extend(drain(&mut framer));
        }
        let bodies: Vec<_> = found.iter().map(|message| message.body()).collect();
        assert_eq!(
            bodies,
            [&b"one"[..], b"", b"three\r\n\r\n"],
            "pieces of {piece}"
        );
    }
}

#[test]
fn a_keep_alive_is_no_message() {
    let mut framer = StreamFramer::new();
    for _ in 0..100_000 {
        framer.push(b"\r\n\r\n");
        assert_eq!(framer.next_message(), Ok(None));
    }
}

#[test]
fn broken_streams_stay_broken() {
    let cases: [(&[u8], FramingError); 4] = [
        (b"OPTIONS sip:a SIP/2.0\r\n\r\n", FramingError::NoLength),
        (
            b"OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n",
            FramingError::MalformedLength,
        ),
        (b"hello\r\n\r\n", FramingError::Parse(ParseError::NotSip)),
        (
            b"OPTIONS sip:a SIP/2.0\r\nl: 4294967328\r\n\r\n",
            FramingError::TooLong {
                length: 4_294_967_368,
            },
        ),
    ];
    for (bytes, error) in cases {
        let mut framer = StreamFramer::new();
        framer.push(bytes);
        assert_eq!(framer.next_message(), Err(error));
        framer.push(&with_body(""));
        assert_eq!(framer.next_message(), Err(error));
    }
}

#[test]
fn a_head_without_end_is_given_up() {
    let mut framer = StreamFramer::new();
    let line = format!("X: {}\r\n", "y".repeat(1000));
    framer.push(b"OPTIONS sip:a SIP/2.0\r\n");
    let refused = (0..100).find_map(|_| {
        framer.push(line.as_bytes());
        framer.next_message().err()
    });
    let Some(FramingError::TooLong { length }) = refused else {
        panic!("{refused:?}");
    };
    assert!(length > MAX_MESSAGE_BYTES && length < MAX_MESSAGE_BYTES + 2000);
}

#[test]
fn pushing_without_taking_out_is_bounded() {
    let mut framer = StreamFramer::new();
    let message = with_body("x");
    for _ in 0..MAX_MESSAGE_BYTES {
        framer.push(&message);
    }
    assert!(matches!(
        framer.next_message(),
        Err(FramingError::TooLong { .. })
    ));
}

/// RFC 5626 §4.4.1: whoever reads the stream learns of pings, wherever they are cut.
#[test]
fn line_ends_between_messages_are_counted_once() {
    let mut framer = StreamFramer::new();
    framer.push(b"\r\n\r");
    assert!(framer.next_message().unwrap().is_none());
    assert_eq!((framer.take_line_ends(), framer.held()), (3, 0));
    framer.push(b"\nOPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n\r\n\r\nOPT");
    assert!(framer.next_message().unwrap().is_some());
    assert!(framer.next_message().unwrap().is_none());
    assert_eq!((framer.take_line_ends(), framer.held()), (5, 3));
    assert_eq!(framer.take_line_ends(), 0);
}
