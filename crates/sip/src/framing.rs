//! Messages in a stream of bytes (RFC 3261 §18.3).

use bytes::BytesMut;

use crate::message::{
    BodyLength, MAX_MESSAGE_BYTES, Message, ParseError, head_end, skip_line_ends,
};

/// Cuts the bytes of one TCP connection into messages.
///
/// Holds at most [`MAX_MESSAGE_BYTES`] and what the last push brought. After an error the connection cannot be read
/// further: the same error is returned for ever, and the caller closes it.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: BytesMut,
    /// How far the buffer holds no end of a head.
    searched: usize,
    /// How long the message at the start of the buffer is, once its head has said so; else 0.
    awaited: usize,
    /// Bytes of line ends between messages that nobody has asked about yet.
    line_ends: usize,
    broken: Option<FramingError>,
}

/// Why a stream can no longer be cut into messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// A message, or what was pushed without being taken out, exceeds [`MAX_MESSAGE_BYTES`].
    #[error("{length} bytes without a whole message, more than {MAX_MESSAGE_BYTES}")]
    TooLong {
        /// How many bytes there are, or were announced.
        length: usize,
    },
    /// Without Content-Length nobody knows where the message ends (RFC 3261 §20.14).
    #[error("no content-length")]
    NoLength,
    /// Content-Length is no number, or given twice with different values.
    #[error("malformed content-length")]
    MalformedLength,
    /// The head is no SIP.
    #[error("{0}")]
    Parse(#[from] ParseError),
}

impl StreamFramer {
    /// Makes a framer for a new connection.
    pub fn new() -> StreamFramer {
        StreamFramer::default()
    }

    /// Adds bytes that were read. Take out every message before pushing more.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_some() {
            return;
        }
        // One whole message may wait; more means that the caller never takes any out.
        if self.buffer.len() > MAX_MESSAGE_BYTES {
            self.broken = Some(FramingError::TooLong {
                length: self.buffer.len().saturating_add(bytes.len()),
            });
            self.buffer = BytesMut::new();
            return;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes out the next message; `None` until more bytes come. Line ends between messages are keep-alives
    /// (RFC 5626 §4.4.1) and passed over.
    ///
    /// # Errors
    /// See [`FramingError`].
    pub fn next_message(&mut self) -> Result<Option<Message>, FramingError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let taken = self.take();
        if let Err(error) = taken {
            self.broken = Some(error);
            self.buffer = BytesMut::new();
        }
        taken
    }

    /// Returns how many bytes wait for the rest of their message: zero between messages.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Returns how many bytes of line ends stood between messages since the last call: four are a ping, two the pong
    /// (RFC 5626 §4.4.1).
    pub fn take_line_ends(&mut self) -> usize {
        std::mem::take(&mut self.line_ends)
    }

    fn take(&mut self) -> Result<Option<Message>, FramingError> {
        if self.buffer.len() < self.awaited {
            return Ok(None);
        }
        let blank = skip_line_ends(&mut self.buffer);
        if blank > 0 {
            self.line_ends = self.line_ends.saturating_add(blank);
            self.searched = 0;
        }
        let Some(head_end) = head_end(&self.buffer, self.searched) else {
            return self.wait_for_head();
        };
        let length = self.message_length(head_end)?;
        if length > MAX_MESSAGE_BYTES {
            return Err(FramingError::TooLong { length });
        }
        self.awaited = length;
        if length > self.buffer.len() {
            return Ok(None);
        }
        (self.searched, self.awaited) = (0, 0);
        let message = Message::parse(self.buffer.split_to(length).freeze())?;
        Ok(Some(message))
    }

    fn wait_for_head(&mut self) -> Result<Option<Message>, FramingError> {
        let length = self.buffer.len();
        // The end of a head may be cut anywhere in its last "\r\n\r\n".
        self.searched = length.saturating_sub(4);
        match length > MAX_MESSAGE_BYTES {
            true => Err(FramingError::TooLong { length }),
            false => Ok(None),
        }
    }

    fn message_length(&self, head_end: usize) -> Result<usize, FramingError> {
        let head = self.buffer.get(..head_end).unwrap_or_default();
        let head = Message::parse(bytes::Bytes::copy_from_slice(head))?;
        let body = match head.body_length() {
            BodyLength::Exact(length) => length,
            BodyLength::Short { announced, .. } => announced,
            BodyLength::Absent => return Err(FramingError::NoLength),
            BodyLength::Malformed => return Err(FramingError::MalformedLength),
        };
        Ok(head_end.saturating_add(body))
    }
}
