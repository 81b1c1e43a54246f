use std::fmt;

use housecall_sip::digest::{Algorithm, Authorization, Challenge};
use housecall_sip::{Name, Peer};

/// Whether a message came or went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// From us.
    Sent,
    /// To us.
    Received,
}

/// One SIP message of a call, as it was on the wire but for its secrets: credentials and media keys are replaced by `(hidden)`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Traced {
    /// Whether it came or went.
    pub way: Way,
    /// From whom, or to whom.
    pub peer: Peer,
    /// The message. Bytes that are no UTF-8 are replaced.
    pub text: String,
    /// What it proves who we are with, as far as anybody may see.
    pub proofs: Vec<Proof>,
}

/// All of an answer to a challenge but its secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// The user name.
    pub username: String,
    /// The realm that it is for.
    pub realm: String,
    /// What was hashed, and how.
    pub algorithm: Algorithm,
}

/// Lines of which nobody may see the rest, in lower case.
const SECRET: [&str; 5] = [
    "authorization:",
    "proxy-authorization:",
    "authentication-info:",
    "proxy-authentication-info:",
    "a=crypto:",
];

impl Traced {
    pub(super) fn new(way: Way, peer: Peer, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self {
            way,
            peer,
            proofs: proofs(&text),
            text: hidden(&text),
        }
    }

    /// The digest challenges of a 401 or 407, in their order.
    pub fn challenges(&self) -> Vec<Challenge> {
        let asked = [Name::WwwAuthenticate, Name::ProxyAuthenticate];
        let values = asked.iter().flat_map(|name| self.headers(name.as_str()));
        values.flat_map(Challenge::parse_all).collect()
    }

    /// The request or status line.
    pub fn start_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The first value of a header by its full name, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// Every value of a header by its full name, ignoring case, from the top.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        headers(&self.text, name)
    }

    /// The status, if it is a response.
    pub fn status(&self) -> Option<u16> {
        let rest = self.start_line().strip_prefix("SIP/2.0 ")?;
        rest.get(..3)?.parse().ok()
    }

    /// The method, if it is a request.
    pub fn method(&self) -> Option<&str> {
        let (method, _) = self.start_line().split_once(' ')?;
        (method != "SIP/2.0").then_some(method)
    }

    /// What follows the empty line.
    pub fn body(&self) -> &str {
        self.text
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
    }
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = match self.way {
            Way::Sent => "→",
            Way::Received => "←",
        };
        write!(f, "{arrow} {}", self.start_line())
    }
}

fn headers<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().skip(1).filter_map(move |line| {
        let (header, value) = line.split_once(':')?;
        header
            .trim()
            .eq_ignore_ascii_case(name)
            .then_some(value.trim())
    })
}

fn proofs(text: &str) -> Vec<Proof> {
    let answers = [Name::Authorization, Name::ProxyAuthorization];
    let values = answers.iter().flat_map(|name| headers(text, name.as_str()));
    let read = values.filter_map(|value| Authorization::parse(value).ok());
    let proof = read.map(|answer| Proof {
        username: answer.username,
        realm: answer.realm,
        algorithm: answer.algorithm.unwrap_or(Algorithm::Md5),
    });
    proof.collect()
}

/// The text with the secrets cut out, folded lines of them as well.
fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut hiding = false;
    for line in text.split_inclusive('\n') {
        let is_folded = line.starts_with([' ', '\t']);
        if is_folded && hiding {
            continue;
        }
        hiding = false;
        match secret_of(line) {
            Some(name) => {
                hiding = true;
                shown.push_str(name);
                shown.push_str(" (hidden)\r\n");
            }
            None => shown.push_str(line),
        }
    }
    shown
}

/// The name of a line that holds a secret, with its colon.
fn secret_of(line: &str) -> Option<&str> {
    let colon = line.find(':')?;
    let (name, _) = line.split_at(colon + 1);
    let plain: String = name.split_whitespace().collect();
    SECRET
        .contains(&plain.to_ascii_lowercase().as_str())
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traced(text: &str) -> Traced {
        let peer = Peer::udp(([127, 0, 0, 1], 5060).into());
        Traced::new(Way::Sent, peer, text.as_bytes())
    }

    #[test]
    fn secrets_are_hidden_and_the_rest_is_as_it_was() {
        let trace = traced(
            "INVITE sip:a@b SIP/2.0\r\nProxy-Authorization : Digest username=\"u\",\r\n response=\"r\"\r\n\
             To: <sip:a@b>\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\na=sendrecv\r\n",
        );
        assert_eq!(
            trace.text,
            "INVITE sip:a@b SIP/2.0\r\nProxy-Authorization : (hidden)\r\nTo: <sip:a@b>\r\n\r\nv=0\r\na=crypto: (hidden)\r\na=sendrecv\r\n"
        );
        assert_eq!(trace.to_string(), "→ INVITE sip:a@b SIP/2.0");
        assert_eq!(trace.method(), Some("INVITE"));
        assert_eq!(trace.header("to"), Some("<sip:a@b>"));
        assert_eq!(trace.body(), "v=0\r\na=crypto: (hidden)\r\na=sendrecv\r\n");
    }

    #[test]
    fn what_was_asked_and_answered_can_be_told_without_the_secret() {
        let challenge = traced(
            "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"carrier.test\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\n\
             www-authenticate: Digest realm=\"carrier.test\", nonce=\"n\"\r\n\r\n",
        );
        let asked: Vec<_> = challenge
            .challenges()
            .iter()
            .map(|challenge| (challenge.realm.clone(), challenge.algorithm))
            .collect();
        let of = |algorithm| ("carrier.test".to_owned(), Some(algorithm));
        assert_eq!(asked, [of(Algorithm::Sha256), of(Algorithm::Md5)]);
        let answer = traced(
            "REGISTER sip:carrier.test SIP/2.0\r\nAuthorization: Digest username=\"clinic\", realm=\"carrier.test\", nonce=\"n\",\
             uri=\"sip:carrier.test\", response=\"5ec4e7\", algorithm=SHA-256\r\n\r\n",
        );
        let proof = Proof {
            username: "clinic".to_owned(),
            realm: "carrier.test".to_owned(),
            algorithm: Algorithm::Sha256,
        };
        assert_eq!(answer.proofs, [proof]);
        assert!(!format!("{answer:?}").contains("5ec4e7"));
    }

    #[test]
    fn a_response_has_a_status_and_no_method() {
        let trace = traced("SIP/2.0 486 Busy Here\r\n\r\n");
        assert_eq!((trace.status(), trace.method()), (Some(486), None));
    }
}
