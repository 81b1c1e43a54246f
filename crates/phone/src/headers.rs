//! Headers that a trunk or an embedding program adds to the INVITE: `X-Telnyx-Token`, Diversion, History-Info, Identity (RFC 8224).

use housecall_sip::Name;

/// More of them than this make an INVITE that no trunk wants.
const HEADERS_MAX: usize = 32;
/// A PASSporT in Identity is 1 KB; nothing else comes near.
const VALUE_BYTES_MAX: usize = 4096;

/// Why a header cannot be added. Its value is not told: it may be a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadHeader {
    /// The name is no token of RFC 3261 §25.1.
    #[error("{0:?} is no name of a header")]
    Name(String),
    /// The call writes this header itself.
    #[error("{0} is written by the call itself")]
    Reserved(String),
    /// A line end or another control character, which would begin a header of somebody else's choice.
    #[error("a control character in {0}")]
    Value(String),
    /// A very long value.
    #[error("{bytes} bytes in {name}, at most {VALUE_BYTES_MAX} possible")]
    TooLong {
        /// Which header.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// A great many headers.
    #[error("{0} headers, at most {HEADERS_MAX} possible")]
    TooMany(usize),
}

/// Says whether all of `headers` can be added to an INVITE.
pub(crate) fn check(headers: &[(String, String)]) -> Result<(), BadHeader> {
    if headers.len() > HEADERS_MAX {
        return Err(BadHeader::TooMany(headers.len()));
    }
    let mut headers = headers.iter();
    headers.try_for_each(|(name, value)| check_one(name, value))
}

fn check_one(name: &str, value: &str) -> Result<(), BadHeader> {
    let named = || name.to_owned();
    let is_free = matches!(
        Name::from_text(name),
        Name::Other(_)
            | Name::Date
            | Name::Diversion
            | Name::HistoryInfo
            | Name::Identity
            | Name::Reason
            | Name::Subject
    );
    match () {
        () if !is_token(name) => Err(BadHeader::Name(named())),
        () if !is_free => Err(BadHeader::Reserved(named())),
        () if value.chars().any(char::is_control) => Err(BadHeader::Value(named())),
        () if value.len() > VALUE_BYTES_MAX => Err(BadHeader::TooLong {
            name: named(),
            bytes: value.len(),
        }),
        () => Ok(()),
    }
}

fn is_token(text: &str) -> bool {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, value: &str) -> Result<(), BadHeader> {
        check(&[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn what_others_need_passes() {
        for (name, value) in [
            ("X-Telnyx-Token", "abc"),
            (
                "Diversion",
                "<sip:+61255500142@sip.carrier.test>;reason=unconditional",
            ),
            (
                "History-Info",
                "<sip:+61255500142@sip.carrier.test>;index=1",
            ),
            (
                "Identity",
                "eyJhbGciOiJFUzI1NiJ9.e30.c2ln;info=<https://cert.test/c.pem>;alg=ES256;ppt=shaken",
            ),
            ("Subject", "reminder – 9 Uhr"),
        ] {
            assert_eq!(checked(name, value), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_would_break_the_call_or_smuggle_does_not() {
        let reserved = [
            "Via",
            "v",
            "FROM",
            "t",
            "Call-ID",
            "Contact",
            "Route",
            "Content-Length",
            "Proxy-Authorization",
            "P-Asserted-Identity",
            "Privacy",
            "Session-Expires",
            "Replaces",
        ];
        for name in reserved {
            assert_eq!(
                checked(name, "x"),
                Err(BadHeader::Reserved(name.to_owned()))
            );
        }
        for value in ["a\r\nVia: x", "a\nb", "a\rb", "a\0b", "\u{85}"] {
            assert_eq!(
                checked("X-A", value),
                Err(BadHeader::Value("X-A".to_owned()))
            );
        }
        for name in ["", "X A", "X:A", "X-Ä", "X\r\nA"] {
            assert_eq!(checked(name, "x"), Err(BadHeader::Name(name.to_owned())));
        }
        let long = "x".repeat(VALUE_BYTES_MAX + 1);
        assert!(matches!(
            checked("X-A", &long),
            Err(BadHeader::TooLong { .. })
        ));
        let many = vec![("X-A".to_owned(), String::new()); HEADERS_MAX + 1];
        assert_eq!(check(&many), Err(BadHeader::TooMany(HEADERS_MAX + 1)));
    }
}
