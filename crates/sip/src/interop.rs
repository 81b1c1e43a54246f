//! Messages and URIs to and from the types of the crate `rsip` 0.4, with the feature `rsip`.
//!
//! `rsip` reads less than we do: no compact names, no folded lines, no blank before a colon, no IPv6 address, no `tel:`. A message
//! is therefore handed over with usual names and one line for each header, and what `rsip` reads otherwise than it is written
//! is an error, never a silent change.

use bytes::Bytes;

use crate::header::Name;
use crate::message::{Message, ParseError};
use crate::uri::{Uri, UriError};

/// Why a message or URI cannot change its type.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InteropError {
    /// `rsip` cannot read it; its own words.
    #[error("rsip: {0}")]
    Rsip(String),
    /// `rsip` reads it, but as something else than it says.
    #[error("rsip reads another {what}")]
    Altered {
        /// What it reads otherwise.
        what: &'static str,
    },
    /// What `rsip` wrote is no message.
    #[error(transparent)]
    Message(#[from] ParseError),
    /// What `rsip` wrote is no URI.
    #[error(transparent)]
    Uri(#[from] UriError),
}

impl TryFrom<&Message> for rsip::SipMessage {
    type Error = InteropError;

    fn try_from(message: &Message) -> Result<Self, InteropError> {
        let read = rsip::SipMessage::try_from(plainly_written(message));
        let read = read.map_err(|error| InteropError::Rsip(error.to_string()))?;
        let is_same_target = match (&read, message.request_uri()) {
            (rsip::SipMessage::Request(request), Some(target)) => {
                is_same(&request.uri.to_string(), target)
            }
            (rsip::SipMessage::Response(_), None) => true,
            _ => false,
        };
        if !is_same_target {
            return Err(InteropError::Altered {
                what: "Request-URI",
            });
        }
        Ok(read)
    }
}

impl TryFrom<&rsip::SipMessage> for Message {
    type Error = InteropError;

    /// The reason phrase is the one `rsip` keeps: `486 BusyHere`.
    fn try_from(message: &rsip::SipMessage) -> Result<Message, InteropError> {
        // Printed whole, a body that is no UTF-8 would be changed.
        let mut head = message.clone();
        let body = std::mem::take(head.body_mut());
        let mut wire = head.to_string().into_bytes();
        wire.extend_from_slice(&body);
        Ok(Message::parse(Bytes::from(wire))?)
    }
}

impl<T: AsRef<str>> TryFrom<&Uri<T>> for rsip::Uri {
    type Error = InteropError;

    fn try_from(uri: &Uri<T>) -> Result<Self, InteropError> {
        let read = rsip::Uri::try_from(uri.as_str());
        let read = read.map_err(|error| InteropError::Rsip(error.to_string()))?;
        // `sip:john.doe@h` becomes a host of that name, without an error.
        let altered = |what| Err(InteropError::Altered { what });
        match () {
            () if read.user() != uri.user() => altered("user"),
            () if read.host().to_string() != uri.host() => altered("host"),
            () if !is_same(&read.to_string(), uri.as_str()) => altered("URI"),
            () => Ok(read),
        }
    }
}

impl TryFrom<&rsip::Uri> for Uri {
    type Error = InteropError;

    fn try_from(uri: &rsip::Uri) -> Result<Uri, InteropError> {
        Ok(Uri::parse(&uri.to_string())?)
    }
}

// `rsip` writes transports in upper case, which changes nothing (RFC 3261 §19.1.4).
fn is_same(theirs: &str, ours: &str) -> bool {
    theirs.eq_ignore_ascii_case(ours)
}

fn plainly_written(message: &Message) -> Vec<u8> {
    let start = match (message.method(), message.status()) {
        (Some(method), _) => {
            let target = message.request_uri().unwrap_or_default();
            format!("{method} {target} {}\r\n", message.version())
        }
        (None, status) => {
            let status = status.map_or(0, |status| status.code());
            let reason = message.reason().unwrap_or_default();
            format!("{} {status} {reason}\r\n", message.version())
        }
    };
    let mut wire = start.into_bytes();
    for (name, value) in message.fields() {
        let line = format!("{}: {value}\r\n", Name::from_text(name));
        wire.extend_from_slice(line.as_bytes());
    }
    wire.extend_from_slice(b"\r\n");
    wire.extend_from_slice(message.body());
    wire
}

#[cfg(test)]
mod tests {
    use rsip::headers::ToTypedHeader;
    use rsip::prelude::{HeadersExt, UntypedHeader};

    use super::*;

    const INVITE: &[u8] = b"INVITE sip:+61491570006@sip.carrier.test:5070;user=phone SIP/2.0\r\n\
        v: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa1;rport\r\nf: \"Clinic\" <sip:+61255500142@sip.carrier.test>;tag=us\r\n\
        To: <sip:+61491570006@sip.carrier.test>\r\ni: c1@192.0.2.1\r\nCSeq: 20714\r\n INVITE\r\n\
        Contact: <sip:192.0.2.1:5062>\r\nContent-Length: 4\r\n\r\n\xff\x00ab";

    #[test]
    fn both_read_the_same_message_and_hand_it_back() {
        let ours = Message::parse(Bytes::from_static(INVITE)).unwrap();
        let theirs = rsip::SipMessage::try_from(&ours).unwrap();
        let rsip::SipMessage::Request(request) = &theirs else {
            panic!("{theirs:?}");
        };
        let via = request.via_header().unwrap().typed().unwrap();
        assert_eq!(
            via.branch().map(|branch| branch.value()),
            ours.via().unwrap().branch()
        );
        let from = request.from_header().unwrap().typed().unwrap();
        assert_eq!(from.uri.user(), ours.from().unwrap().uri.user());
        let cseq = request.cseq_header().unwrap().typed().unwrap();
        assert_eq!(cseq.seq, ours.cseq().unwrap().number);
        assert_eq!(
            request.call_id_header().unwrap().value(),
            ours.call_id().unwrap()
        );
        let back = Message::try_from(&theirs).unwrap();
        assert_eq!(back.body(), ours.body());
        assert_eq!(back.cseq(), ours.cseq());
        let target = back.request_uri().unwrap();
        assert!(is_same(target, ours.request_uri().unwrap()), "{target}");
    }

    #[test]
    fn a_uri_that_would_change_is_refused() {
        for text in [
            "sip:+61491570006@sip.carrier.test:5070;transport=tcp",
            "sips:h.test",
        ] {
            let uri = Uri::parse(text).unwrap();
            let theirs = rsip::Uri::try_from(&uri).unwrap();
            let back = Uri::try_from(&theirs).unwrap();
            assert!(is_same(back.as_str(), uri.as_str()), "{back}");
        }
        for text in [
            "sip:john.doe@h.test",
            "sip:a@[2001:db8::1]",
            "tel:+61491570006",
        ] {
            assert!(
                rsip::Uri::try_from(&Uri::parse(text).unwrap()).is_err(),
                "{text}"
            );
        }
    }
}
