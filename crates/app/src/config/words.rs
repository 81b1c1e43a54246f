//! Texts of the configuration that end up in SIP messages, checked while the file is read so that the error names their line.

use std::net::IpAddr;

use serde::Deserialize;

/// Text without line ends and control characters, not empty.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct Line(String);

/// A name of DNS, or an address of IPv4 or IPv6 (without brackets).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct HostName(String);

/// An address of one machine, as others reach it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct ExternalAddress(IpAddr);

/// The name of a header that we do not write ourselves.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct HeaderName(String);

/// A final status that is no success: 300 to 699.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(try_from = "String")]
pub struct Status(u16);

/// Headers that every INVITE has already, or that change what the message is; in lower case.
const OURS: [&str; 24] = [
    "via",
    "v",
    "from",
    "f",
    "to",
    "t",
    "call-id",
    "i",
    "cseq",
    "contact",
    "m",
    "max-forwards",
    "route",
    "record-route",
    "content-length",
    "l",
    "content-type",
    "c",
    "authorization",
    "proxy-authorization",
    "require",
    "supported",
    "k",
    "session-expires",
];

impl Line {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Line {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.trim().is_empty() || text.chars().any(char::is_control) {
            true => Err("an empty text, or one with control characters, is none".to_owned()),
            false => Ok(Self(text)),
        }
    }
}

impl HostName {
    /// The name or address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HostName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_address = text.parse::<IpAddr>().is_ok();
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let labels = text.strip_suffix('.').unwrap_or(&text);
        if is_address || (text.len() <= 253 && labels.split('.').all(is_label)) {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is neither a name of DNS nor an address; a port has its own field"
            ))
        }
    }
}

impl ExternalAddress {
    /// The address.
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl TryFrom<String> for ExternalAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = text.parse().ok();
        let of_one = address.filter(|ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast());
        of_one.map(Self).ok_or_else(|| {
            format!("`{text}` is no address of a machine: write the one by which trunks reach this one, such as 203.0.113.7")
        })
    }
}

impl HeaderName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HeaderName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // RFC 3261 §25.1: a token.
        let is_token = !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b));
        if !is_token {
            return Err(format!("`{text}` is no name of a header"));
        }
        if OURS.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(format!("the header {text} is written by Housecall itself"));
        }
        Ok(Self(text))
    }
}

impl Status {
    /// The number.
    pub fn code(self) -> u16 {
        self.0
    }
}

impl TryFrom<String> for Status {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let code = text.parse().ok().filter(|code| (300..700).contains(code));
        code.map(Self)
            .ok_or_else(|| format!("`{text}` is no refusal: statuses from 300 to 699 are"))
    }
}
