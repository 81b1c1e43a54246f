//! Answers, without keeping anything, to requests that belong to no call of ours.

use bytes::Bytes;
use housecall_sip::header::Name;
use housecall_sip::{Message, Method, Peer, ResponseBuilder, StatusCode, Transport, validate};

/// What we can be asked; an engine only makes calls.
const ALLOW: &str = "ACK, BYE, CANCEL, INVITE, OPTIONS, UPDATE";
/// No dialog comes of these answers, so one tag serves all (RFC 3261 §8.2.6.2 asks for a tag, not for a secret).
const TAG: &str = "stray";

/// Returns the answer owed and where it goes, if any: an ACK and a response get none.
///
/// OPTIONS is answered as a trunk's health check expects (RFC 3261 §11.2). INVITE is declined: this engine takes no calls. What
/// claims a dialog gets 481 (§12.2.2), the rest 405 (§8.2.1); what is malformed gets 400, or the status it is owed.
pub(crate) fn answer(from: Peer, request: &Message) -> Option<(Peer, Bytes)> {
    let builder = match validate(request) {
        Ok(()) => sound(request)?,
        Err(fault) => fault.response(request)?,
    };
    let answer = builder.source(from.addr).to_tag(TAG).build();
    Some((way_back(from, request)?, answer.bytes().clone()))
}

fn sound(request: &Message) -> Option<ResponseBuilder> {
    let status = match request.method()? {
        Method::Ack => return None,
        Method::Options => 200,
        Method::Invite => 603,
        Method::Bye | Method::Cancel | Method::Update | Method::Prack | Method::Info => 481,
        _ => 405,
    };
    let builder =
        ResponseBuilder::new(request, StatusCode::new(status)?).header(Name::Allow, ALLOW);
    Some(match request.method()? {
        Method::Options => builder
            .header(Name::Accept, "application/sdp")
            .header(Name::Supported, ""),
        _ => builder,
    })
}

/// Back through the connection; a datagram to where the topmost Via says, which is where it came from if that asks for `rport`
/// (RFC 3261 §18.2.2, RFC 3581 §4). Never to another host than it came from. `None` without a Via: nobody could match the answer.
fn way_back(from: Peer, request: &Message) -> Option<Peer> {
    let mut via = request.via().ok()?.into_owned();
    via.stamp(from.addr);
    let port = via.response_addr().map_or(from.addr.port(), |to| to.port());
    let mut to = from;
    if from.transport == Transport::Udp {
        to.addr.set_port(port);
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn from() -> Peer {
        Peer::udp(SocketAddr::from(([127, 0, 0, 1], 9)))
    }

    fn request(method: &str, via: &str) -> Message {
        let request = format!(
            "{method} sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bKa\r\n\
             From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        Message::parse(Bytes::from(request)).unwrap()
    }

    fn answered(method: &str) -> Option<Message> {
        let (_, bytes) = answer(from(), &request(method, "UDP 127.0.0.1:9;rport"))?;
        Some(Message::parse(bytes).unwrap())
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
            assert_eq!(answer.header(Name::Allow), Some(ALLOW));
        }
        assert!(answered("ACK").is_none());
    }

    /// RFC 3261 §11.2: as a response to INVITE would, it says what we read and which extensions we know.
    #[test]
    fn options_says_what_we_can() {
        let answer = answered("OPTIONS").unwrap();
        assert_eq!(answer.header(Name::Accept), Some("application/sdp"));
        assert!(answer.header(Name::Supported).is_some());
    }

    #[test]
    fn what_is_malformed_is_told_so() {
        let mut request = request("OPTIONS", "UDP 127.0.0.1:9;rport").bytes().to_vec();
        let cseq = request
            .windows(15)
            .position(|at| at == b"CSeq: 1 OPTIONS")
            .unwrap();
        request[cseq + 6] = b'x';
        let request = Message::parse(Bytes::from(request)).unwrap();
        let (_, bytes) = answer(from(), &request).unwrap();
        let answer = Message::parse(bytes).unwrap();
        assert_eq!(answer.status(), StatusCode::new(400));
    }

    /// RFC 3581 §4: with rport to the port it came from; RFC 3261 §18.2.2: without, to the Via's port, at the source's address.
    #[test]
    fn the_answer_goes_to_the_source_whatever_the_via_claims() {
        for (via, port) in [
            ("UDP 203.0.113.7:5070;rport", 9),
            ("UDP 203.0.113.7:5070", 5070),
            ("UDP pbx.example.com", 5060),
            ("UDP 203.0.113.7;received=203.0.113.8;rport=1", 9),
        ] {
            let (to, _) = answer(from(), &request("OPTIONS", via)).unwrap();
            assert_eq!(
                to,
                Peer::udp(SocketAddr::from(([127, 0, 0, 1], port))),
                "{via}"
            );
        }
    }

    #[test]
    fn a_stream_is_answered_on_itself() {
        let from = Peer::tcp(from().addr);
        let (to, _) = answer(from, &request("OPTIONS", "TCP 203.0.113.7:5070")).unwrap();
        assert_eq!(to, from);
    }
}
