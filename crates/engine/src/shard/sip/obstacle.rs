use std::io;

/// Why nothing can be sent to a peer, or why the connection to it has ended. Displays as words for an administrator, with the names
/// and numbers in them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{words}")]
pub struct Unreached {
    /// What stands in the way.
    pub obstacle: Obstacle,
    /// The same with everything that is known of it.
    pub words: String,
}

/// What stands between us and a peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Obstacle {
    /// Nobody listens at the port.
    Refused,
    /// This machine knows no way there.
    NoRoute,
    /// No connection came about in time.
    Slow,
    /// Its certificate is of another name.
    OtherName,
    /// Its certificate has expired, or is not valid yet.
    OutOfDate,
    /// No root that we trust vouches for its certificate.
    Untrusted,
    /// Its certificate is wrong in another way.
    BadCertificate,
    /// It broke off the TLS handshake, or speaks no TLS at all.
    NoTls,
    /// We were told no name that its certificate could be checked against.
    Nameless,
    /// There was a connection, and it has ended.
    Closed,
    /// More waits to be sent there than is kept.
    Crowded,
}

impl Unreached {
    pub(crate) fn new(obstacle: Obstacle, words: impl ToString) -> Self {
        let words = words.to_string();
        Self { obstacle, words }
    }
}

impl Obstacle {
    /// What the operating system means.
    pub(super) fn of_io(error: &io::Error) -> Self {
        use io::ErrorKind::{
            AddrNotAvailable, ConnectionRefused, HostUnreachable, InvalidInput, NetworkDown,
            NetworkUnreachable, PermissionDenied, TimedOut,
        };
        match error.kind() {
            ConnectionRefused => Self::Refused,
            // From a socket on loopback, the kernel calls every other address invalid.
            HostUnreachable | NetworkUnreachable | NetworkDown | AddrNotAvailable
            | InvalidInput | PermissionDenied => Self::NoRoute,
            TimedOut => Self::Slow,
            _ => Self::Closed,
        }
    }
}
