//! Messages: ranges over one shared buffer, read without copying and typed when asked.

mod fields;
mod index;
mod multipart;
mod start_line;
mod typed;

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use fields::Fields;
use index::Index;
pub(crate) use index::{head_end, skip_line_ends};
pub(crate) use start_line::StartLine;

use crate::header::{Known, Name};
use crate::method::Method;
use crate::status::StatusCode;
use crate::text::narrow;

/// The largest message read, in bytes, head and body together.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// A request or a response.
///
/// Cloning shares the bytes. Two messages are equal when they are on the wire.
#[derive(Clone)]
pub struct Message {
    /// As it came, without leading line ends, cut at the end of the body.
    wire: Bytes,
    /// The head with folded lines joined; the same memory as `wire` when nothing had to be changed.
    head: ByteString,
    start: StartLine,
    fields: Fields,
    malformed_lines: u32,
    /// Where in `wire` the body begins.
    head_end: u32,
}

/// What Content-Length said, and whether the body agrees (RFC 3261 §18.3, §20.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// No Content-Length: in a datagram the body reaches to its end.
    Absent,
    /// The body has this many bytes, and what followed in the datagram was dropped.
    Exact(usize),
    /// More bytes were announced than came.
    Short {
        /// What Content-Length said.
        announced: usize,
        /// What came.
        received: usize,
    },
    /// No number, too large a number, or several that differ.
    Malformed,
}

/// Why bytes are no SIP message. Whatever could be framed is a [`Message`], however odd its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing but line ends: a keep-alive (RFC 5626 §4.4.1), to be ignored.
    #[error("nothing but line ends")]
    Empty,
    /// More than [`MAX_MESSAGE_BYTES`].
    #[error("{length} bytes, more than {MAX_MESSAGE_BYTES}")]
    TooLong {
        /// How many bytes came.
        length: usize,
    },
    /// The last header line has no line end: the datagram was cut.
    #[error("head without an end after {length} bytes")]
    HeadUnfinished {
        /// How many bytes came.
        length: usize,
    },
    /// The first line is neither a request line nor a status line.
    #[error("first line is not SIP")]
    NotSip,
    /// A status line without a three-digit status from 100 to 699; a response cannot be answered, so drop it.
    #[error("status line without a status")]
    Status,
}

impl Message {
    /// Reads a message from a datagram, or from exactly one frame of a stream.
    ///
    /// Refuses only what cannot be framed; [`validate`](crate::validate()) then says what answer a faulty message is owed.
    /// Line ends may be bare LF. What follows the body is dropped (RFC 3261 §18.3).
    ///
    /// # Errors
    /// See [`ParseError`].
    pub fn parse(mut bytes: Bytes) -> Result<Message, ParseError> {
        skip_line_ends(&mut bytes);
        if bytes.is_empty() {
            return Err(ParseError::Empty);
        }
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(ParseError::TooLong {
                length: bytes.len(),
            });
        }
        let mut index = Index::of(&bytes);
        let head_end = index.head_end(&bytes).ok_or(ParseError::HeadUnfinished {
            length: bytes.len(),
        })?;
        let head = index::text_of(&bytes, head_end, &mut index);
        let start = StartLine::parse(&head, index.start_line)?;
        let head = index::unfolded(head, &index);
        Ok(Message::framed(bytes, head_end, head, start, index))
    }

    fn framed(
        mut wire: Bytes,
        head_end: usize,
        head: ByteString,
        start: StartLine,
        index: Index,
    ) -> Message {
        let available = wire.len().saturating_sub(head_end);
        if let BodyLength::Exact(length) = body_length(&index.fields, &head, available) {
            wire.truncate(head_end.saturating_add(length));
        }
        Message {
            wire,
            head,
            start,
            fields: index.fields,
            malformed_lines: index.malformed_lines,
            head_end: narrow(head_end),
        }
    }

    /// Puts together what a builder has written; the builder knows where everything stands.
    pub(crate) fn built(wire: Bytes, head_end: usize, start: StartLine) -> Message {
        let head_end = head_end.min(wire.len());
        let mut index = Index::of(&wire);
        let head = index::text_of(&wire, head_end, &mut index);
        Message::framed(wire, head_end, head, start, index)
    }

    /// Returns whether this is a request.
    pub fn is_request(&self) -> bool {
        self.method().is_some()
    }

    /// Returns the method of a request.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// Returns the Request-URI as written, blanks at its ends removed.
    pub fn request_uri(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { uri, .. } => Some(uri.text(&self.head)),
            StartLine::Response { .. } => None,
        }
    }

    /// Returns the status of a response.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(*status),
        }
    }

    /// Returns the reason phrase of a response as written, perhaps empty.
    pub fn reason(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { reason, .. } => Some(reason.text(&self.head)),
        }
    }

    /// Returns the protocol version as written, `SIP/2.0` in every message worth answering.
    pub fn version(&self) -> &str {
        match &self.start {
            StartLine::Request { version, .. } | StartLine::Response { version, .. } => {
                version.text(&self.head)
            }
        }
    }

    /// Returns the value of the first header `name`, folded lines joined by a blank.
    pub fn header(&self, name: Name<'_>) -> Option<&str> {
        self.headers(name).next()
    }

    /// Returns the values of all headers `name` in order, folded lines joined by a blank.
    pub fn headers<'a>(&'a self, name: Name<'_>) -> impl Iterator<Item = &'a str> + Clone {
        // A known header may be asked for by its text.
        let known = name.known();
        self.fields
            .iter()
            .filter(move |field| field.is_named(known, name, &self.head))
            .map(|field| field.value.text(&self.head))
    }

    /// Returns the values of all headers of a name that we know, in order.
    fn values(&self, name: Known) -> impl Iterator<Item = &str> + Clone {
        self.fields
            .of(name)
            .map(|field| field.value.text(&self.head))
    }

    /// Returns every header in order with its name as written.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|field| (field.name.text(&self.head), field.value.text(&self.head)))
    }

    /// Returns the body, cut at Content-Length.
    pub fn body(&self) -> &[u8] {
        self.wire.get(self.head_end as usize..).unwrap_or_default()
    }

    /// Returns what Content-Length said of the body.
    pub fn body_length(&self) -> BodyLength {
        body_length(&self.fields, &self.head, self.body().len())
    }

    /// Returns how many lines of the head were no header at all.
    pub fn malformed_lines(&self) -> usize {
        self.malformed_lines as usize
    }

    /// Returns the message as it is on the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.wire
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.wire == other.wire
    }
}

impl Eq for Message {}

impl fmt::Debug for Message {
    // The first line only: headers name people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.start {
            StartLine::Request { method, .. } => {
                write!(f, "Message({method}, {} bytes)", self.wire.len())
            }
            StartLine::Response { status, .. } => {
                write!(f, "Message({status}, {} bytes)", self.wire.len())
            }
        }
    }
}

impl From<Message> for Bytes {
    fn from(message: Message) -> Bytes {
        message.wire
    }
}

/// Reads Content-Length. Several that agree are one (RFC 3261 §7.3.1 forbids them; devices behind two proxies send them).
fn body_length(fields: &Fields, head: &str, available: usize) -> BodyLength {
    let mut values = fields
        .of(Known::ContentLength)
        .map(|field| crate::text::decimal::<usize>(field.value.text(head)));
    let Some(first) = values.next() else {
        return BodyLength::Absent;
    };
    match first {
        Some(_) if values.any(|value| value != first) => BodyLength::Malformed,
        Some(announced) if announced > available => BodyLength::Short {
            announced,
            received: available,
        },
        Some(exact) => BodyLength::Exact(exact),
        None => BodyLength::Malformed,
    }
}
