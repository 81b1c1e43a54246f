//! The small pieces of SIP's grammar: tokens, quoted strings, lists (RFC 3261 §25.1).

mod block;
mod find;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use block::{Block, Marks};
pub(crate) use find::{find, find_marked, visit_marked};

/// A range of a text. 32 bits suffice: a message has at most 64 KiB, and re-encoding at most doubles it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    #[inline]
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span {
            start: narrow(start),
            end: narrow(end),
        }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) fn end(self) -> usize {
        self.end as usize
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start()..self.end()
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }

    pub(crate) fn text(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }
}

/// Returns a place in a text in 32 bits. Four gigabytes of text come from nowhere: what is received is bounded long before.
#[inline]
pub(crate) fn narrow(at: usize) -> u32 {
    debug_assert!(u32::try_from(at).is_ok(), "byte {at} of a text");
    at as u32
}

/// Returns `text` without blanks at either end.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        bytes if is_bare(bytes) => text,
        bytes => without_blanks(bytes, bytes.len()).text(text),
    }
}

/// Returns whether it is plain that there are no blanks at either end.
#[inline]
fn is_bare(bytes: &[u8]) -> bool {
    matches!(bytes, [first, .., last] if *first > b' ' && *last > b' ')
}

/// Returns the span of `bytes`, which end at `end`, without the blanks at their ends.
#[inline]
pub(crate) fn trimmed(bytes: &[u8], end: usize) -> Span {
    match bytes {
        // As nearly everybody writes a value.
        [b' ', first, .., last] if *first > b' ' && *last > b' ' => {
            Span::new(end - bytes.len() + 1, end)
        }
        _ => without_blanks(bytes, end),
    }
}

#[inline(never)]
fn without_blanks(bytes: &[u8], end: usize) -> Span {
    let mut rest = bytes;
    while let [first, after @ ..] = rest
        && is_blank(*first)
    {
        rest = after;
    }
    let start = end - rest.len();
    while let [before @ .., last] = rest
        && is_blank(*last)
    {
        rest = before;
    }
    Span::new(start, start + rest.len())
}

/// Returns whether `byte` is a blank, or one of the line ends that stand between folded lines.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns whether `text` is a token: not empty, and of token characters only.
pub(crate) fn is_token(text: impl AsRef<[u8]>) -> bool {
    const TOKEN_BYTES: [bool; 256] = bytes_of(b"-.!%*_+`'~");
    let text = text.as_ref();
    !text.is_empty() && length_in(text, &TOKEN_BYTES) == text.len()
}

/// Returns how many bytes at the start of `bytes` are in the table.
#[inline]
pub(crate) fn length_in(bytes: &[u8], table: &[bool; 256]) -> usize {
    let is_out = |byte: &u8| table.get(usize::from(*byte)) != Some(&true);
    // Whole words first: eight tests in a row, without a look at the end after each.
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        if let Some(out) = word.iter().position(is_out) {
            return bytes.len() - rest.len() + out;
        }
        rest = after;
    }
    let length = rest.iter().position(is_out).unwrap_or(rest.len());
    bytes.len() - rest.len() + length
}

/// Returns a table of letters, digits and `marks`.
#[expect(
    clippy::indexing_slicing,
    reason = "runs in constants only, where the compiler refuses an index out of range"
)]
pub(crate) const fn bytes_of(marks: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut mark = 0;
    while mark < marks.len() {
        table[marks[mark] as usize] = true;
        mark += 1;
    }
    table
}

/// Returns where `wanted` first stands outside quoted strings and angle brackets.
#[inline]
pub(crate) fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    // Most values are no list: then what their quotes and brackets hold need not be told apart.
    find(text.as_bytes(), [wanted])?;
    find_outside_brackets(text.as_bytes(), wanted)
}

fn find_outside_brackets(bytes: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let found = find(rest, [wanted, b'"', b'<'])?;
        let rest = rest.get(found..)?;
        at += found;
        at += match rest.first() {
            Some(byte) if *byte == wanted => return Some(at),
            Some(b'"') => quoted_bytes(rest)?,
            _ => find(rest, [b'>'])? + 1,
        };
    }
}

/// Splits at the first `separator` outside quoted strings and angle brackets.
#[inline]
pub(crate) fn split_outside(text: &str, separator: u8) -> (&str, Option<&str>) {
    find_outside(text, separator)
        .and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)))
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Splits a value before its first semicolon, which stays with the parameters. For values that hold neither quotes nor brackets
/// before their parameters.
#[inline]
pub(crate) fn split_params(value: &str) -> (&str, &str) {
    let end = find(value.as_bytes(), [b';']).unwrap_or(value.len());
    value.split_at_checked(end).unwrap_or((value, ""))
}

/// Splits at the first blank.
#[inline]
pub(crate) fn split_blank(text: &str) -> Option<(&str, &str)> {
    let blank = find(text.as_bytes(), [b' ', b'\t'])?;
    Some((text.get(..blank)?, text.get(blank + 1..)?))
}

/// Splits at the last blank.
pub(crate) fn rsplit_blank(text: &str) -> Option<(&str, &str)> {
    let blank = find::rfind(text.as_bytes(), [b' ', b'\t'])?;
    Some((text.get(..blank)?, text.get(blank + 1..)?))
}

/// Returns the elements of a list, trimmed; the separator counts only outside quoted strings and angle brackets.
#[inline]
pub(crate) fn elements(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (element, after) = split_outside(rest?, separator);
        rest = after;
        Some(trim(element))
    })
}

/// Returns the length of the quoted string that `text` begins with, quotes included.
pub(crate) fn quoted_length(text: &str) -> Option<usize> {
    quoted_bytes(text.as_bytes())
}

fn quoted_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.first().filter(|byte| **byte == b'"')?;
    let mut at = 1;
    loop {
        at += find(bytes.get(at..)?, [b'"', b'\\'])?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            // A quoted pair: what follows the backslash means nothing (RFC 3261 §25.1).
            _ => at += 2,
        }
    }
}

/// Returns what a quoted string means; text without quotes is returned as it is.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        None => Cow::Borrowed(text),
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(inner) => Cow::Owned(without_escapes(inner)),
    }
}

fn without_escapes(inner: &str) -> String {
    let mut plain = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.extend(letters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// Returns `text` as a quoted string.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        // A line end cannot stand in a quoted string, escaped or not.
        quoted.push(if matches!(letter, '\r' | '\n') {
            ' '
        } else {
            letter
        });
    }
    quoted.push('"');
    quoted
}

/// Reads decimal digits and nothing else; `None` where they do not fit.
pub(crate) fn decimal<T: TryFrom<u64>>(text: &str) -> Option<T> {
    let digit = |byte: u8| byte.is_ascii_digit().then_some(u64::from(byte & 15));
    let append = |number: u64, byte| number.checked_mul(10)?.checked_add(digit(byte)?);
    let number = text.bytes().try_fold(0, append)?;
    T::try_from(number).ok().filter(|_| !text.is_empty())
}

/// Returns the bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn lists_are_split_outside_quotes_and_brackets_only() {
        let list = r#""a, \"b" <sip:x@y;q=1,2> , <sip:z>,,t"#;
        let found: Vec<_> = elements(list, b',').collect();
        assert_eq!(found, [r#""a, \"b" <sip:x@y;q=1,2>"#, "<sip:z>", "", "t"]);
    }

    #[test]
    fn quoting_is_undone_by_unquoting() {
        for text in ["", "a", "J \\\"", "<sip:x>", "плюс"] {
            assert_eq!(unquote(&quote(text)), text);
        }
        assert_eq!(quoted_length(r#""a\"b" rest"#), Some(6));
        assert_eq!(quoted_length(r#""never ends"#), None);
        assert_eq!(quoted_length("no quote"), None);
    }

    #[test]
    fn blanks_at_the_ends_are_left_out() {
        for seed in 0..20_000 {
            let mut random = StdRng::seed_from_u64(seed);
            let letter = |_| b" \t\r\nab!\x0b\0"[random.random_range(0..9)];
            let bytes: Vec<u8> = (0..seed % 9).map(letter).collect();
            let text = std::str::from_utf8(&bytes).unwrap();
            let bare = text.trim_matches([' ', '\t', '\r', '\n']);
            assert_eq!(trim(text), bare, "seed {seed}");
            let line = format!("name:{text}");
            let value = trimmed(text.as_bytes(), line.len());
            assert_eq!(value.text(&line), bare, "seed {seed}");
        }
    }

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        for seed in 0..20_000 {
            let mut random = StdRng::seed_from_u64(seed);
            let letter = |_| b"0123456789999990 -+a/:"[random.random_range(0..22)];
            let bytes: Vec<u8> = (0..seed % 25).map(letter).collect();
            let text = std::str::from_utf8(&bytes).unwrap();
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let expected = |number: Option<u64>| number.filter(|_| digits);
            assert_eq!(decimal(text), expected(text.parse().ok()), "{text}");
            let short = decimal::<u8>(text).map(u64::from);
            assert_eq!(
                short,
                expected(text.parse::<u8>().ok().map(u64::from)),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_never_wrap() {
        assert_eq!(decimal::<u32>("0068"), Some(68));
        assert_eq!(decimal::<u32>("4294967296"), None);
        assert_eq!(decimal::<u32>("+1"), None);
        assert_eq!(decimal::<u32>(""), None);
    }
}
