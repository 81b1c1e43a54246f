//! Answers, without keeping anything, to requests that belong to no call of ours.

use bytes::Bytes;
use housecall_sip::header::Name;
use housecall_sip::{Message, Method, Peer, ResponseBuilder, StatusCode};

/// What we can be asked; an engine only makes calls.
const ALLOW: &str = "ACK, BYE, CANCEL, INVITE, OPTIONS, UPDATE";
/// No dialog comes of these answers, so one tag serves all (RFC 3261 §8.2.6.2 asks for a tag, not for a secret).
const TAG: &str = "stray";

/// Returns the answer owed, if any: an ACK and a response get none.
///
/// OPTIONS is answered as a trunk's health check expects (RFC 3261 §11.2). INVITE is declined: this engine takes no calls. What
/// claims a dialog gets 481 (§12.2.2), the rest 405 (§8.2.1).
pub(crate) fn answer(from: Peer, request: &Message) -> Option<Bytes> {
    let status = match request.method()? {
        Method::Ack => return None,
        Method::Options => 200,
        Method::Invite => 603,
        Method::Bye | Method::Cancel | Method::Update | Method::Prack | Method::Info => 481,
        _ => 405,
    };
    let status = StatusCode::new(status)?;
    let answer = ResponseBuilder::new(request, status)
        .source(from.addr)
        .to_tag(TAG)
        .header(Name::Allow, ALLOW)
        .build();
    Some(answer.bytes().clone())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use housecall_sip::Transport;

    use super::*;

    fn answered(method: &str) -> Option<Message> {
        let request = format!(
            "{method} sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKa;rport\r\n\
             From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let request = Message::parse(Bytes::from(request)).unwrap();
        let from = Peer {
            transport: Transport::Udp,
            addr: SocketAddr::from(([127, 0, 0, 1], 9)),
        };
        answer(from, &request).map(|bytes| Message::parse(bytes).unwrap())
    }

    #[test]
    fn each_stray_request_gets_the_status_it_is_owed() {
        for (method, status) in [
            ("OPTIONS", 200),
            ("INVITE", 603),
            ("BYE", 481),
            ("REGISTER", 405),
            ("NOVEL", 405),
        ] {
            let answer = answered(method).unwrap();
            assert_eq!(answer.status(), StatusCode::new(status), "{method}");
            assert!(answer.to().unwrap().tag().is_some());
        }
        assert!(answered("ACK").is_none());
    }
}
