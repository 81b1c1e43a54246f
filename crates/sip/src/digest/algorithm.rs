use std::fmt;

use md5::Digest as _;

use crate::text;

/// What a challenge may have hashed, and how (RFC 7616 §3.3, RFC 8760 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5; also meant where a challenge names none.
    Md5,
    /// MD5, the password hashed once more with the first nonce and cnonce.
    Md5Sess,
    /// SHA-512/256.
    Sha512Of256,
    /// SHA-512/256, the password hashed once more with the first nonce and cnonce.
    Sha512Of256Sess,
    /// SHA-256.
    Sha256,
    /// SHA-256, the password hashed once more with the first nonce and cnonce.
    Sha256Sess,
}

impl Algorithm {
    /// Every algorithm we speak.
    pub const ALL: [Algorithm; 6] = [
        Algorithm::Md5,
        Algorithm::Md5Sess,
        Algorithm::Sha512Of256,
        Algorithm::Sha512Of256Sess,
        Algorithm::Sha256,
        Algorithm::Sha256Sess,
    ];

    /// Returns the algorithm that `text` names; `None` for one we do not speak.
    pub fn from_text(text: &str) -> Option<Algorithm> {
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| text.eq_ignore_ascii_case(algorithm.as_str()))
    }

    /// Returns the name as it stands in a challenge.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha512Of256 => "SHA-512-256",
            Algorithm::Sha512Of256Sess => "SHA-512-256-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
        }
    }

    /// Returns whether the password's hash covers the first nonce and cnonce too (RFC 7616 §3.4.2).
    pub fn is_session(self) -> bool {
        matches!(
            self,
            Algorithm::Md5Sess | Algorithm::Sha512Of256Sess | Algorithm::Sha256Sess
        )
    }

    /// Returns the hash of the parts with colons between them, in hexadecimal.
    pub(crate) fn hash(self, parts: &[&str]) -> String {
        self.hash_bytes(parts.join(":").as_bytes())
    }

    /// Returns the hash of a body, in hexadecimal.
    pub(crate) fn hash_bytes(self, bytes: &[u8]) -> String {
        match self {
            Algorithm::Md5 | Algorithm::Md5Sess => text::hex(&md5::Md5::digest(bytes)),
            Algorithm::Sha512Of256 | Algorithm::Sha512Of256Sess => {
                text::hex(&sha2::Sha512_256::digest(bytes))
            }
            Algorithm::Sha256 | Algorithm::Sha256Sess => text::hex(&sha2::Sha256::digest(bytes)),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
