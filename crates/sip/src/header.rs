//! Header names, and the types that header values are read into.

mod contact;
mod content_type;
mod cseq;
mod history;
mod identity;
mod name;
mod name_addr;
mod params;
mod privacy;
mod reason;
mod replaces;
mod retry_after;
mod rseq;
mod session_expires;
mod via;
mod warning;

pub use contact::Contacts;
pub use content_type::ContentType;
pub(crate) use content_type::MediaType;
pub use cseq::CSeq;
pub use history::{Diversion, HistoryEntry};
pub use identity::{Attestation, Identity};
pub(crate) use name::Known;
pub use name::Name;
pub use name_addr::{NameAddr, NameAddrRef};
pub use params::{Param, Params, ParamsRef};
pub use privacy::Privacy;
pub use reason::Reason;
pub use replaces::Replaces;
pub use retry_after::RetryAfter;
pub use rseq::{RAck, RSeq};
pub use session_expires::{MinSe, RefresherRole, SessionExpires};
pub use via::{Via, ViaRef};
pub use warning::Warning;

use std::time::Duration;

use crate::text;

/// A header that the message owes us, or that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{header}: {fault}")]
pub struct HeaderError {
    /// The header's long name.
    pub header: &'static str,
    /// What is wrong with it.
    pub fault: ValueError,
}

impl HeaderError {
    pub(crate) fn new(name: Name<'static>, fault: ValueError) -> HeaderError {
        HeaderError {
            header: name.as_str(),
            fault,
        }
    }
}

/// What is wrong with a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The message has none.
    #[error("missing")]
    Missing,
    /// The message has several where RFC 3261 §7.3.1 allows one.
    #[error("given more than once")]
    Repeated,
    /// The value does not follow the header's grammar; names the part.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// A number beyond what the header may hold.
    #[error("{what} above {max}")]
    TooLarge {
        /// The number's name.
        what: &'static str,
        /// The largest value allowed.
        max: u64,
    },
    /// The value holds no URI.
    #[error("malformed URI: {0}")]
    Uri(#[from] crate::uri::UriError),
}

/// Reads a delta-seconds: whole seconds below 2^32 (RFC 3261 §25.1).
pub(crate) fn seconds(digits: &str) -> Result<Duration, ValueError> {
    let seconds = text::decimal::<u32>(text::trim(digits));
    let seconds = seconds.ok_or(ValueError::Malformed("seconds"))?;
    Ok(Duration::from_secs(u64::from(seconds)))
}
