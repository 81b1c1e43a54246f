//! Says and hears SIP (RFC 3261), without a socket and without a clock.

pub mod builder;
pub mod digest;
pub mod framing;
pub mod header;
pub mod host;
pub mod message;
pub mod method;
pub mod status;
mod text;
pub mod uri;
pub mod validate;

// Transactions, dialogs and the user agent.
mod dialog;
pub mod transaction;
pub mod user_agent;

pub use builder::{RequestBuilder, ResponseBuilder};
pub use framing::{FramingError, StreamFramer};
pub use header::{CSeq, HeaderError, Name, NameAddr, Params, ValueError, Via};
pub use host::HostPort;
pub use message::{MAX_MESSAGE_BYTES, Message, ParseError};
pub use method::Method;
pub use status::StatusCode;
pub use transaction::{Peer, Timers, Transport};
pub use uri::{Scheme, Uri, UriError};
pub use user_agent::{AgentOptions, UserAgent};
pub use validate::{Abilities, Fault, validate};
