use std::fmt;

use super::{Params, ValueError};
use crate::text;

/// A signed statement of who calls (RFC 8224 §4.1). It is passed on as it came; its signature is not checked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The PASSporT (RFC 8225): three parts in base64url between dots, the first two empty in the compact form.
    pub passport: String,
    /// `info`, `alg`, `ppt` and others.
    pub params: Params,
}

/// How well the signing carrier knows the caller (RFC 8588 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// `A`: the customer, and that the number is the customer's.
    Full,
    /// `B`: the customer, but not whether the number is the customer's.
    Partial,
    /// `C`: only where the call came in.
    Gateway,
}

impl Identity {
    /// Reads `header.payload.signature;info=<uri>;alg=ES256;ppt=shaken`.
    ///
    /// # Errors
    /// The PASSporT is no three parts in base64url, or a parameter is malformed.
    pub fn parse(value: &str) -> Result<Identity, ValueError> {
        let (passport, params) = text::split_params(value);
        let passport = text::trim(passport);
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let mut parts = passport.split('.');
        let are_parts = parts.all(|part| part.bytes().all(is_base64));
        if !are_parts || passport.split('.').count() != 3 || passport.ends_with('.') {
            return Err(ValueError::Malformed("PASSporT"));
        }
        Ok(Identity {
            passport: passport.to_owned(),
            params: Params::parse(params)?,
        })
    }

    /// Returns what the signer says it knows. Nothing is proven by it: the signature was not checked.
    pub fn attestation(&self) -> Option<Attestation> {
        let payload = self.passport.split('.').nth(1)?;
        // RFC 8225 §9 sorts the keys and leaves out blanks, so the payload begins with `{"attest":"A"`, and sixteen letters of
        // base64 hold just as much of it as is needed.
        match payload.strip_prefix("eyJhdHRlc3QiOi")?.get(..2)? {
            "JB" => Some(Attestation::Full),
            "JC" => Some(Attestation::Partial),
            "JD" => Some(Attestation::Gateway),
            _ => None,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.passport, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shaken_call() {
        // {"attest":"B","dest":{"tn":["12155550131"]},...
        let written = "eyJhbGciOiJFUzI1NiJ9.eyJhdHRlc3QiOiJCIiwiZGVzdCI6eyJ0biI6WyIxMjE1NTU1MDEzMSJdfX0.c2ln-_;info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=shaken";
        let identity = Identity::parse(written).unwrap();
        assert_eq!(identity.attestation(), Some(Attestation::Partial));
        assert_eq!(identity.params.get("ppt"), Some("shaken"));
        assert_eq!(identity.to_string(), written);
        let compact = Identity::parse("..c2ln;info=<https://c.example>").unwrap();
        assert_eq!(compact.attestation(), None);
        for text in [
            "",
            "a.b",
            "a.b.",
            "a.b.c.d",
            "a b.c.d",
            "a.b.c=;x",
            "a.b.c;info=\"x",
        ] {
            assert!(Identity::parse(text).is_err(), "{text:?}");
        }
    }
}
