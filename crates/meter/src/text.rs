//! Words in a stored text that other words follow.

use std::fmt::{self, Write as _};

/// A text written without a space in it: `%20` for a space, `%25` for `%`.
pub(crate) struct Word<'a>(pub(crate) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                ' ' => out.write_str("%20")?,
                '%' => out.write_str("%25")?,
                other => out.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// The parts of a stored text. A word that lacks, or is not what [`Word`] writes, is none.
pub(crate) struct Words<'a>(Option<&'a str>);

impl<'a> Words<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self(Some(text))
    }

    /// The next word, as it is stored.
    pub(crate) fn stored(&mut self) -> Option<&'a str> {
        let text = self.0.take()?;
        let (word, rest) = match text.split_once(' ') {
            Some((word, rest)) => (word, Some(rest)),
            None => (text, None),
        };
        self.0 = rest;
        Some(word)
    }

    /// The next word, as it was before [`Word`] wrote it.
    pub(crate) fn word(&mut self) -> Option<String> {
        let mut parts = self.stored()?.split('%');
        let mut word = parts.next()?.to_owned();
        for part in parts {
            let (letter, rest) = match part.strip_prefix("20") {
                Some(rest) => (' ', rest),
                None => ('%', part.strip_prefix("25")?),
            };
            word.push(letter);
            word.push_str(rest);
        }
        Some(word)
    }

    /// All that is left, spaces included.
    pub(crate) fn rest(mut self) -> Option<String> {
        self.0.take().map(str::to_owned)
    }

    pub(crate) fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.stored()?.parse().ok()
    }

    /// What was read, if no word is left.
    pub(crate) fn end<T>(self, read: T) -> Option<T> {
        self.0.is_none().then_some(read)
    }
}
