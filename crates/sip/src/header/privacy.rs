use std::fmt;

use super::ValueError;
use crate::text;

/// What of the caller is to stay hidden (RFC 3323 §4.2): `id` (RFC 3325 §9.3), `user`, `header`, `session`, `history`
/// (RFC 7044 §10.1), `none`, `critical`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privacy(Vec<String>);

impl Privacy {
    /// Hides the identity that the network asserts: what withholding one's number means (RFC 3325 §9.3).
    pub fn id() -> Privacy {
        Privacy(vec!["id".to_owned()])
    }

    /// Reads `id;user`. Commas are read as semicolons, for so some write it.
    ///
    /// # Errors
    /// It is empty, or a value is no token.
    pub fn parse(value: &str) -> Result<Privacy, ValueError> {
        let values = value.split([';', ',']).map(text::trim);
        let values: Vec<&str> = values.filter(|value| !value.is_empty()).collect();
        if values.is_empty() || !values.iter().all(text::is_token) {
            return Err(ValueError::Malformed("privacy value"));
        }
        Ok(Privacy(values.into_iter().map(str::to_owned).collect()))
    }

    /// Returns whether `value` is asked for.
    pub fn asks_for(&self, value: &str) -> bool {
        self.0.iter().any(|asked| asked.eq_ignore_ascii_case(value))
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden() {
        let privacy = Privacy::parse(" ID ; critical,user;").unwrap();
        assert!(privacy.asks_for("id") && privacy.asks_for("Critical") && privacy.asks_for("user"));
        assert!(!privacy.asks_for("none"));
        assert_eq!(privacy.to_string(), "ID;critical;user");
        assert_eq!(Privacy::parse("id"), Ok(Privacy::id()));
        for text in ["", ";", " , ", "i d", "id;\"user\"", "id\u{e9}"] {
            assert!(Privacy::parse(text).is_err(), "{text:?}");
        }
    }
}
