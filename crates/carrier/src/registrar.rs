use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use housecall_sip::user_agent::Reply;
use housecall_sip::{Message, Name, StatusCode};

/// The longest registration that is granted.
const EXPIRES_MAX: Duration = Duration::from_secs(3600);
/// Registrations at once; more are refused.
const BINDINGS_MAX: usize = 64;

/// Who is registered, and until when (RFC 3261 §10.3). There is one account, so bindings are known by their Contact alone.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    bindings: BTreeMap<String, Instant>,
}

impl Registrar {
    /// Adds, refreshes or removes what a REGISTER asks for, and answers with all that is registered then.
    pub(crate) fn register(&mut self, now: Instant, request: &Message) -> Reply {
        self.bindings.retain(|_, until| *until > now);
        let asked = request.expires().ok().flatten().unwrap_or(EXPIRES_MAX);
        for contact in request.headers(Name::Contact) {
            if asked.is_zero() {
                self.bindings.remove(contact);
            } else if self.bindings.len() < BINDINGS_MAX || self.bindings.contains_key(contact) {
                let until = now + asked.min(EXPIRES_MAX);
                self.bindings.insert(contact.to_owned(), until);
            } else {
                return Reply::new(StatusCode::SERVICE_UNAVAILABLE);
            }
        }
        let bindings = self.bindings.iter();
        bindings.fold(Reply::new(StatusCode::OK), |reply, (contact, until)| {
            let left = until.saturating_duration_since(now).as_secs();
            reply.with_header("Contact", &format!("{contact};expires={left}"))
        })
    }

    /// The Contacts that are registered, as they were written.
    pub(crate) fn contacts(&self) -> Vec<String> {
        self.bindings.keys().cloned().collect()
    }
}
