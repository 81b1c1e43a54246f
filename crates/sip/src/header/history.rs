use std::fmt;

use super::{NameAddr, ValueError};
use crate::text;

/// One diversion of a call, the latest first (RFC 5806 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion(pub NameAddr);

impl Diversion {
    /// Reads `<uri>;reason=user-busy;counter=1`.
    ///
    /// # Errors
    /// The address or a parameter is malformed.
    pub fn parse(value: &str) -> Result<Diversion, ValueError> {
        NameAddr::parse(value).map(Diversion)
    }

    /// Returns why the call was diverted: `user-busy`, `no-answer`, `unconditional` or another word.
    pub fn reason(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.0.params.unquoted("reason")
    }

    /// Returns how often the call was diverted; once where it does not say (RFC 5806 §3.1.3).
    pub fn counter(&self) -> u32 {
        let counter = self.0.params.get("counter");
        counter.and_then(text::decimal).unwrap_or(1)
    }
}

impl fmt::Display for Diversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One target that a request was sent to, oldest first (RFC 7044 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The target. Its URI may carry the reason it was left as a header: `?Reason=SIP%3Bcause%3D486`.
    pub address: NameAddr,
    /// The place in the tree of targets: `1.2` is the second that came of the first. At most [`HistoryEntry::DEPTH_MAX`] deep.
    pub index: Vec<u32>,
}

impl HistoryEntry {
    /// The deepest index read: more retargets than Max-Forwards lets happen.
    pub const DEPTH_MAX: usize = 70;

    /// Reads `<uri>;index=1.1;rc=1`.
    ///
    /// # Errors
    /// The address or a parameter is malformed, or the index is missing, malformed or too deep.
    pub fn parse(value: &str) -> Result<HistoryEntry, ValueError> {
        let address = NameAddr::parse(value)?;
        let index = address.params.get("index").and_then(index);
        Ok(HistoryEntry {
            index: index.ok_or(ValueError::Malformed("index"))?,
            address,
        })
    }
}

fn index(digits: &str) -> Option<Vec<u32>> {
    let is_shallow = digits.split('.').count() <= HistoryEntry::DEPTH_MAX;
    let levels = digits.split('.').map(text::decimal);
    is_shallow.then(|| levels.collect()).flatten()
}

impl fmt::Display for HistoryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sent_the_call_on() {
        let written = "<sip:+61255500142@carrier.test>;reason=user-busy;counter=2;privacy=off";
        let diversion = Diversion::parse(written).unwrap();
        assert_eq!(diversion.reason().as_deref(), Some("user-busy"));
        assert_eq!(diversion.counter(), 2);
        assert_eq!(diversion.to_string(), written);
        let silent = Diversion::parse("<tel:+61255500142>;counter=99999999999").unwrap();
        assert_eq!((silent.reason(), silent.counter()), (None, 1));
        assert!(Diversion::parse("<sip:a@b>;reason=\"busy").is_err());
    }

    #[test]
    fn a_tree_of_targets() {
        let written = "<sip:bob@example.com?Reason=SIP%3Bcause%3D302>;index=1.12;rc=1";
        let entry = HistoryEntry::parse(written).unwrap();
        assert_eq!(entry.index, [1, 12]);
        assert_eq!(
            entry.address.uri.headers(),
            Some("Reason=SIP%3Bcause%3D302")
        );
        assert_eq!(entry.to_string(), written);
        let deep = format!("<sip:a@b>;index=1{}", ".1".repeat(70));
        for text in [
            "<sip:a@b>",
            "<sip:a@b>;index",
            "<sip:a@b>;index=",
            "<sip:a@b>;index=1.",
            "<sip:a@b>;index=1..2",
            "<sip:a@b>;index=-1",
            "<sip:a@b>;index=4294967296",
            &deep,
        ] {
            assert!(HistoryEntry::parse(text).is_err(), "{text:?}");
        }
    }
}
