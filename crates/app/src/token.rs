//! Secrets that a browser carries: 256 random bits, kept here only as their hash (A2).

use std::fmt;

use sha2::{Digest, Sha256};

/// 256 random bits, written as 43 characters of base64url. Shown once, to the one who is to carry it.
#[derive(Clone, Eq, PartialEq)]
pub struct Token(String);

/// SHA-256 of a token: what the database keeps.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct TokenHash([u8; 32]);

impl Token {
    /// Draws a new token from the operating system.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(base64url(&bytes)))
    }

    /// Accepts text that could be a token: exactly 43 characters of base64url.
    pub fn from_text(text: &str) -> Option<Self> {
        let fits = text.len() == 43
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        fits.then(|| Self(text.to_owned()))
    }

    /// Returns the text to put into a link or a cookie.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns what is stored.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl TokenHash {
    /// Hashes any text, for keys that must not be stored readable.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Reads a stored hash back; none if it is not 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the bytes to bind into a query.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// Draws a public name of 64 random bits as 16 hex digits: hard to guess, though nothing depends on that.
///
/// # Errors
/// When the system has no randomness to give.
pub fn public_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 1);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for sextet in 0..=chunk.len() {
            let index = (word >> (18 - 6 * sextet) & 63) as usize;
            text.push(ALPHABET.get(index).copied().map_or('A', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_agrees_with_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64url(plain.as_bytes()), coded);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn a2_tokens_are_256_bits_and_differ() {
        let (one, two) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(one.reveal().len(), 43);
        assert_ne!(one, two);
        assert_eq!(
            Token::from_text(one.reveal()).map(|t| t.hash()),
            Some(one.hash())
        );
        assert_eq!(format!("{one:?}"), "Token(..)");
    }

    #[test]
    fn what_cannot_be_a_token_is_not_one() {
        for text in [
            "",
            "short",
            &"a".repeat(42),
            &"a".repeat(44),
            &"é".repeat(22),
            &format!("{}/", "a".repeat(42)),
        ] {
            assert_eq!(Token::from_text(text), None, "{text}");
        }
    }
}
