use bytes::{Bytes, BytesMut};
use memchr::memchr;

use crate::header::Name;
use crate::text;

/// Where the lines of a head stand.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) start_line: Span,
    pub(crate) fields: Vec<Field>,
    /// Lines that are neither header nor continuation.
    pub(crate) malformed_lines: usize,
    /// Some value holds a carriage return or line feed.
    has_line_ends: bool,
}

/// One header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    known: Option<Name<'static>>,
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// A range of a head. 32 bits suffice: a message has at most 64 KiB, and re-encoding at most doubles it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Index {
    /// Finds the start line and the headers of a head, which may end with its empty line or without.
    pub(crate) fn of(head: &[u8]) -> Index {
        let mut lines = Lines { head, at: 0 };
        let mut index = Index {
            start_line: lines.next().unwrap_or_default(),
            fields: Vec::with_capacity(16),
            malformed_lines: 0,
            has_line_ends: false,
        };
        for line in lines {
            index.add(head, line);
        }
        index
    }

    fn add(&mut self, head: &[u8], line: Span) {
        let bytes = line.bytes(head);
        self.has_line_ends |= memchr(b'\r', bytes).is_some();
        match bytes.first() {
            None => {}
            Some(b' ' | b'\t') => self.continue_field(head, line),
            Some(_) => match field(head, line) {
                Some(field) => self.fields.push(field),
                None => self.malformed_lines += 1,
            },
        }
    }

    // RFC 3261 §7.3.1: a line that begins with a blank belongs to the header before it.
    fn continue_field(&mut self, head: &[u8], line: Span) {
        let Some(field) = self.fields.last_mut() else {
            self.malformed_lines += 1;
            return;
        };
        self.has_line_ends = true;
        field.value = trimmed(
            head,
            Span {
                start: field.value.start,
                end: line.end,
            },
        );
    }
}

impl Field {
    pub(crate) fn is(&self, name: Name<'_>, head: &[u8]) -> bool {
        match (self.known, name) {
            (Some(known), name) => known == name,
            (None, Name::Other(wanted)) => self.name.text(head).eq_ignore_ascii_case(wanted),
            (None, _) => false,
        }
    }
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Span {
        // Heads are at most twice MAX_MESSAGE_BYTES long.
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            start: narrow(start),
            end: narrow(end),
        }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(crate) fn bytes(self, head: &[u8]) -> &[u8] {
        head.get(self.range()).unwrap_or_default()
    }

    /// Returns the text; a head is UTF-8 by the time it is indexed.
    pub(crate) fn text(self, head: &[u8]) -> &str {
        std::str::from_utf8(self.bytes(head)).unwrap_or_default()
    }
}

/// The lines of a head without their ends, as far as the first empty one.
struct Lines<'a> {
    head: &'a [u8],
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let rest = self.head.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let span = Span::new(self.at, self.at + line.len());
        self.at += length + 1;
        (!line.is_empty()).then_some(span)
    }
}

fn field(head: &[u8], line: Span) -> Option<Field> {
    let colon = line.start() + memchr(b':', line.bytes(head))?;
    let name = trimmed(head, Span::new(line.start(), colon));
    let value = trimmed(
        head,
        Span {
            start: Span::new(colon + 1, 0).start,
            end: line.end,
        },
    );
    let text = name.text(head);
    text::is_token(text).then(|| Field {
        known: Name::known(text),
        name,
        value,
    })
}

fn trimmed(head: &[u8], span: Span) -> Span {
    let bytes = span.bytes(head);
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let front = bytes.iter().take_while(|byte| is_blank(byte)).count();
    let kept = bytes.len() - front;
    let back = bytes
        .iter()
        .rev()
        .take(kept)
        .take_while(|byte| is_blank(byte))
        .count();
    let start = span.start() + front;
    Span::new(start, start + kept - back)
}

/// Drops line ends before the start line (RFC 3261 §7.5).
pub(crate) fn without_leading_line_ends(bytes: Bytes) -> Bytes {
    let blank = bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    bytes.slice(blank..)
}

/// Returns where the head ends, its empty line included; looks from `from` on.
pub(crate) fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let line_end = at + memchr(b'\n', bytes.get(at..)?)? + 1;
        match bytes.get(line_end..)? {
            [b'\n', ..] => return Some(line_end + 1),
            [b'\r', b'\n', ..] => return Some(line_end + 2),
            _ => at = line_end,
        }
    }
}

/// Accepts a datagram that ends with its last header line, without the empty line (RFC 4475 baddn as it is passed around).
pub(crate) fn unclosed_head_end(bytes: &[u8]) -> Option<usize> {
    bytes.ends_with(b"\n").then_some(bytes.len())
}

/// Returns the head as UTF-8: bytes that are not are read as Latin-1, which is what sends them.
pub(crate) fn head_text(head: Bytes) -> Bytes {
    if std::str::from_utf8(&head).is_ok() {
        return head;
    }
    let mut text = String::with_capacity(head.len() * 2);
    for chunk in head.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    Bytes::from(text)
}

/// Returns the head with the line ends inside folded values made blanks, and stray carriage returns too, so that spans stay
/// where they are.
pub(crate) fn unfolded(head: Bytes, index: &Index) -> Bytes {
    if !index.has_line_ends {
        return head;
    }
    let mut joined = BytesMut::from(head.as_ref());
    for field in &index.fields {
        for byte in joined.get_mut(field.value.range()).into_iter().flatten() {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
    }
    joined.freeze()
}
