use std::fmt;

use md5::Digest as _;

use crate::text;

/// A hash a challenge may ask for (RFC 7616 §3.3). The `-sess` variants are not spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5; also meant where a challenge names none.
    Md5,
    /// SHA-512/256.
    Sha512Of256,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// Returns the algorithm that `text` names; `None` for one we do not speak.
    pub fn from_text(text: &str) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512Of256]
            .into_iter()
            .find(|algorithm| text.eq_ignore_ascii_case(algorithm.as_str()))
    }

    /// Returns the name as it stands in a challenge.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha512Of256 => "SHA-512-256",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// Returns the hash of the parts with colons between them, in hexadecimal.
    pub(crate) fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Algorithm::Md5 => text::hex(&md5::Md5::digest(text)),
            Algorithm::Sha512Of256 => text::hex(&sha2::Sha512_256::digest(text)),
            Algorithm::Sha256 => text::hex(&sha2::Sha256::digest(text)),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
