//! Digest authentication: answering a trunk's challenge, and challenging (RFC 3261 §22, RFC 7616, RFC 8760).

mod algorithm;
mod authorization;
mod challenge;
mod guard;

pub use algorithm::Algorithm;
pub use authorization::Authorization;
pub use challenge::{Attempt, Challenge, Unanswerable, answer};
pub use guard::{Denied, Guard};

use std::fmt;

/// What a trunk knows us by.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name; often not the caller id.
    pub username: String,
    /// The password; never printed.
    pub password: String,
}

impl Credentials {
    /// Makes credentials.
    pub fn new(username: &str, password: &str) -> Credentials {
        Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, password kept)", self.username)
    }
}
