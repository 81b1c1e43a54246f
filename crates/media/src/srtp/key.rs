use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use srtp::context::Context;
use srtp::crypto::default_provider;
use zeroize::Zeroizing;

use super::{SrtpError, SrtpSuite};

/// A master key and its salt. Printed by nothing but a description's `a=crypto`, and wiped when dropped.
#[derive(Clone, Eq, PartialEq)]
pub struct SrtpKey(Zeroizing<[u8; SrtpKey::BYTES]>);

/// What both sides agreed: one key each way, of one suite.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SrtpPair {
    /// The suite of both.
    pub suite: SrtpSuite,
    /// What we protect with.
    pub ours: SrtpKey,
    /// What the other side protects with.
    pub theirs: TheirKey,
}

/// A key of the other side.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TheirKey {
    /// The key.
    pub key: SrtpKey,
    /// What the other side writes into each packet to name the key, if it does.
    pub mki: Option<Mki>,
}

/// The name of a master key in each packet: a big-endian number of so many bytes (RFC 3711 §3.1, RFC 4568 §6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mki {
    value: u64,
    len: u8,
}

/// Senders differ in whether they fill a key of 46 bytes up with `=`.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl SrtpKey {
    /// Bytes that a key is made of: enough for every suite, each of which takes the first it needs.
    pub const BYTES: usize = 46;

    /// Makes a key of our own from `bytes`, which must come from the system's random number generator and be used for nothing else.
    pub fn random(bytes: [u8; Self::BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a key of exactly `suite`'s length; else says how many bytes there are, if it is base64 at all.
    pub(crate) fn from_base64(suite: SrtpSuite, text: &str) -> Result<Self, Option<usize>> {
        // Longer texts are of no suite, and need not be decoded to say so.
        if text.len() > 2 * Self::BYTES {
            return Err(None);
        }
        let bytes = Zeroizing::new(BASE64.decode(text).map_err(|_| None)?);
        let mut key = Self::random([0; Self::BYTES]);
        key.0
            .get_mut(..suite.inline_len())
            .filter(|place| place.len() == bytes.len())
            .ok_or(Some(bytes.len()))?
            .copy_from_slice(&bytes);
        Ok(key)
    }

    pub(crate) fn to_base64(&self, suite: SrtpSuite) -> String {
        BASE64.encode(self.0.get(..suite.inline_len()).unwrap_or_default())
    }

    /// The cipher of one direction. Replays are not its business.
    pub(super) fn context(&self, suite: SrtpSuite) -> Result<Context, SrtpError> {
        let provider = default_provider().map_err(|_| SrtpError::NoCipher)?;
        let inline = self.0.get(..suite.inline_len()).unwrap_or_default();
        let (key, salt) = inline.split_at_checked(suite.key_len()).unwrap_or_default();
        Context::new(key, salt, suite.profile(), None, None, provider.crypto())
            .map_err(|_| SrtpError::NoCipher)
    }
}

impl fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SrtpKey(..)")
    }
}

impl Mki {
    /// The longest, in bytes (RFC 4568 §6.1).
    pub const LEN_MAX: u8 = 128;

    /// Makes one; none unless `value` fits into 1 to [`Mki::LEN_MAX`] bytes.
    pub fn new(value: u64, len: u8) -> Option<Self> {
        let fits = u32::from(len) >= 8 || value.checked_shr(8 * u32::from(len)) == Some(0);
        ((1..=Self::LEN_MAX).contains(&len) && fits).then_some(Self { value, len })
    }

    /// Its length in a packet.
    pub(super) fn len(self) -> usize {
        usize::from(self.len)
    }

    /// Whether these bytes of a packet are it.
    pub(super) fn is(self, bytes: &[u8]) -> bool {
        let (zeros, number) = bytes.split_at(bytes.len().saturating_sub(8));
        let value = number
            .iter()
            .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        bytes.len() == self.len() && zeros.iter().all(|byte| *byte == 0) && value == self.value
    }
}
