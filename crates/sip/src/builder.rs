//! Builders: requests of our own, and responses that copy what RFC 3261 §8.2.6 says they must.

mod head;
mod request;
mod response;

pub use request::RequestBuilder;
pub use response::ResponseBuilder;
