//! The little of STUN (RFC 8489) that is read outside the ICE agent: whose a datagram is, and whether it is genuine.

use rtc::crypto::RTCCrypto;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::Message;

const HEADER_BYTES: usize = 20;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const USERNAME: u16 = 0x0006;
/// RFC 8445 §5.3: a fragment has at most 256 characters.
const UFRAG_BYTES_MAX: usize = 256;

/// Names the local ICE fragment that a STUN binding request is addressed to (RFC 8445 §7.2.2: `local:remote`).
///
/// `None` for anything that is not a binding request with a USERNAME. Nothing is authenticated by this: it tells which
/// peer to ask, and only [`Output::AddressProved`](crate::Output::AddressProved) tells whose the address is.
#[must_use]
pub fn stun_ufrag(datagram: &[u8]) -> Option<&str> {
    if kind(datagram) != Some(BINDING_REQUEST) {
        return None;
    }
    let username = std::str::from_utf8(attribute(datagram, USERNAME)?).ok()?;
    let (local, _remote) = username.split_once(':')?;
    (1..=UFRAG_BYTES_MAX)
        .contains(&local.len())
        .then_some(local)
}

/// Tells whether this is STUN rather than DTLS or media (RFC 7983 §7).
pub(crate) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|byte| *byte <= 3)
}

/// What a STUN datagram is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// A request by somebody who knows our password, that is, who has our answer: the address is the browser's.
    Genuine,
    /// A response; the agent matches it with its request and authenticates it by itself.
    Response,
    /// A forged request, or something that an agent has no use for.
    Refused,
}

/// Judges a STUN datagram before the ICE agent sees it.
///
/// The agent settles role conflicts before it checks MESSAGE-INTEGRITY, so a forged request could turn its role. And it
/// answers a nominating request only once its own check has succeeded, so its success responses come too late to prove
/// an address: the response to that check must find its way here first.
pub(crate) fn judge(datagram: &[u8], password: &str, crypto: &dyn RTCCrypto) -> Verdict {
    match kind(datagram) {
        Some(BINDING_REQUEST) if is_genuine(datagram, password, crypto) => Verdict::Genuine,
        Some(BINDING_SUCCESS) => Verdict::Response,
        _ => Verdict::Refused,
    }
}

fn is_genuine(datagram: &[u8], password: &str, crypto: &dyn RTCCrypto) -> bool {
    let mut message = Message::new();
    message.unmarshal_binary(datagram).is_ok()
        && MessageIntegrity::check(&mut message, password.as_bytes(), crypto).is_ok()
}

/// The message type, if the datagram has a STUN header.
fn kind(datagram: &[u8]) -> Option<[u8; 2]> {
    let (kind, rest) = datagram.split_first_chunk::<2>()?;
    let cookie = rest.get(2..6)?;
    (datagram.len() >= HEADER_BYTES && cookie == MAGIC_COOKIE).then_some(*kind)
}

fn attribute(datagram: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = datagram.get(HEADER_BYTES..)?;
    loop {
        let (kind, after) = rest.split_first_chunk::<2>()?;
        let (length, after) = after.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if u16::from_be_bytes(*kind) == wanted {
            return after.get(..length);
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(username: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0];
        bytes.extend(MAGIC_COOKIE);
        bytes.extend([7; 12]);
        bytes.extend([0x80, 0x22, 0, 3, b'a', b'b', b'c', 0]); // SOFTWARE, padded
        bytes.extend([0, 6]);
        bytes.extend(u16::try_from(username.len()).unwrap().to_be_bytes());
        bytes.extend(username);
        bytes
    }

    #[test]
    fn the_local_fragment_comes_first() {
        assert_eq!(stun_ufrag(&request(b"ours:theirs")), Some("ours"));
    }

    #[test]
    fn what_is_not_a_binding_request_names_nobody() {
        assert_eq!(stun_ufrag(b""), None);
        assert_eq!(stun_ufrag(&request(b"no colon")), None);
        assert_eq!(stun_ufrag(&request(b":theirs")), None);
        assert_eq!(stun_ufrag(&request(&[0xff, b':', b'x'])), None);
        let mut response = request(b"ours:theirs");
        response[0] = 1;
        assert_eq!(stun_ufrag(&response), None);
        let mut cut = request(b"ours:theirs");
        cut.truncate(34);
        assert_eq!(stun_ufrag(&cut), None);
    }
}
