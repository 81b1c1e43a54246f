//! Keys as named events in the RTP stream (RFC 4733).

mod event;
mod listener;
mod sender;

pub use event::TelephoneEvent;
pub use listener::KeyListener;
pub use sender::{EventPacket, KeySender, TooManyKeys};
