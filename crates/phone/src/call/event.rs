use bytes::Bytes;
use housecall_media::Key;
use housecall_media::sdp::MediaTarget;
use housecall_sip::{Message, Peer};

use super::{Ended, RouteFailure};
use crate::Number;

/// What the world said to a call.
#[derive(Debug)]
pub enum Input {
    /// A SIP message with this call's Call-ID came in.
    Sip {
        /// Who sent it.
        from: Peer,
        /// The message.
        message: Message,
    },
    /// Nothing can be sent to `peer`.
    TransportFailed {
        /// Which.
        peer: Peer,
    },
    /// No sound has come for too long. Of no effect unless it was to be [expected](super::Call::expects_media).
    MediaLost,
}

/// What a call wants done.
#[derive(Debug)]
pub enum Output {
    /// SIP messages with this Call-ID are this call's. Said before the first message that carries it; each attempt has its own.
    CallId(String),
    /// Send `bytes`, one whole SIP message, to `to`.
    SendSip {
        /// Where to.
        to: Peer,
        /// The message.
        bytes: Bytes,
    },
    /// Something happened.
    Event(Event),
}

/// What happened to a call. [`Event::Ended`] comes exactly once, and last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A route led nowhere; the next one is tried, or [`Event::Ended`] follows.
    RouteFailed {
        /// Its index in [`Dial::routes`](super::Dial::routes).
        route: usize,
        /// Why.
        why: RouteFailure,
    },
    /// The trunk takes no encrypted sound, and its settings allow plain: the call is tried that way.
    EncryptionRefused,
    /// The trunk leads us to another number, which its settings and the destination policy allow: that one is called.
    Redirected {
        /// The number.
        to: Number,
    },
    /// The phone rings. Said once.
    Ringing,
    /// The network sends sound before the answer: announcements, or its own ringing tone.
    EarlyMedia(MediaTarget),
    /// Somebody has answered.
    Answered(MediaTarget),
    /// Where sound goes, what it is, or which way it may flow has changed.
    MediaChanged(MediaTarget),
    /// Our hold is in force: the other side hears only what we play to it.
    Held,
    /// Our hold is over.
    Resumed,
    /// The other side did not take our hold or resume; everything stays as it was.
    HoldRefused,
    /// The trunk has not taken a key by INFO: let it sound instead.
    KeyRefused(Key),
    /// The other side has pressed a key and tells of it by INFO. Keys in its sound are not heard here.
    KeyHeard(Key),
    /// The call is over.
    Ended(Ended),
}
