//! Digest authentication: answering a trunk's challenge, and challenging (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! | RFC · section | what | file | test |
//! |---|---|---|---|
//! | 7616 §3.3, 8760 §2.4 | challenges, the first we speak of each realm | `challenge.rs` | `tests/digest.rs`: the_first_challenge_we_speak_is_answered |
//! | 7616 §3.4.1, §3.4.3 | hashes with `auth`, `auth-int`, and without qop (RFC 2069) | `authorization.rs` | `tests/digest.rs`: vectors_of_the_standards |
//! | 7616 §3.4.2 | `-sess` | `authorization.rs` | `tests/digest.rs`: every_algorithm_and_quality_opens_the_door |
//! | 7616 §3.3, 3261 §22.3 | nonces used again, nc rising | `user_agent/nonces.rs` | `user_agent/tests/challenges.rs` |
//! | 3261 §22.1 | only our realm, only our peer | `challenge.rs`, `user_agent/sending.rs` | `user_agent/tests/challenges.rs` |
//! | 7616 §3.3 | challenges of any shape | `challenge.rs` | `tests/digest.rs`: row_16_no_challenge_is_too_odd; fuzz `digest_challenge` |
//! | 7616 §5.5, §5.6 | nonces and replays, the server's side | `guard.rs` | `tests/digest.rs`: an_overheard_answer_opens_nothing |

mod algorithm;
mod authorization;
mod challenge;
mod guard;
mod protection;

pub use algorithm::Algorithm;
pub use authorization::Authorization;
pub(crate) use challenge::choose;
pub use challenge::{Attempt, Challenge, Unanswerable, answer};
pub use guard::{Denied, Guard};
pub use protection::{Protection, Qop};

use std::fmt;

use crate::text;

/// What a trunk knows us by.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name; often not the caller id.
    pub username: String,
    /// The password; never printed.
    pub password: String,
    /// The realm they are for, so that a challenge of anybody else behind the trunk gets no answer. `None` for any realm that
    /// the trunk asks for.
    pub realm: Option<String>,
}

impl Credentials {
    /// Makes credentials.
    pub fn new(username: &str, password: &str) -> Credentials {
        Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
            realm: None,
        }
    }

    /// The same credentials, for one realm only.
    #[must_use]
    pub fn for_realm(self, realm: &str) -> Credentials {
        let realm = Some(realm.to_owned());
        Credentials { realm, ..self }
    }

    /// Whether they are for `realm`, as it stands between its quotes.
    pub(crate) fn are_for(&self, realm: &str) -> bool {
        let is_ours = |ours: &String| text::quote(ours) == format!("\"{realm}\"") || ours == realm;
        self.realm.as_ref().is_none_or(is_ours)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, password kept)", self.username)
    }
}
