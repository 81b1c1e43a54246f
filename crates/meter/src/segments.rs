//! What a text message weighs.

use std::fmt;

use crate::Credits;

/// A text as it travels: the alphabet that it needs, and the parts that it is cut into (R1).
///
/// Up to 160 characters of the GSM 7-bit alphabet are one part, more are parts of 153; with any other character it is 70 and 67 units of
/// UCS-2 (3GPP TS 23.038 §6.2.1, TS 23.040 §9.2.3.24). A character of the extension table takes two places, as does one outside Unicode's
/// basic plane; neither is cut in two.
///
/// ```
/// use housecall_meter::{Alphabet, Credits, Segments};
///
/// let reminder = Segments::of("See you at 10:30. Cost: 90 €")?;
/// assert_eq!((reminder.alphabet(), reminder.credits()), (Alphabet::Gsm7, Credits(1)));
/// assert_eq!(reminder.left(), 160 - 29);
/// # Ok::<(), housecall_meter::TooLong>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Segments<'a> {
    alphabet: Alphabet,
    parts: Vec<&'a str>,
    left: usize,
}

/// In what the characters of a message are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Alphabet {
    /// The default alphabet of GSM, seven bits each.
    Gsm7,
    /// Sixteen bits each.
    Ucs2,
}

/// A message has at most so many parts: the number of each is an octet (3GPP TS 23.040 §9.2.3.24.1).
const PARTS_MAX: usize = 255;

/// The GSM default alphabet without its letters and digits that are ASCII's too (3GPP TS 23.038 §6.2.1).
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// Its extension table; each of these follows an escape (3GPP TS 23.038 §6.2.1.1).
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

impl<'a> Segments<'a> {
    /// Cuts a text into parts. An empty text is one part.
    ///
    /// # Errors
    /// [`TooLong`] for more than 255 parts.
    pub fn of(text: &'a str) -> Result<Self, TooLong> {
        // No character takes less than one place; so nobody makes us look at all of an endless text.
        if text
            .chars()
            .nth(PARTS_MAX * Alphabet::Gsm7.places(true))
            .is_some()
        {
            return Err(TooLong);
        }
        let alphabet = Alphabet::of(text);
        let places: usize = text.chars().map(|letter| alphabet.takes(letter)).sum();
        let single = alphabet.places(false);
        if places <= single {
            return Ok(Self {
                alphabet,
                parts: vec![text],
                left: single - places,
            });
        }
        let (parts, left) = cut(text, alphabet);
        match parts.len() {
            ..=PARTS_MAX => Ok(Self {
                alphabet,
                parts,
                left,
            }),
            _ => Err(TooLong),
        }
    }

    /// Returns the alphabet.
    pub fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    /// Returns the parts, in order; at least one.
    pub fn parts(&self) -> &[&'a str] {
        &self.parts
    }

    /// Returns how many places are free in the last part.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Returns what the message costs: a credit for each part (R1).
    pub fn credits(&self) -> Credits {
        Credits(self.parts.len() as u64)
    }
}

/// The parts of a text that needs more than one, and the places that the last of them has left.
fn cut(text: &str, alphabet: Alphabet) -> (Vec<&str>, usize) {
    let room = alphabet.places(true);
    let (mut parts, mut rest, mut left) = (Vec::new(), text, room);
    let mut end = 0;
    for letter in text.chars() {
        let takes = alphabet.takes(letter);
        if takes > left {
            let (part, after) = rest.split_at(end);
            parts.push(part);
            (rest, left, end) = (after, room, 0);
        }
        left -= takes;
        end += letter.len_utf8();
    }
    parts.push(rest);
    (parts, left)
}

impl Alphabet {
    /// The smallest that has every character of a text.
    fn of(text: &str) -> Self {
        match text.chars().all(|letter| gsm7(letter).is_some()) {
            true => Self::Gsm7,
            false => Self::Ucs2,
        }
    }

    /// How many places one message has, or each part of one that is cut.
    fn places(self, is_cut: bool) -> usize {
        match (self, is_cut) {
            (Self::Gsm7, false) => 160,
            (Self::Gsm7, true) => 153,
            (Self::Ucs2, false) => 70,
            (Self::Ucs2, true) => 67,
        }
    }

    fn takes(self, letter: char) -> usize {
        match self {
            Self::Gsm7 => gsm7(letter).unwrap_or_default(),
            Self::Ucs2 => letter.len_utf16(),
        }
    }
}

/// How many places a character takes in seven bits, if it can be written so.
fn gsm7(letter: char) -> Option<usize> {
    match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Some(1),
        letter if BASIC.contains(letter) => Some(1),
        letter if EXTENSION.contains(letter) => Some(2),
        _ => None,
    }
}

/// The text needs more than 255 parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a text message has at most {PARTS_MAX} parts")
    }
}

impl std::error::Error for TooLong {}
