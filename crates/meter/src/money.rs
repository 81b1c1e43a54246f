//! What credits are paid with.

use std::fmt;

/// A sum of money.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Money {
    /// In the currency's smallest unit: cents, where it has them.
    pub minor: u64,
    /// Which.
    pub currency: Currency,
}

/// A currency by its code of three letters (ISO 4217).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Returns the currency of a code as `AUD`, or nothing if it is not three capital letters.
    pub fn new(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(letters))
    }
}

/// `AUD`.
impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// `2500-AUD`: in the smallest unit, since how many of them make a whole one depends on the currency.
impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.minor, self.currency)
    }
}

impl Money {
    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (minor, currency) = text.split_once('-')?;
        Some(Self {
            minor: minor.parse().ok()?,
            currency: Currency::new(currency)?,
        })
    }
}
