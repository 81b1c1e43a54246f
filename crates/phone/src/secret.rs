use std::fmt;

use housecall_media::srtp::SrtpKey;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What the keys of a call's sound are made of: 32 bytes from the operating system's random source, new for each call.
///
/// Apart from [`Dial::seed`](crate::Dial::seed), whose tags and branches every trunk sees. Never printed.
#[derive(Clone)]
pub struct Secret([u8; Secret::BYTES]);

impl Secret {
    /// As much as the generator takes.
    pub const BYTES: usize = 32;

    /// Takes random bytes.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The key of one attempt. No two attempts share one: their packets may carry the same numbers, which would give the key stream away
    /// (RFC 3711 §9.1).
    pub(crate) fn key(&self, attempt: usize) -> SrtpKey {
        let mut keys = StdRng::from_seed(self.0);
        let mut bytes = [0; SrtpKey::BYTES];
        (0..=attempt).for_each(|_| keys.fill(&mut bytes));
        SrtpKey::random(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_has_its_own_key_and_nothing_is_printed() {
        let secret = Secret::new([7; Secret::BYTES]);
        assert_ne!(secret.key(0), secret.key(1));
        assert_eq!(secret.key(1), secret.clone().key(1));
        assert_ne!(secret.key(0), Secret::new([8; Secret::BYTES]).key(0));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
