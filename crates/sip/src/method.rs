//! Request methods.

use std::fmt;

use crate::text;

/// A request method; names are case-sensitive (RFC 3261 §7.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Opens a call, or changes one (RFC 3261 §13, §14).
    Invite,
    /// Confirms the final response to an INVITE (RFC 3261 §17.1.1.3); never answered.
    Ack,
    /// Ends a call (RFC 3261 §15).
    Bye,
    /// Gives up an INVITE that has no final response yet (RFC 3261 §9).
    Cancel,
    /// Asks what the other side can do; also a sign of life (RFC 3261 §11).
    Options,
    /// Binds an address to a user (RFC 3261 §10).
    Register,
    /// Changes a session before it is answered (RFC 3311).
    Update,
    /// Confirms a provisional response (RFC 3262).
    Prack,
    /// Carries application data inside a call (RFC 6086).
    Info,
    /// Asks the other side to call somebody (RFC 3515).
    Refer,
    /// Subscribes to events (RFC 6665).
    Subscribe,
    /// Reports an event (RFC 6665).
    Notify,
    /// Publishes event state (RFC 3903).
    Publish,
    /// Carries an instant message (RFC 3428).
    Message,
    /// Any other method, as it was written.
    Other(String),
}

impl Method {
    /// Returns the method that `text` names; unknown names are kept as they are.
    pub fn from_text(text: &str) -> Method {
        match text {
            "INVITE" => Method::Invite,
            "ACK" => Method::Ack,
            "BYE" => Method::Bye,
            "CANCEL" => Method::Cancel,
            "OPTIONS" => Method::Options,
            "REGISTER" => Method::Register,
            "UPDATE" => Method::Update,
            "PRACK" => Method::Prack,
            "INFO" => Method::Info,
            "REFER" => Method::Refer,
            "SUBSCRIBE" => Method::Subscribe,
            "NOTIFY" => Method::Notify,
            "PUBLISH" => Method::Publish,
            "MESSAGE" => Method::Message,
            other => Method::Other(other.to_owned()),
        }
    }

    /// Returns the name as it stands in a request line.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Options => "OPTIONS",
            Method::Register => "REGISTER",
            Method::Update => "UPDATE",
            Method::Prack => "PRACK",
            Method::Info => "INFO",
            Method::Refer => "REFER",
            Method::Subscribe => "SUBSCRIBE",
            Method::Notify => "NOTIFY",
            Method::Publish => "PUBLISH",
            Method::Message => "MESSAGE",
            Method::Other(name) => name,
        }
    }
}

impl Method {
    /// Returns whether the name is a token, as all are that we know.
    pub(crate) fn is_token(&self) -> bool {
        match self {
            Method::Other(name) => text::is_token(name),
            _ => true,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_returns_to_itself() {
        let known = "INVITE ACK BYE CANCEL OPTIONS REGISTER UPDATE PRACK INFO REFER SUBSCRIBE NOTIFY PUBLISH MESSAGE";
        for name in known.split(' ') {
            let method = Method::from_text(name);
            assert!(!matches!(method, Method::Other(_)), "{name}");
            assert_eq!(method.as_str(), name);
        }
    }

    #[test]
    fn names_are_case_sensitive_and_unknown_ones_are_kept() {
        assert_eq!(
            Method::from_text("invite"),
            Method::Other("invite".to_owned())
        );
        assert_eq!(Method::from_text("RE%47IST%45R").as_str(), "RE%47IST%45R");
    }
}
