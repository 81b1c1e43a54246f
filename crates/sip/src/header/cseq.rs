use std::fmt;

use super::ValueError;
use crate::method::Method;
use crate::text;

/// The place of a request in its dialog (RFC 3261 §20.16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Rises by one with each new request of a side; below 2^31.
    pub number: u32,
    /// The request's method.
    pub method: Method,
}

impl CSeq {
    /// The largest number allowed (RFC 3261 §8.1.1.5).
    pub const MAX: u32 = (1 << 31) - 1;

    /// Makes a CSeq.
    pub fn new(number: u32, method: Method) -> CSeq {
        CSeq { number, method }
    }

    /// Reads `number method`.
    ///
    /// # Errors
    /// The number is none or not below 2^31, or no method follows.
    pub fn parse(value: &str) -> Result<CSeq, ValueError> {
        let (number, method) =
            text::split_blank(text::trim(value)).ok_or(ValueError::Malformed("method"))?;
        let method = Method::from_text(text::trim(method));
        if !method.is_token() {
            return Err(ValueError::Malformed("method"));
        }
        Ok(CSeq {
            number: sequence_number(number)?,
            method,
        })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

fn sequence_number(digits: &str) -> Result<u32, ValueError> {
    let in_range = text::decimal(digits).filter(|number| *number <= CSeq::MAX);
    let is_number = || !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    in_range.ok_or_else(|| match is_number() {
        true => ValueError::TooLarge {
            what: "number",
            max: u64::from(CSeq::MAX),
        },
        false => ValueError::Malformed("number"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_method() {
        assert_eq!(
            CSeq::parse("0009   INVITE"),
            Ok(CSeq::new(9, Method::Invite))
        );
        assert_eq!(
            CSeq::parse("2147483647 X").unwrap().to_string(),
            "2147483647 X"
        );
    }

    #[test]
    fn numbers_of_two_to_the_31_and_beyond_are_refused() {
        for text in ["2147483648 ACK", "36893488147419103232 REGISTER"] {
            assert!(matches!(
                CSeq::parse(text),
                Err(ValueError::TooLarge { .. })
            ));
        }
        for text in ["", "1", "INVITE", "-1 INVITE", "1 IN VITE", "1INVITE"] {
            assert!(
                matches!(CSeq::parse(text), Err(ValueError::Malformed(_))),
                "{text}"
            );
        }
    }
}
