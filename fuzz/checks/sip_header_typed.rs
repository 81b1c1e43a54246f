//! The value of a header, read as each type there is: what is read, printed and read again is the same.

use std::fmt::{Debug, Display};

use housecall_sip::header::{
    ContentType, Diversion, HistoryEntry, Identity, MinSe, Privacy, RAck, RSeq, Reason, Replaces,
    RetryAfter, SessionExpires, Warning,
};
use housecall_sip::{CSeq, HostPort, NameAddr, Params, Uri, Via};

/// Panics where something is not as it must be.
pub(crate) fn check(data: &[u8]) {
    let Ok(value) = std::str::from_utf8(data) else {
        return;
    };
    // A message hands out values with their folded lines joined.
    let value = value.trim_end_matches(['\r', '\n']);
    if value.contains(['\r', '\n']) {
        return;
    }
    addresses(value);
    extensions(value);
    same(value, CSeq::parse);
    same(value, ContentType::parse);
    same(value, Params::parse);
    same(value, Reason::parse);
    same(value, Warning::parse);
    let _ = RetryAfter::parse(value);
}

fn addresses(value: &str) {
    same(value, Via::parse);
    same(value, NameAddr::parse);
    same(value, HostPort::parse);
    same(value, Uri::parse);
    if let Ok(mut via) = Via::parse(value) {
        let _ = (via.transaction_branch(), via.response_addr());
        via.stamp(([192, 0, 2, 1], 5060).into());
        same(&via.to_string(), Via::parse);
    }
    if let Ok(address) = NameAddr::parse(value) {
        let tagged = address.with_display(value).with_tag("t");
        assert_eq!(NameAddr::parse(&tagged.to_string()), Ok(tagged));
    }
}

fn extensions(value: &str) {
    same(value, Diversion::parse);
    same(value, HistoryEntry::parse);
    same(value, Identity::parse);
    same(value, MinSe::parse);
    same(value, Privacy::parse);
    same(value, RAck::parse);
    same(value, RSeq::parse);
    same(value, Replaces::parse);
    same(value, SessionExpires::parse);
    let _ = Identity::parse(value).map(|identity| identity.attestation());
    let _ = Diversion::parse(value).map(|diversion| diversion.counter());
}

fn same<T, E>(value: &str, parse: fn(&str) -> Result<T, E>)
where
    T: Debug + Display + PartialEq,
    E: Debug + PartialEq,
{
    if let Ok(read) = parse(value) {
        assert_eq!(parse(&read.to_string()), Ok(read), "{value:?}");
    }
}
