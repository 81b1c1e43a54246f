use std::fmt;

use super::challenge::{digest_pairs, value_of};
use super::{Algorithm, Protection, Qop};
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
    /// Absent where the challenge offered no qop.
    pub protection: Option<Protection>,
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
            protection: Protection::from_pairs(&pairs)?,
        })
    }

    /// Returns the hash that the right password gives (RFC 7616 §3.4.1).
    pub(super) fn expected(&self, method: &Method, body: &[u8], password: &str) -> String {
        let algorithm = self.algorithm.unwrap_or(Algorithm::Md5);
        let who = self.who(algorithm, password);
        let what = self.what(algorithm, method, body);
        match &self.protection {
            Some(Protection { qop, cnonce, count }) => {
                let count = format!("{count:08x}");
                let parts = [&who, &self.nonce, &count, cnonce, qop.as_str(), &what];
                algorithm.hash(&parts)
            }
            None => algorithm.hash(&[&who, &self.nonce, &what]),
        }
    }

    /// The hash of A1 (RFC 7616 §3.4.2).
    fn who(&self, algorithm: Algorithm, password: &str) -> String {
        let who = algorithm.hash(&[&self.username, &self.realm, password]);
        match &self.protection {
            Some(Protection { cnonce, .. }) if algorithm.is_session() => {
                algorithm.hash(&[&who, &self.nonce, cnonce])
            }
            _ => who,
        }
    }

    /// The hash of A2 (RFC 7616 §3.4.3).
    fn what(&self, algorithm: Algorithm, method: &Method, body: &[u8]) -> String {
        match self.protection.as_ref().map(|protection| protection.qop) {
            Some(Qop::AuthInt) => {
                let body = algorithm.hash_bytes(body);
                algorithm.hash(&[method.as_str(), &self.uri, &body])
            }
            Some(Qop::Auth) | None => algorithm.hash(&[method.as_str(), &self.uri]),
        }
    }
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
            Some(Protection { qop, cnonce, count }) => {
                let qop = qop.as_str();
                write!(f, ", qop={qop}, nc={count:08x}, cnonce=\"{cnonce}\"")
            }
            None => Ok(()),
        }
    }
}
