use std::fmt;

use super::Algorithm;
use super::challenge::{digest_pairs, value_of};
use crate::header::ValueError;
use crate::method::Method;
use crate::text;

/// The answer to a challenge, the value of Authorization or Proxy-Authorization (RFC 7616 §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Who answers.
    pub username: String,
    /// As in the challenge.
    pub realm: String,
    /// As in the challenge.
    pub nonce: String,
    /// The Request-URI that the hash covers.
    pub uri: String,
    /// The hash, in hexadecimal.
    pub response: String,
    /// Named where the challenge named it.
    pub algorithm: Option<Algorithm>,
    /// As in the challenge.
    pub opaque: Option<String>,
    /// With `qop=auth`: our own random text, and how often the nonce has been used.
    pub protection: Option<(String, u32)>,
}

impl Authorization {
    /// Reads a digest answer.
    ///
    /// # Errors
    /// Another scheme, a part missing, or an algorithm or qop we do not speak.
    pub fn parse(value: &str) -> Result<Authorization, ValueError> {
        let pairs = digest_pairs(value)?;
        let optional = |name: &str| value_of(&pairs, name).map(str::to_owned);
        let required = |name: &'static str| optional(name).ok_or(ValueError::Malformed(name));
        let algorithm = value_of(&pairs, "algorithm")
            .map(|name| Algorithm::from_text(name).ok_or(ValueError::Malformed("algorithm")));
        Ok(Authorization {
            username: text::unquote(&format!("\"{}\"", required("username")?)).into_owned(),
            realm: required("realm")?,
            nonce: required("nonce")?,
            uri: required("uri")?,
            response: required("response")?,
            algorithm: algorithm.transpose()?,
            opaque: optional("opaque"),
            protection: protection(&pairs)?,
        })
    }

    /// Returns the hash that the right password gives (RFC 7616 §3.4.1).
    pub(super) fn expected(&self, method: &Method, password: &str) -> String {
        let algorithm = self.algorithm.unwrap_or(Algorithm::Md5);
        let who = algorithm.hash(&[&self.username, &self.realm, password]);
        let what = algorithm.hash(&[method.as_str(), &self.uri]);
        match &self.protection {
            Some((cnonce, count)) => {
                let count = format!("{count:08x}");
                algorithm.hash(&[&who, &self.nonce, &count, cnonce, "auth", &what])
            }
            None => algorithm.hash(&[&who, &self.nonce, &what]),
        }
    }
}

fn protection(pairs: &[(&str, &str)]) -> Result<Option<(String, u32)>, ValueError> {
    let Some(qop) = value_of(pairs, "qop") else {
        return Ok(None);
    };
    if !qop.eq_ignore_ascii_case("auth") {
        return Err(ValueError::Malformed("qop"));
    }
    let cnonce = value_of(pairs, "cnonce").ok_or(ValueError::Malformed("cnonce"))?;
    let count = value_of(pairs, "nc").filter(|digits| digits.len() == 8);
    let count = count.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let count = count.ok_or(ValueError::Malformed("nc"))?;
    Ok(Some((cnonce.to_owned(), count)))
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Digest username={}, realm=\"{}\"",
            text::quote(&self.username),
            self.realm
        )?;
        write!(f, ", nonce=\"{}\", uri=\"{}\"", self.nonce, self.uri)?;
        write!(f, ", response=\"{}\"", self.response)?;
        if let Some(algorithm) = self.algorithm {
            write!(f, ", algorithm={algorithm}")?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque=\"{opaque}\"")?;
        }
        match &self.protection {
            // RFC 7616 §3.4: qop and nc stand without quotes; nc is eight hexadecimal digits.
            Some((cnonce, count)) => write!(f, ", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""),
            None => Ok(()),
        }
    }
}
