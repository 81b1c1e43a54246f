use std::fmt::Display;
use std::net::SocketAddr;

use bytes::Bytes;

use super::head::Head;
use crate::header::{Name, NameAddr, Via};
use crate::message::{Message, StartLine};
use crate::method::Method;
use crate::status::StatusCode;

/// Writes a response to one request (RFC 3261 §8.2.6).
///
/// Via, From, To, Call-ID and CSeq are copied as far as the request has them, so that a faulty request is answered too; so is
/// Record-Route where the answer makes a dialog (§12.1.1).
#[derive(Clone, Debug)]
pub struct ResponseBuilder {
    status: StatusCode,
    reason: Option<String>,
    vias: Vec<String>,
    to: Option<String>,
    copied: Vec<(Name<'static>, String)>,
    added: Vec<(String, String)>,
    body: Option<(String, Bytes)>,
}

impl ResponseBuilder {
    /// Begins the answer `status` to `request`.
    pub fn new(request: &Message, status: StatusCode) -> ResponseBuilder {
        ResponseBuilder {
            status,
            reason: None,
            vias: request.list(Name::Via).map(str::to_owned).collect(),
            to: request.header(Name::To).map(str::to_owned),
            copied: copied(request, status),
            added: Vec::new(),
            body: None,
        }
    }

    /// Sets the reason phrase; the status's own where this is not called.
    #[must_use]
    pub fn reason(mut self, reason: &str) -> ResponseBuilder {
        self.reason = Some(reason.to_owned());
        self
    }

    /// Notes in the topmost Via where the request came from (RFC 3261 §18.2.1, RFC 3581 §4).
    #[must_use]
    pub fn source(mut self, source: SocketAddr) -> ResponseBuilder {
        if let Some(top) = self.vias.first_mut()
            && let Ok(mut via) = Via::parse(top)
        {
            via.stamp(source);
            *top = via.to_string();
        }
        self
    }

    /// Adds our tag to To unless the request carried one.
    #[must_use]
    pub fn to_tag(mut self, tag: &str) -> ResponseBuilder {
        self.to = self.to.map(|to| tagged(to, tag));
        self
    }

    /// Adds Contact.
    #[must_use]
    pub fn contact<T: AsRef<str>>(self, contact: &NameAddr<T>) -> ResponseBuilder {
        self.header(Name::Contact, contact)
    }

    /// Adds any header. Content-Type and Content-Length come with the body.
    #[must_use]
    pub fn header(mut self, name: Name<'_>, value: impl Display) -> ResponseBuilder {
        self.added.push((name.to_string(), value.to_string()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> ResponseBuilder {
        self.body = Some((content_type.to_owned(), body.into()));
        self
    }

    /// Ends the response.
    pub fn build(self) -> Message {
        let reason = self
            .reason
            .as_deref()
            .unwrap_or(self.status.default_reason());
        let mut head = Head::new(format_args!("SIP/2.0 {} {reason}", self.status));
        let start = StartLine::response(self.status, reason);
        self.vias.iter().for_each(|via| head.field(Name::Via, via));
        self.to.iter().for_each(|to| head.field(Name::To, to));
        self.copied
            .iter()
            .for_each(|(name, value)| head.field(*name, value));
        self.added
            .iter()
            .for_each(|(name, value)| head.field(Name::from_text(name), value));
        if let Some((content_type, body)) = self.body {
            head.body(&content_type, body);
        }
        head.message(start)
    }
}

fn copied(request: &Message, status: StatusCode) -> Vec<(Name<'static>, String)> {
    let makes_dialog =
        request.method() == Some(&Method::Invite) && (101..300).contains(&status.code());
    let routes = request.headers(Name::RecordRoute).filter(|_| makes_dialog);
    let routes = routes.map(|route| (Name::RecordRoute, route.to_owned()));
    let identity = [Name::From, Name::CallId, Name::CSeq];
    let identity = identity
        .into_iter()
        .filter_map(|name| Some((name, request.header(name)?.to_owned())));
    identity.chain(routes).collect()
}

// A To that cannot be read gets its tag all the same: the answer 400 must carry one.
fn tagged(to: String, tag: &str) -> String {
    let has_tag = NameAddr::parse(&to).is_ok_and(|to| to.tag().is_some());
    match has_tag {
        true => to,
        false => format!("{to};tag={tag}"),
    }
}
