use std::fmt;

use housecall_sip::Peer;

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
            text: hidden(&text),
        }
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
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        head.lines().skip(1).filter_map(move |line| {
            let (header, value) = line.split_once(':')?;
            header
                .trim()
                .eq_ignore_ascii_case(name)
                .then_some(value.trim())
        })
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
    fn a_response_has_a_status_and_no_method() {
        let trace = traced("SIP/2.0 486 Busy Here\r\n\r\n");
        assert_eq!((trace.status(), trace.method()), (Some(486), None));
    }
}
