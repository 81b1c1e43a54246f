use std::net::SocketAddr;

/// Methods that scanners try, and one that nobody knows.
const METHODS: [&str; 9] = [
    "OPTIONS",
    "INVITE",
    "REGISTER",
    "MESSAGE",
    "SUBSCRIBE",
    "BYE",
    "CANCEL",
    "ACK",
    "NOVEL",
];

/// One message in so many is broken.
const BROKEN_ONE_IN: usize = 5;

/// The `n`th datagram of a flood from `from`: what strangers send to every SIP port of the world.
///
/// Four in five are a scanner's requests, of every method, each of a call of its own. The fifth is what a fuzzer makes of one: a response
/// to nothing, a Content-Length of 4 GB, a header of 8 KB, a cut, noise, or line ends. At most 9 KB.
pub fn stranger(n: usize, from: SocketAddr) -> Vec<u8> {
    let method = METHODS.get(n % METHODS.len()).unwrap_or(&"OPTIONS");
    let request = request(n, method, from);
    if n.is_multiple_of(BROKEN_ONE_IN) {
        broken(n / BROKEN_ONE_IN, method, request)
    } else {
        request.into_bytes()
    }
}

fn request(n: usize, method: &str, from: SocketAddr) -> String {
    format!(
        "{method} sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{n};rport\r\n\
         From: \"sipvicious\" <sip:100@1.1.1.1>;tag={n}\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: {n}@stranger\r\n\
         CSeq: 1 {method}\r\nContact: <sip:100@{from}>\r\nUser-Agent: friendly-scanner\r\nMax-Forwards: 70\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn broken(n: usize, method: &str, mut request: String) -> Vec<u8> {
    let request = match n % 6 {
        0 => request.replace("Content-Length: 0", "Content-Length: 4294967328"),
        1 => {
            let line = format!("{method} sip:100@127.0.0.1 SIP/2.0");
            request.replacen(&line, "SIP/2.0 200 OK", 1)
        }
        2 => request.replace("Max-Forwards: 70", &"X-Long: ".repeat(1_000)),
        3 => {
            request.truncate(n % 300);
            request
        }
        4 => "\0\u{7f}".repeat(200),
        _ => "\r\n\r\n".to_owned(),
    };
    request.into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use housecall_sip::{Message, validate};

    use super::*;

    #[test]
    fn four_in_five_are_requests_that_an_open_port_would_have_to_answer() {
        let from = SocketAddr::from(([203, 0, 113, 66], 5060));
        let flood = (0..9_000).map(|n| stranger(n, from));
        let read = flood.filter_map(|bytes| {
            assert!(bytes.len() <= 9_000, "{}", bytes.len());
            let message = Message::parse(bytes.into()).ok()?;
            (message.is_request() && validate(&message).is_ok()).then_some(message)
        });
        let read: Vec<Message> = read.collect();
        assert!((7_200..8_000).contains(&read.len()), "{}", read.len());
        let methods: BTreeSet<_> = read.iter().filter_map(Message::method).collect();
        assert_eq!(methods.len(), METHODS.len());
        let calls: BTreeSet<_> = read
            .iter()
            .map(|message| message.call_id().unwrap())
            .collect();
        assert_eq!(calls.len(), read.len());
    }
}
