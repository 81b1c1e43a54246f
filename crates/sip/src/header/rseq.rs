use std::fmt;

use super::{CSeq, ValueError};
use crate::text;

/// The number of a reliable provisional response; the next one of the same request is one higher (RFC 3262 §7.1). Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RSeq(u32);

impl RSeq {
    /// The largest number a request's first reliable response may have, so that those after it do not wrap (RFC 3262 §3).
    pub const MAX_FIRST: u32 = (1 << 31) - 1;

    /// Makes a number; `None` for 0.
    pub fn new(number: u32) -> Option<RSeq> {
        (number != 0).then_some(RSeq(number))
    }

    /// Reads a number from 1 to 2^32 - 1.
    ///
    /// # Errors
    /// It is none, or out of that range.
    pub fn parse(value: &str) -> Result<RSeq, ValueError> {
        let number = text::decimal(text::trim(value));
        number
            .and_then(RSeq::new)
            .ok_or(ValueError::Malformed("number"))
    }

    /// Returns the number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Returns the number of the response after this one; `None` after 2^32 - 1, for the numbers do not wrap (RFC 3262 §3).
    pub fn next(self) -> Option<RSeq> {
        self.0.checked_add(1).map(RSeq)
    }
}

impl fmt::Display for RSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The response that a PRACK confirms: its RSeq, and the CSeq of the request it answers (RFC 3262 §7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The response's number.
    pub rseq: RSeq,
    /// The CSeq of the response.
    pub cseq: CSeq,
}

impl RAck {
    /// Reads `rseq number method`.
    ///
    /// # Errors
    /// A part is missing or malformed, or a number is out of its range.
    pub fn parse(value: &str) -> Result<RAck, ValueError> {
        let (rseq, cseq) =
            text::split_blank(text::trim(value)).ok_or(ValueError::Malformed("CSeq"))?;
        Ok(RAck {
            rseq: RSeq::parse(rseq)?,
            cseq: CSeq::parse(cseq)?,
        })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rseq, self.cseq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;

    #[test]
    fn numbers_rise_by_one_and_never_wrap() {
        assert_eq!(RSeq::parse(" 0988789 ").unwrap().to_string(), "988789");
        assert_eq!(RSeq::new(1).unwrap().next(), RSeq::new(2));
        assert_eq!(RSeq::new(u32::MAX).unwrap().next(), None);
        for text in ["", "0", "-1", "4294967296", "1 2", "x"] {
            assert!(RSeq::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_a_prack_confirms() {
        let rack = RAck::parse("776656 \t 1  INVITE").unwrap();
        assert_eq!(rack.rseq, RSeq(776_656));
        assert_eq!(rack.cseq, CSeq::new(1, Method::Invite));
        assert_eq!(rack.to_string(), "776656 1 INVITE");
        for text in [
            "",
            "1",
            "1 1",
            "1 INVITE",
            "0 1 INVITE",
            "1 2147483648 INVITE",
            "4294967297 1 INVITE",
            "1 1 IN VITE",
        ] {
            assert!(RAck::parse(text).is_err(), "{text:?}");
        }
    }
}
