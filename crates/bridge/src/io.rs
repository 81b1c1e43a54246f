use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use housecall_media::Key;
use housecall_phone::{Ended, Message, Number, Peer, RouteFailure};

use crate::MediaStats;

/// What the world tells a bridge.
#[derive(Debug)]
pub enum Input {
    /// A datagram of the browser: STUN, DTLS, SRTP or SRTCP.
    Browser {
        /// Its source address.
        from: SocketAddr,
        /// The whole datagram.
        bytes: BytesMut,
    },
    /// A datagram came to the call's RTP port.
    Rtp {
        /// Its source address.
        from: SocketAddr,
        /// The whole datagram.
        bytes: Bytes,
    },
    /// A datagram came to the call's RTCP port.
    Rtcp {
        /// Its source address.
        from: SocketAddr,
        /// The whole datagram.
        bytes: Bytes,
    },
    /// A SIP message with this call's Call-ID came.
    Sip {
        /// Who sent it.
        from: Peer,
        /// The message.
        message: Message,
    },
    /// Nothing can be sent to a SIP peer.
    TransportFailed {
        /// Which.
        peer: Peer,
    },
}

/// What a bridge asks of the world, or tells it.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the end is said once a call: a box would only cost its readers a word"
)]
pub enum Output {
    /// Send this to the browser from the address that the bridge was dialled with.
    SendBrowser {
        /// Where to.
        to: SocketAddr,
        /// The whole datagram.
        bytes: Bytes,
    },
    /// The phone's half asks for something.
    Phone(PhoneOutput),
    /// Datagrams from this address are this browser's: it has proved so.
    BrowserAddressProved(SocketAddr),
    /// Something happened.
    Event(BridgeEvent),
}

/// What the phone's half of a call asks of the world, whoever is its caller.
#[derive(Debug)]
pub enum PhoneOutput {
    /// Send this from the call's RTP port.
    SendRtp {
        /// Where to.
        to: SocketAddr,
        /// The whole datagram.
        bytes: Bytes,
    },
    /// Send this from the call's RTCP port.
    SendRtcp {
        /// Where to.
        to: SocketAddr,
        /// The whole datagram.
        bytes: Bytes,
    },
    /// SIP messages with this Call-ID are this call's. Said before the first message that carries it; a call may have several.
    CallId(String),
    /// Send this SIP message.
    SendSip {
        /// Where to.
        to: Peer,
        /// The whole message.
        bytes: Bytes,
    },
}

/// What happened to a call, for the person who made it.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "the end is said once a call: a box would only cost its readers a word"
)]
pub enum BridgeEvent {
    /// A way to the telephone network has failed; the next one is tried, or the call ends.
    RouteFailed {
        /// Its index in the routes that the call was dialled with.
        route: usize,
        /// Why.
        why: RouteFailure,
    },
    /// The trunk has led the call to another number.
    Redirected {
        /// The number.
        to: Number,
    },
    /// The trunk takes no encrypted sound; the call goes on without.
    EncryptionRefused,
    /// The phone rings; the caller hears it.
    Ringing,
    /// The network sends sound before the answer; the caller hears it.
    EarlyAudio,
    /// Somebody has answered. Exactly once; time is charged from here.
    Answered,
    /// The other side is held: it hears music.
    Held,
    /// The hold is over.
    Resumed,
    /// The other side's network did not take the hold, or its end; everything is as it was.
    HoldRefused,
    /// The other side holds us: it may play music, and does not hear us.
    HeldByThem,
    /// The other side's hold is over.
    ResumedByThem,
    /// The person at the phone has pressed a key: by an event in the sound, by INFO, or by its tone where
    /// [`PathOptions::hear_tones`](crate::PathOptions::hear_tones) says so.
    KeyHeard(Key),
    /// Whether the phone leg's sound is secured by SRTP. Said when the network first names where sound goes, and whenever it changes.
    ///
    /// The browser's leg always is.
    Encrypted(bool),
    /// The browser's sound flows.
    BrowserConnected,
    /// The browser is gone; an answered call is hung up.
    BrowserLost,
    /// The call is over. Once, and last; the bridge still owes the network some messages until
    /// [`is_finished`](crate::Bridge::is_finished).
    Ended {
        /// How, by whom, and the words for it.
        ended: Ended,
        /// What happened to its sound.
        stats: MediaStats,
    },
}
