//! The small pieces of SIP's grammar: tokens, quoted strings, lists (RFC 3261 §25.1).

use std::borrow::Cow;

/// Returns `text` without blanks at either end.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Returns whether `text` is a token: not empty, and of token characters only.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// Returns where `wanted` first stands outside quoted strings and angle brackets.
pub(crate) fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    let mut place = Place::Plain;
    text.bytes().position(|byte| {
        let found = place == Place::Plain && byte == wanted;
        place = place.after(byte);
        found
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Plain,
    Quoted,
    QuotedPair,
    Bracketed,
}

impl Place {
    fn after(self, byte: u8) -> Place {
        match (self, byte) {
            (Place::Plain, b'"') => Place::Quoted,
            (Place::Plain, b'<') => Place::Bracketed,
            (Place::Bracketed, b'>') => Place::Plain,
            (Place::Quoted, b'"') => Place::Plain,
            (Place::Quoted, b'\\') => Place::QuotedPair,
            (Place::QuotedPair, _) => Place::Quoted,
            (place, _) => place,
        }
    }
}

/// Splits at the first `separator` outside quoted strings and angle brackets.
pub(crate) fn split_outside(text: &str, separator: u8) -> (&str, Option<&str>) {
    find_outside(text, separator)
        .and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)))
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Splits a value before its first semicolon, which stays with the parameters. For values that hold neither quotes nor brackets
/// before their parameters.
pub(crate) fn split_params(value: &str) -> (&str, &str) {
    let end = value.find(';').unwrap_or(value.len());
    value.split_at_checked(end).unwrap_or((value, ""))
}

/// Returns the elements of a list, trimmed; the separator counts only outside quoted strings and angle brackets.
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
    let mut place = Place::Plain.after(text.bytes().next().filter(|byte| *byte == b'"')?);
    let close = text.bytes().skip(1).position(|byte| {
        place = place.after(byte);
        place == Place::Plain
    })?;
    Some(close + 2)
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
pub(crate) fn decimal<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
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
    fn numbers_never_wrap() {
        assert_eq!(decimal::<u32>("0068"), Some(68));
        assert_eq!(decimal::<u32>("4294967296"), None);
        assert_eq!(decimal::<u32>("+1"), None);
        assert_eq!(decimal::<u32>(""), None);
    }
}
