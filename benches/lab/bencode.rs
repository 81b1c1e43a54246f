//! Bencode, which rtpengine's control protocol is written in.

use std::collections::BTreeMap;

/// A bencoded value without numbers: nothing here needs any.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// A byte string that is text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A dictionary.
    Dict(BTreeMap<String, Value>),
    /// A number, as it is written.
    Number(String),
}

/// Deeper than any reply goes.
const DEPTH_MAX: usize = 16;

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Value {
    /// A dictionary of `entries`.
    pub fn dict<const N: usize>(entries: [(&str, Value); N]) -> Self {
        let entries = entries.map(|(key, value)| (key.to_owned(), value));
        Self::Dict(entries.into())
    }

    /// A list of texts.
    pub fn list(texts: &[&str]) -> Self {
        Self::List(texts.iter().map(|text| Self::from(*text)).collect())
    }

    /// The text under `key` of a dictionary.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self {
            Self::Dict(entries) => match entries.get(key)? {
                Self::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// As it goes on the wire.
    pub fn encode(&self) -> String {
        match self {
            Self::Text(text) => text_of(text),
            Self::Number(digits) => format!("i{digits}e"),
            Self::List(items) => {
                let items: String = items.iter().map(Self::encode).collect();
                format!("l{items}e")
            }
            Self::Dict(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| text_of(key) + &value.encode());
                format!("d{}e", entries.collect::<String>())
            }
        }
    }

    /// Reads one value; none if it is cut short or no bencode.
    pub fn decode(text: &str) -> Option<Self> {
        Some(read(text, DEPTH_MAX)?.0)
    }
}

fn text_of(text: &str) -> String {
    format!("{}:{text}", text.len())
}

/// The first value and what follows it.
fn read(text: &str, depth: usize) -> Option<(Value, &str)> {
    let depth = depth.checked_sub(1)?;
    match text.get(..1)? {
        "i" => {
            let (digits, rest) = text.get(1..)?.split_once('e')?;
            Some((Value::Number(digits.to_owned()), rest))
        }
        "l" => {
            let (items, rest) = read_until_end(text.get(1..)?, depth)?;
            Some((Value::List(items), rest))
        }
        "d" => {
            let (items, rest) = read_until_end(text.get(1..)?, depth)?;
            let pairs = items.chunks_exact(2).filter_map(|pair| match pair {
                [Value::Text(key), value] => Some((key.clone(), value.clone())),
                _ => None,
            });
            Some((Value::Dict(pairs.collect()), rest))
        }
        _ => {
            let (length, rest) = text.split_once(':')?;
            let (text, rest) = rest.split_at_checked(length.parse().ok()?)?;
            Some((Value::Text(text.to_owned()), rest))
        }
    }
}

fn read_until_end(mut text: &str, depth: usize) -> Option<(Vec<Value>, &str)> {
    let mut items = Vec::new();
    loop {
        if let Some(rest) = text.strip_prefix('e') {
            return Some((items, rest));
        }
        let (item, rest) = read(text, depth)?;
        items.push(item);
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let value = Value::dict([
            ("command", "offer".into()),
            ("codec", Value::dict([("mask", Value::list(&["opus"]))])),
            ("ttl", Value::Number("-3".to_owned())),
        ]);
        let text = value.encode();
        assert_eq!(text, "d5:codecd4:maskl4:opusee7:command5:offer3:ttli-3ee");
        assert_eq!(Value::decode(&text), Some(value));
    }

    #[test]
    fn what_is_cut_short_is_nothing() {
        for text in ["", "d", "l4:opus", "9:opus", "i3", "d3:key"] {
            assert_eq!(Value::decode(text), None, "{text}");
        }
        assert_eq!(Value::decode(&"l".repeat(1_000)), None);
    }
}
