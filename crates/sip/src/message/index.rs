use bytes::{Buf, Bytes};
use bytestring::ByteString;
use memchr::memchr;

use super::fields::{Field, Fields, KnownSet};
use crate::header::Known;
use crate::text::{self, Span};

/// Where the lines of a head stand.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) start_line: Span,
    pub(crate) fields: Fields,
    /// The names of these.
    seen: KnownSet,
    /// Lines that are neither header nor continuation.
    pub(crate) malformed_lines: usize,
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
            seen: KnownSet::default(),
            malformed_lines: 0,
            end: None,
            has_line_ends: false,
        };
        let mut lines = Lines { bytes, at: 0 };
        index.start_line = lines.next().map_or(Span::default(), |line| line.span());
        for line in &mut lines {
            if line.text.is_empty() {
                index.end = Some(lines.at);
                break;
            }
            index.add(bytes, &line);
        }
        index
    }

    /// Returns how many bytes the head has. A datagram may end with its last header line, without the empty line (RFC 4475
    /// baddn as it is passed around); one that was cut inside a line has no end.
    pub(crate) fn head_end(&self, bytes: &[u8]) -> Option<usize> {
        let unclosed = || bytes.ends_with(b"\n").then_some(bytes.len());
        self.end.or_else(unclosed)
    }

    fn add(&mut self, bytes: &[u8], line: &Line<'_>) {
        self.has_line_ends |= line.has_return;
        match line.text.first() {
            Some(b' ' | b'\t') => self.continue_field(bytes, line.span()),
            _ => match field(line) {
                Some(field) => self.fields.push(field, &mut self.seen),
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
        field.value = text::trimmed(joined.bytes(bytes), joined.start());
    }
}

/// A line without its end.
struct Line<'a> {
    start: usize,
    text: &'a [u8],
    /// A carriage return stands inside it.
    has_return: bool,
}

impl Line<'_> {
    fn span(&self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }
}

/// The lines of a text. What follows the last line end is none.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    // A call for each line would cost a tenth of all framing.
    #[inline(always)]
    fn next(&mut self) -> Option<Line<'a>> {
        let start = self.at;
        let mut has_return = false;
        loop {
            let end = self.at + text::find(self.bytes.get(self.at..)?, [b'\r', b'\n'])?;
            self.at = match self.bytes.get(end..)? {
                [b'\r', b'\n', ..] => end + 2,
                // RFC 3261 §7 asks for CRLF; that a bare LF ends a line too harms nobody.
                [b'\n', ..] => end + 1,
                _ => {
                    has_return = true;
                    self.at = end + 1;
                    continue;
                }
            };
            let text = self.bytes.get(start..end)?;
            return Some(Line {
                start,
                text,
                has_return,
            });
        }
    }
}

/// Reads `name: value`. Blanks may stand before the colon (RFC 3261 §25.1, HCOLON), and nothing else that is no token: a name
/// that one parser reads and another does not is a header smuggled past one of them.
fn field(line: &Line<'_>) -> Option<Field> {
    let (name, rest) = line.text.split_at_checked(text::token_length(line.text))?;
    let value = without_blanks_before(rest).strip_prefix(b":")?;
    let value_start = line.start + line.text.len() - value.len();
    (!name.is_empty()).then(|| Field {
        known: Known::from_bytes(name),
        name: Span::new(line.start, line.start + name.len()),
        value: text::trimmed(value, value_start),
    })
}

fn without_blanks_before(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [b' ' | b'\t', rest @ ..] = text {
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

/// Returns the first `end` bytes as UTF-8, with their index: bytes that are not are read as Latin-1, which is what sends them.
pub(crate) fn text_of(bytes: &Bytes, end: usize, index: Index) -> (ByteString, Index) {
    match ByteString::try_from(bytes.slice(..end)) {
        Ok(head) => (head, index),
        Err(_) => {
            let head = from_latin_1(bytes.get(..end).unwrap_or_default());
            let index = Index::of(head.as_bytes());
            (head, index)
        }
    }
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
