use std::fmt::Display;

use bytes::Bytes;

use super::head::Head;
use crate::header::{CSeq, Name, NameAddr, Via};
use crate::message::{Message, StartLine};
use crate::method::Method;
use crate::uri::Uri;

/// Writes a request; headers appear in the order they are given.
#[derive(Clone, Debug)]
pub struct RequestBuilder {
    method: Method,
    start: StartLine,
    head: Head,
    has_max_forwards: bool,
}

impl RequestBuilder {
    /// Begins a request.
    pub fn new<T: AsRef<str>>(method: Method, target: &Uri<T>) -> RequestBuilder {
        RequestBuilder {
            head: Head::new(format_args!("{method} {target} SIP/2.0")),
            start: StartLine::request(method.clone(), target.as_str()),
            method,
            has_max_forwards: false,
        }
    }

    /// Adds a Via; the first one added is the topmost.
    #[must_use]
    pub fn via<T: AsRef<str>>(self, via: &Via<T>) -> RequestBuilder {
        self.header(Name::Via, via)
    }

    /// Adds From.
    #[must_use]
    pub fn from<T: AsRef<str>>(self, from: &NameAddr<T>) -> RequestBuilder {
        self.header(Name::From, from)
    }

    /// Adds To.
    #[must_use]
    pub fn to<T: AsRef<str>>(self, to: &NameAddr<T>) -> RequestBuilder {
        self.header(Name::To, to)
    }

    /// Adds Call-ID.
    #[must_use]
    pub fn call_id(self, call_id: &str) -> RequestBuilder {
        self.header(Name::CallId, call_id)
    }

    /// Adds CSeq with the request's own method.
    #[must_use]
    pub fn cseq(self, number: u32) -> RequestBuilder {
        let cseq = CSeq::new(number, self.method.clone());
        self.header(Name::CSeq, cseq)
    }

    /// Adds Max-Forwards; 70 where this is not called (RFC 3261 §8.1.1.6).
    #[must_use]
    pub fn max_forwards(mut self, hops: u8) -> RequestBuilder {
        self.has_max_forwards = true;
        self.header(Name::MaxForwards, hops)
    }

    /// Adds Contact.
    #[must_use]
    pub fn contact<T: AsRef<str>>(self, contact: &NameAddr<T>) -> RequestBuilder {
        self.header(Name::Contact, contact)
    }

    /// Adds one Route for each address, in order.
    #[must_use]
    pub fn routes<T: AsRef<str>>(self, routes: &[NameAddr<T>]) -> RequestBuilder {
        let add = |builder: RequestBuilder, route| builder.header(Name::Route, route);
        routes.iter().fold(self, add)
    }

    /// Adds any header. Content-Type and Content-Length come with the body.
    #[must_use]
    pub fn header(mut self, name: Name<'_>, value: impl Display) -> RequestBuilder {
        self.head.field(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> RequestBuilder {
        self.head.body(content_type, body.into());
        self
    }

    /// Ends the request.
    pub fn build(mut self) -> Message {
        if !self.has_max_forwards {
            self.head.field(Name::MaxForwards, 70);
        }
        self.head.message(self.start)
    }
}
