use crate::srtp::{Mki, SrtpKey, SrtpSuite, TheirKey};

/// An `a=crypto` line that we can use: a suite and one key (RFC 4568 §4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Crypto {
    /// Its number, which an answer repeats.
    pub tag: u32,
    /// The suite.
    pub suite: SrtpSuite,
    /// The key of the side that wrote the line.
    pub key: TheirKey,
}

/// Why an `a=crypto` line cannot be used, or why none of a description's can.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadCrypto {
    /// A line of secure RTP has no key at all.
    #[error("secure RTP without a key")]
    Missing,
    /// The line is not of the form that RFC 4568 §9.1 gives.
    #[error("malformed line")]
    Malformed,
    /// Two lines have the same number.
    #[error("number {tag} twice")]
    TagTwice {
        /// The number.
        tag: u32,
    },
    /// More lines than are read.
    #[error("more than {cap} lines")]
    TooManyLines {
        /// The cap.
        cap: usize,
    },
    /// A suite that we do not speak.
    #[error("unknown suite of {chars} letters")]
    UnknownSuite {
        /// How long its name is.
        chars: usize,
    },
    /// Several keys in one line, of which packets would have to choose.
    #[error("{keys} keys in one line")]
    SeveralKeys {
        /// How many.
        keys: usize,
    },
    /// The key is not as long as its suite wants.
    #[error("key of {bytes} bytes, the suite wants {wanted}")]
    KeyLength {
        /// Its bytes, with its salt.
        bytes: usize,
        /// What the suite wants.
        wanted: usize,
    },
    /// A lifetime of no packet, or of more packets than one key may protect.
    #[error("lifetime out of bounds")]
    Lifetime,
    /// The name of the key is longer than it says, or than may be.
    #[error("key name out of bounds")]
    Mki,
    /// A parameter that takes protection away, or that we do not know and must not ignore (RFC 4568 §6.3.7).
    #[error("session parameter of {chars} letters")]
    SessionParameter {
        /// How long it is.
        chars: usize,
    },
    /// An answer with another number or suite than our offer's, or with more than one line (RFC 4568 §5.1.3).
    #[error("not what we offered")]
    NotOffered,
}

impl Crypto {
    /// Reads the value of an `a=crypto` attribute.
    ///
    /// # Errors
    /// [`BadCrypto`]: pass the line over (RFC 4568 §5.1.2); another may do.
    pub fn parse(value: &str) -> Result<Self, BadCrypto> {
        let mut words = value.split_ascii_whitespace();
        let (Some(tag), Some(suite), Some(keys)) = (words.next(), words.next(), words.next())
        else {
            return Err(BadCrypto::Malformed);
        };
        let tag = number(tag, Self::TAG_DIGITS).ok_or(BadCrypto::Malformed)?;
        let suite = SrtpSuite::of_name(suite).ok_or(BadCrypto::UnknownSuite {
            chars: suite.chars().count(),
        })?;
        let key = one_key(suite, keys)?;
        words.try_for_each(session_parameter)?;
        Ok(Self {
            tag: u32::try_from(tag).map_err(|_| BadCrypto::Malformed)?,
            suite,
            key,
        })
    }

    /// RFC 4568 §9.1: `1*9DIGIT`.
    const TAG_DIGITS: usize = 9;
}

/// The value of an `a=crypto` line with a key of ours: without a lifetime and a name, which one key for one call does not need.
pub(super) fn line(tag: u32, suite: SrtpSuite, key: &SrtpKey) -> String {
    format!(
        "a=crypto:{tag} {} inline:{}\r\n",
        suite.name(),
        key.to_base64(suite)
    )
}

fn one_key(suite: SrtpSuite, params: &str) -> Result<TheirKey, BadCrypto> {
    let keys = params.split(';').count();
    if keys > 1 {
        return Err(BadCrypto::SeveralKeys { keys });
    }
    let info = params.strip_prefix("inline:").ok_or(BadCrypto::Malformed)?;
    let mut parts = info.split('|');
    let key = SrtpKey::from_base64(suite, parts.next().unwrap_or_default()).map_err(|bytes| {
        bytes.map_or(BadCrypto::Malformed, |bytes| BadCrypto::KeyLength {
            bytes,
            wanted: suite.inline_len(),
        })
    })?;
    let mut mki = None;
    // RFC 4568 §6.1: a lifetime, then a name, either of which may be left out.
    for (index, part) in parts.enumerate() {
        match part.split_once(':') {
            Some((value, len)) if mki.is_none() => mki = Some(key_name(value, len)?),
            None if index == 0 => lifetime(part)?,
            _ => return Err(BadCrypto::Malformed),
        }
    }
    Ok(TheirKey { key, mki })
}

/// `2^20` or `1048576` packets, at most the 2^48 that RFC 3711 §9.2 lets one key protect. It is the sender's to obey.
fn lifetime(text: &str) -> Result<(), BadCrypto> {
    const LOG2_MAX: u64 = 48;
    let fine = match text.strip_prefix("2^") {
        Some(log2) => number(log2, 2).is_some_and(|log2| log2 <= LOG2_MAX),
        None => number(text, 15).is_some_and(|packets| packets > 0 && packets <= 1 << LOG2_MAX),
    };
    if fine {
        Ok(())
    } else {
        Err(BadCrypto::Lifetime)
    }
}

/// `1:4`: the number 1 in four bytes of each packet.
fn key_name(value: &str, len: &str) -> Result<Mki, BadCrypto> {
    let len = number(len, 3).and_then(|len| u8::try_from(len).ok());
    number(value, 19)
        .zip(len)
        .and_then(|(value, len)| Mki::new(value, len))
        .ok_or(BadCrypto::Mki)
}

/// RFC 4568 §6.3: only a wish about the receiver's window may be passed over, and what begins with `-` (§6.3.7). Key derivation rates, keys for error
/// correction, and all that leaves packets open are refused.
fn session_parameter(word: &str) -> Result<(), BadCrypto> {
    let window = word
        .strip_prefix("WSH=")
        .and_then(|packets| number(packets, 5))
        .is_some_and(|packets| packets >= 64);
    if window || word.starts_with('-') {
        Ok(())
    } else {
        Err(BadCrypto::SessionParameter {
            chars: word.chars().count(),
        })
    }
}

fn number(digits: &str, digits_max: usize) -> Option<u64> {
    let fine =
        (1..=digits_max).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fine.then(|| digits.parse().ok()).flatten()
}
