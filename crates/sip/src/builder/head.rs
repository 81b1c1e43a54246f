use std::fmt::{Display, Write};

use bytes::{Bytes, BytesMut};

use crate::header::Name;
use crate::message::{Message, StartLine};

/// A head in the writing. Line ends inside values become blanks, so no value can add a header of its own.
#[derive(Clone, Debug)]
pub(super) struct Head {
    text: String,
    body: Bytes,
}

impl Head {
    pub(super) fn new(start_line: impl Display) -> Head {
        let mut head = Head {
            text: String::with_capacity(512),
            body: Bytes::new(),
        };
        head.line(start_line);
        head
    }

    pub(super) fn field(&mut self, name: Name<'_>, value: impl Display) {
        self.line(format_args!("{name}: {value}"));
    }

    pub(super) fn body(&mut self, content_type: &str, body: Bytes) {
        self.field(Name::ContentType, content_type);
        self.body = body;
    }

    pub(super) fn message(mut self, start: StartLine) -> Message {
        let length = self.body.len();
        self.field(Name::ContentLength, length);
        self.text.push_str("\r\n");
        let mut wire = BytesMut::with_capacity(self.text.len() + length);
        wire.extend_from_slice(self.text.as_bytes());
        wire.extend_from_slice(&self.body);
        Message::built(wire.freeze(), self.text.len(), start)
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(OneLine(&mut self.text), "{line}");
        self.text.push_str("\r\n");
    }
}

struct OneLine<'a>(&'a mut String);

impl Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let without_ends = |letter| match letter {
            '\r' | '\n' => ' ',
            other => other,
        };
        self.0.extend(text.chars().map(without_ends));
        Ok(())
    }
}
