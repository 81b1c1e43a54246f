use super::challenge::value_of;
use crate::header::ValueError;

/// What an answer with a quality of protection says besides its hash (RFC 7616 §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// What the hash covers.
    pub qop: Qop,
    /// Random text of the one who answers. It stays the same as long as the nonce does, for `-sess` hashes its first value.
    pub cnonce: String,
    /// How often the nonce has been used, this time included.
    pub count: u32,
}

/// A quality of protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// The hash covers method and Request-URI.
    Auth,
    /// And the body.
    AuthInt,
}

impl Qop {
    /// Returns the quality that `text` names; `None` for one we do not speak.
    pub fn from_text(text: &str) -> Option<Qop> {
        [Qop::Auth, Qop::AuthInt]
            .into_iter()
            .find(|qop| text.eq_ignore_ascii_case(qop.as_str()))
    }

    /// Returns the name as it stands in a challenge.
    pub fn as_str(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }
}

impl Protection {
    /// Reads qop, cnonce and nc; `None` in answers of RFC 2069, which have no qop.
    pub(super) fn from_pairs(pairs: &[(&str, &str)]) -> Result<Option<Protection>, ValueError> {
        let Some(qop) = value_of(pairs, "qop") else {
            return Ok(None);
        };
        let qop = Qop::from_text(qop).ok_or(ValueError::Malformed("qop"))?;
        let cnonce = value_of(pairs, "cnonce").ok_or(ValueError::Malformed("cnonce"))?;
        let count = value_of(pairs, "nc").filter(|digits| is_count(digits));
        let count = count.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        Ok(Some(Protection {
            qop,
            cnonce: cnonce.to_owned(),
            count: count.ok_or(ValueError::Malformed("nc"))?,
        }))
    }
}

// RFC 7616 §3.4: nc is exactly eight hexadecimal digits.
fn is_count(digits: &str) -> bool {
    digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}
