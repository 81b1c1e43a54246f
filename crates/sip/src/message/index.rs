use std::ops::{ControlFlow, Range};

use bytes::{Buf, Bytes};
use bytestring::ByteString;
use memchr::memchr;

use super::fields::{Field, Fields};
use crate::header::Known;
use crate::text::{self, Block, Span};

/// Where the lines of a head stand.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) start_line: Span,
    pub(crate) fields: Fields,
    /// Lines that are neither header nor continuation.
    pub(crate) malformed_lines: u32,
    /// How many bytes the head has, its empty line included; `None` where no empty line came.
    end: Option<usize>,
    /// Some value holds a carriage return or line feed.
    has_line_ends: bool,
}

impl Index {
    /// Finds the start line and the headers, as far as the first empty line.
    pub(crate) fn of(bytes: &[u8]) -> Index {
        let mut index = Index {
            start_line: Span::default(),
            fields: Fields::new(),
            malformed_lines: 0,
            end: None,
            has_line_ends: false,
        };
        let mut start = 0;
        let ends = |block: Block| block.is_any([b'\r', b'\n']);
        text::visit_marked(bytes, ends, |end| {
            // The line feed of a line that is over.
            if end < start {
                return ControlFlow::Continue(());
            }
            let Some(next) = behind_line_end(bytes, end) else {
                index.has_line_ends = true;
                return ControlFlow::Continue(());
            };
            let line = start..end;
            start = next;
            match line.start {
                0 => index.start_line = Span::new(0, end),
                _ if line.is_empty() => {
                    index.end = Some(next);
                    return ControlFlow::Break(());
                }
                _ => index.add(bytes, line),
            }
            ControlFlow::Continue(())
        });
        index
    }

    /// Returns how many bytes the head has. A datagram may end with its last header line, without the empty line (RFC 4475
    /// baddn as it is passed around); one that was cut inside a line has no end.
    pub(crate) fn head_end(&self, bytes: &[u8]) -> Option<usize> {
        let unclosed = || bytes.ends_with(b"\n").then_some(bytes.len());
        self.end.or_else(unclosed)
    }

    #[inline]
    fn add(&mut self, bytes: &[u8], line: Range<usize>) {
        match usual_field(bytes, line.start, line.end) {
            Some(field) => self.fields.push(field),
            None => self.add_odd(bytes, Span::new(line.start, line.end)),
        }
    }

    #[inline(never)]
    fn add_odd(&mut self, bytes: &[u8], line: Span) {
        match line.bytes(bytes).first() {
            Some(b' ' | b'\t') => self.continue_field(bytes, line),
            _ => match odd_field(bytes, line) {
                Some(field) => self.fields.push(field),
                None => self.malformed_lines += 1,
            },
        }
    }

    // RFC 3261 §7.3.1: a line that begins with a blank belongs to the header before it.
    fn continue_field(&mut self, bytes: &[u8], line: Span) {
        let Some(field) = self.fields.last_mut() else {
            self.malformed_lines += 1;
            return;
        };
        self.has_line_ends = true;
        let joined = Span::new(field.value.start(), line.end());
        field.value = text::trimmed(joined.bytes(bytes), joined.end());
    }
}

/// Returns where the line after the line end at `end` begins; `None` where a carriage return stands alone and ends nothing.
#[inline]
fn behind_line_end(bytes: &[u8], end: usize) -> Option<usize> {
    match bytes.get(end)? {
        // RFC 3261 §7 asks for CRLF; that a bare LF ends a line too harms nobody.
        _ if bytes.get(end..end + 2) == Some(b"\r\n") => Some(end + 2),
        b'\n' => Some(end + 1),
        _ => None,
    }
}

/// Reads a header whose name is written as most write it, with its colon right behind it.
#[inline]
fn usual_field(bytes: &[u8], start: usize, end: usize) -> Option<Field> {
    let (known, length) = Known::before_colon(bytes.get(start..)?)?;
    let colon = start + length;
    Some(Field {
        known: Some(known),
        name: Span::new(start, colon),
        value: text::trimmed(bytes.get(colon + 1..end)?, end),
    })
}

/// Reads any `name: value`. Blanks may stand before the colon (RFC 3261 §25.1, HCOLON), and nothing else that is no token: a name
/// that one parser reads and another does not is a header smuggled past one of them.
fn odd_field(bytes: &[u8], line: Span) -> Option<Field> {
    let text = line.bytes(bytes);
    let colon = text::find(text, [b':'])?;
    let name = without_blanks_behind(text.get(..colon)?);
    let known = Known::from_bytes(name);
    if known.is_none() && !text::is_token(name) {
        return None;
    }
    Some(Field {
        known,
        name: Span::new(line.start(), line.start() + name.len()),
        value: text::trimmed(text.get(colon + 1..)?, line.end()),
    })
}

fn without_blanks_behind(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Drops line ends before the start line (RFC 3261 §7.5).
pub(crate) fn skip_line_ends(bytes: &mut impl Buf) -> usize {
    let is_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    let count = bytes.chunk().iter().take_while(is_end).count();
    bytes.advance(count);
    count
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

/// Returns the first `end` bytes as UTF-8. Bytes that are not are read as Latin-1, which is what sends them; then their index is
/// another.
pub(crate) fn text_of(bytes: &Bytes, end: usize, index: &mut Index) -> ByteString {
    ByteString::try_from(bytes.slice(..end)).unwrap_or_else(|_| {
        let head = from_latin_1(bytes.get(..end).unwrap_or_default());
        *index = Index::of(head.as_bytes());
        head
    })
}

fn from_latin_1(head: &[u8]) -> ByteString {
    let mut text = String::with_capacity(head.len() * 2);
    for chunk in head.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    text.into()
}

/// Returns the head with the line ends inside folded values made blanks, and stray carriage returns too, so that spans stay
/// where they are.
pub(crate) fn unfolded(head: ByteString, index: &Index) -> ByteString {
    if !index.has_line_ends {
        return head;
    }
    let mut joined = String::with_capacity(head.len());
    let mut at = 0;
    for value in index.fields.iter().map(|field| field.value) {
        joined.push_str(head.get(at..value.start()).unwrap_or_default());
        joined.extend(value.text(&head).chars().map(blank_for_line_end));
        at = value.end();
    }
    joined.push_str(head.get(at..).unwrap_or_default());
    joined.into()
}

fn blank_for_line_end(letter: char) -> char {
    match letter {
        '\r' | '\n' => ' ',
        other => other,
    }
}
