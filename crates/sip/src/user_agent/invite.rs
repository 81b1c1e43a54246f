use bytes::Bytes;

use crate::digest::Credentials;
use crate::transaction::Peer;
use crate::{NameAddr, StatusCode, Uri};

/// A call to be made with [`UserAgent::invite`](super::UserAgent::invite).
#[derive(Clone, Debug)]
pub struct Invite {
    /// Where the INVITE is sent. Challenges are answered to this peer alone.
    pub to_peer: Peer,
    /// The request URI, such as `sip:+61491570006@sip.carrier.test;user=phone`.
    pub uri: Uri,
    /// The From header without its tag, such as `<sip:+61255500142@sip.carrier.test>`.
    pub from: NameAddr,
    /// The To header, such as `<sip:+61491570006@sip.carrier.test>`.
    pub to: NameAddr,
    /// Further headers by name and value, such as P-Asserted-Identity.
    pub headers: Vec<(String, String)>,
    /// The offer.
    pub body: Option<Body>,
    /// What a 401 or 407 of `to_peer` is answered with, for every request of the call.
    pub credentials: Option<Credentials>,
}

/// A response to be sent with [`UserAgent::respond`](super::UserAgent::respond).
#[derive(Clone, Debug)]
pub struct Reply {
    /// 101 to 699.
    pub status: StatusCode,
    /// The reason phrase; the standard one if none is given.
    pub reason: Option<String>,
    /// Further headers by name and value.
    pub headers: Vec<(String, String)>,
    /// An answer, or an offer where the INVITE had none.
    pub body: Option<Body>,
    /// Whether it is sent again until the caller confirms it; see [`Reply::reliable`].
    pub reliable: bool,
}

impl Reply {
    /// A response with the standard reason, no further headers and no body.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            reason: None,
            headers: Vec::new(),
            body: None,
            reliable: false,
        }
    }

    /// The same provisional response, sent again until its PRACK comes (RFC 3262). Sent like any other where the caller does not
    /// know of that; where the caller demands it, every response but 100 is.
    ///
    /// One at a time: the next one waits for the PRACK, and so does a 2xx if this one has a body. [`Event::Confirmed`](super::Event)
    /// tells that it came. Without one in 64*T1 the INVITE is refused with 500, and the call ends.
    #[must_use]
    pub fn reliable(mut self) -> Self {
        self.reliable = true;
        self
    }

    /// The same response with `reason` instead of the standard phrase.
    #[must_use]
    pub fn with_reason(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// The same response with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same response with a body.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }
}

/// The body of a message and what it is.
#[derive(Clone, Debug)]
pub struct Body {
    /// The value of Content-Type.
    pub content_type: String,
    /// The bytes, which this crate never looks into.
    pub bytes: Bytes,
}

impl Body {
    /// A session description.
    pub fn sdp(bytes: impl Into<Bytes>) -> Self {
        Self {
            content_type: "application/sdp".to_owned(),
            bytes: bytes.into(),
        }
    }
}
