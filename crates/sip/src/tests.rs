//! Conversations with the message layer as a whole.

mod builders;
mod digest;
mod fields;
mod framing;
mod incidents;
mod ipv6;
mod multipart;
mod property;
mod torture;
mod trouble;
mod verdicts;

use bytes::Bytes;

use crate::message::Message;

/// Writes a message with the line ends of the wire, from lines that are easy to read here.
pub(crate) fn wire(lines: &str) -> Bytes {
    let lines = lines.trim_start().lines().map(str::trim_start);
    Bytes::from(lines.map(|line| format!("{line}\r\n")).collect::<String>())
}

/// An ordinary INVITE, its first line and some header lines replaced or added by name.
pub(crate) fn invite(changes: &[(&str, &str)]) -> Message {
    let mut lines = vec![
        (
            "",
            "INVITE sip:+61491570006@sip.carrier.test SIP/2.0".to_owned(),
        ),
        (
            "Via",
            "Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKa1;rport".to_owned(),
        ),
        (
            "From",
            "From: <sip:+61255500142@sip.carrier.test>;tag=us".to_owned(),
        ),
        ("To", "To: <sip:+61491570006@sip.carrier.test>".to_owned()),
        ("Call-ID", "Call-ID: c1@127.0.0.1".to_owned()),
        ("CSeq", "CSeq: 1 INVITE".to_owned()),
        ("Contact", "Contact: <sip:127.0.0.1:5062>".to_owned()),
        ("Content-Length", "Content-Length: 0".to_owned()),
    ];
    for (name, line) in changes {
        lines.retain(|(known, _)| known != name);
        let at = if name.is_empty() { 0 } else { lines.len() };
        lines.insert(at, (name, (*line).to_owned()));
    }
    let lines: Vec<String> = lines
        .into_iter()
        .map(|(_, line)| line)
        .filter(|line| !line.is_empty())
        .collect();
    Message::parse(Bytes::from(lines.join("\r\n") + "\r\n\r\n")).unwrap()
}
