//! What a faulty message is owed. Parsing frames; this judges, so that what is refused can be answered.

use std::borrow::Cow;

use crate::builder::ResponseBuilder;
use crate::header::{HeaderError, Name};
use crate::message::{BodyLength, Message};
use crate::method::Method;
use crate::status::StatusCode;
use crate::text;
use crate::uri::Scheme;

/// What is to be done with a message that cannot be acted on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A request that is owed this answer.
    #[error("owed {status}: {why}")]
    Answer {
        /// The status owed.
        status: StatusCode,
        /// What is wrong, for a log.
        why: Cow<'static, str>,
        /// The header that tells the sender what would be right.
        header: Option<(Name<'static>, String)>,
    },
    /// A response or an ACK: neither can be answered, so it is dropped.
    #[error("to be dropped: {why}")]
    Drop {
        /// What is wrong, for a log.
        why: Cow<'static, str>,
    },
}

impl Fault {
    /// Returns the status owed; `None` where the message is dropped.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Fault::Answer { status, .. } => Some(*status),
            Fault::Drop { .. } => None,
        }
    }

    /// Begins the answer owed to `request`; `None` where it is dropped.
    pub fn response(&self, request: &Message) -> Option<ResponseBuilder> {
        let Fault::Answer { status, header, .. } = self else {
            return None;
        };
        let builder = ResponseBuilder::new(request, *status);
        Some(match header {
            Some((name, value)) => builder.header(*name, value),
            None => builder,
        })
    }

    fn bad_request(why: impl Into<Cow<'static, str>>) -> Fault {
        Fault::owed(StatusCode::BAD_REQUEST, why)
    }

    fn owed(status: StatusCode, why: impl Into<Cow<'static, str>>) -> Fault {
        Fault::Answer {
            status,
            why: why.into(),
            header: None,
        }
    }

    fn with(self, name: Name<'static>, value: String) -> Fault {
        match self {
            Fault::Answer { status, why, .. } => Fault::Answer {
                status,
                why,
                header: Some((name, value)),
            },
            dropped => dropped,
        }
    }

    // RFC 3261 §17.1.1.3: an ACK is never answered.
    fn for_message(self, message: &Message) -> Fault {
        match (self, message.method()) {
            (Fault::Answer { why, .. }, None | Some(Method::Ack)) => Fault::Drop { why },
            (fault, _) => fault,
        }
    }
}

impl From<HeaderError> for Fault {
    fn from(error: HeaderError) -> Fault {
        Fault::bad_request(error.to_string())
    }
}

/// Says whether a message follows the grammar of RFC 3261 and carries what every message must.
///
/// What only the receiver knows (methods, extensions, body types) is [`Abilities::check`]; what only a dialog knows (481, 482)
/// is checked there. Messages of RFC 2543 pass: From without tag, Via without branch, no Max-Forwards (RFC 4475 §3.4).
///
/// # Errors
/// The answer owed to a request: 505, 400 or 416; for a response or an ACK that it be dropped.
pub fn validate(message: &Message) -> Result<(), Fault> {
    let checked = match message.is_request() {
        true => request(message),
        false => every_message(message),
    };
    checked.map_err(|fault| fault.for_message(message))
}

fn request(message: &Message) -> Result<(), Fault> {
    every_message(message)?;
    let cseq = message.cseq()?;
    if message.method() != Some(&cseq.method) {
        return Err(Fault::bad_request("CSeq names another method"));
    }
    target(message)?;
    message.max_forwards()?;
    message.content_type()?;
    message.contacts()?;
    message.routes()?;
    message.record_routes()?;
    Ok(())
}

fn every_message(message: &Message) -> Result<(), Fault> {
    if !message.version().eq_ignore_ascii_case("SIP/2.0") {
        let why = format!("version {}", message.version());
        return Err(Fault::owed(StatusCode::VERSION_NOT_SUPPORTED, why));
    }
    if message.malformed_lines() > 0 {
        return Err(Fault::bad_request("line that is no header"));
    }
    if !message.method().is_none_or(Method::is_token) {
        return Err(Fault::bad_request("method is no token"));
    }
    identity(message)?;
    body_length(message)
}

// RFC 3261 §8.1.1: without these a message belongs to no transaction.
fn identity(message: &Message) -> Result<(), Fault> {
    message.via()?;
    message.vias()?;
    message.from()?;
    message.to()?;
    message.call_id()?;
    message.cseq()?;
    Ok(())
}

fn body_length(message: &Message) -> Result<(), Fault> {
    match message.body_length() {
        BodyLength::Absent | BodyLength::Exact(_) => Ok(()),
        BodyLength::Malformed => Err(Fault::bad_request("malformed Content-Length")),
        BodyLength::Short {
            announced,
            received,
        } => {
            let why = format!("Content-Length {announced}, but {received} bytes came");
            Err(Fault::bad_request(why))
        }
    }
}

fn target(message: &Message) -> Result<(), Fault> {
    let target = message.target()?;
    if target.scheme() == Scheme::Other {
        let why = "Request-URI of an unknown scheme";
        return Err(Fault::owed(StatusCode::UNSUPPORTED_URI_SCHEME, why));
    }
    // RFC 3261 §19.1.1: a Request-URI carries no headers.
    match target.headers() {
        Some(_) => Err(Fault::bad_request("headers in the Request-URI")),
        None => Ok(()),
    }
}

/// What one user agent can do, and so what it refuses (RFC 3261 §8.2).
#[derive(Clone, Debug)]
pub struct Abilities {
    /// Methods it answers; also sent in Allow.
    pub methods: Vec<Method>,
    /// Option tags it understands in Require.
    pub extensions: Vec<&'static str>,
    /// Media types it reads, in lower case; also sent in Accept.
    pub body_types: Vec<&'static str>,
}

impl Abilities {
    /// Says whether this user agent can act on a request that is [valid](validate()). Responses pass.
    ///
    /// # Errors
    /// The answer owed: 501, 405, 420, 415 or 406, with the header that says what would be right; for an ACK that it be dropped.
    pub fn check(&self, message: &Message) -> Result<(), Fault> {
        let Some(method) = message.method() else {
            return Ok(());
        };
        self.check_method(method)
            .and_then(|()| self.check_extensions(message, method))
            .and_then(|()| self.check_body(message))
            .and_then(|()| self.check_accept(message, method))
            .map_err(|fault| fault.for_message(message))
    }

    /// Returns the value of Allow.
    pub fn allow(&self) -> String {
        let names: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        names.join(", ")
    }

    /// Returns the value of Accept.
    pub fn accept(&self) -> String {
        self.body_types.join(", ")
    }

    fn check_method(&self, method: &Method) -> Result<(), Fault> {
        if self.methods.contains(method) {
            return Ok(());
        }
        let status = match method {
            Method::Other(_) => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        let why = format!("method {method}");
        Err(Fault::owed(status, why).with(Name::Allow, self.allow()))
    }

    // RFC 3261 §8.2.2.3: Require in a CANCEL or ACK is ignored.
    fn check_extensions(&self, message: &Message, method: &Method) -> Result<(), Fault> {
        if matches!(method, Method::Cancel | Method::Ack) {
            return Ok(());
        }
        let is_known = |tag: &&str| {
            self.extensions
                .iter()
                .any(|known| known.eq_ignore_ascii_case(tag))
        };
        let unknown: Vec<&str> = message
            .list(Name::Require)
            .filter(|tag| !is_known(tag))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let fault = Fault::owed(StatusCode::BAD_EXTENSION, "required extension");
        Err(fault.with(Name::Unsupported, unknown.join(", ")))
    }

    fn check_body(&self, message: &Message) -> Result<(), Fault> {
        if message.body().is_empty() || is_optional(message) {
            return Ok(());
        }
        let refused = || Fault::owed(StatusCode::UNSUPPORTED_MEDIA_TYPE, "body type");
        let is_plain = message
            .list(Name::ContentEncoding)
            .all(|coding| coding.eq_ignore_ascii_case("identity"));
        if !is_plain {
            return Err(refused().with(Name::Other("Accept-Encoding"), "identity".to_owned()));
        }
        match message.content_type()? {
            Some(content) if !self.body_types.contains(&content.essence.as_str()) => {
                Err(refused().with(Name::Accept, self.accept()))
            }
            _ => Ok(()),
        }
    }

    // RFC 3261 §20.1: an INVITE whose Accept leaves out everything we could put into the answer gets 406.
    fn check_accept(&self, message: &Message, method: &Method) -> Result<(), Fault> {
        if *method != Method::Invite || message.header(Name::Accept).is_none() {
            return Ok(());
        }
        let accepts_ours = message.list(Name::Accept).any(|range| self.in_range(range));
        accepts_ours.then_some(()).ok_or(Fault::owed(
            StatusCode::NOT_ACCEPTABLE,
            "Accept has none of our body types",
        ))
    }

    fn in_range(&self, range: &str) -> bool {
        let range = text::split_outside(range, b';').0;
        let range = text::trim(range).to_ascii_lowercase();
        match range.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => self
                .body_types
                .iter()
                .any(|ours| ours.split('/').next() == Some(kind)),
            None => self.body_types.contains(&range.as_str()),
        }
    }
}

// RFC 3261 §20.11: a body that may be ignored.
fn is_optional(message: &Message) -> bool {
    let disposition = message.header(Name::ContentDisposition).unwrap_or("");
    let params = disposition.find(';').and_then(|at| disposition.get(at..));
    let params = params.and_then(|params| crate::header::Params::parse(params).ok());
    params.is_some_and(|params| {
        params
            .get("handling")
            .is_some_and(|how| how.eq_ignore_ascii_case("optional"))
    })
}
