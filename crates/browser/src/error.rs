/// Why an offer is not answered. The browser's page, or whoever pretends to be it, must send another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferRefused {
    /// The offer is longer than anything a browser sends.
    #[error("offer of {bytes} bytes is longer than {max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest we read.
        max: usize,
    },
    /// The m-lines are not those of the [`Shape`](crate::Shape).
    #[error("m-line {index}: expected {expected}, found {found}")]
    WrongShape {
        /// Which m-line, from 0.
        index: usize,
        /// What the shape has there.
        expected: &'static str,
        /// What the offer has there.
        found: String,
    },
    /// A line without which no connection can be made is absent.
    #[error("offer has no {0}")]
    Missing(&'static str),
    /// The offer names none of our codecs for a kind of media.
    #[error("m-line {index} offers no {codec}")]
    NoCodec {
        /// Which m-line, from 0.
        index: usize,
        /// The codec it had to have.
        codec: &'static str,
    },
    /// It is not SDP, or SDP that the stack below cannot answer.
    #[error("offer cannot be answered: {0}")]
    Malformed(String),
}

/// Why a packet is not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendRefused {
    /// The caller asked before `Connected` or after `Closed`.
    #[error("cannot send while not connected")]
    NotConnected,
    /// The shape has no such track.
    #[error("no {kind:?} slot {slot}")]
    NoSuchTrack {
        /// Sound or picture.
        kind: crate::Kind,
        /// The slot asked for.
        slot: u8,
    },
    /// The payload does not fit in one datagram.
    #[error("payload of {bytes} bytes is longer than {max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest we send.
        max: usize,
    },
    /// A packet with this sequence number was sent already, or is too old to tell.
    #[error("sequence number {sequence} was used before")]
    SequenceUsed {
        /// The sequence number.
        sequence: u16,
    },
    /// The stack below refused the packet.
    #[error("packet not sent: {0}")]
    Stack(String),
}

/// Why a datagram was not taken. Ordinary on an open port; the peer goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatagramRefused {
    /// The datagram is empty or longer than a UDP datagram we accept.
    #[error("datagram of {bytes} bytes, expected 1 to {max}")]
    BadLength {
        /// Its length.
        bytes: usize,
        /// The longest we read.
        max: usize,
    },
    /// DTLS or media from an address that has not proved itself by STUN.
    #[error("datagram from {from}, which has not proved itself by STUN")]
    UnprovedAddress {
        /// Its source.
        from: std::net::SocketAddr,
    },
    /// A STUN request that does not carry our password's MESSAGE-INTEGRITY.
    #[error("unauthenticated STUN from {from}")]
    UnauthenticatedStun {
        /// Its source.
        from: std::net::SocketAddr,
    },
    /// The stack below refused it.
    #[error("datagram of {bytes} bytes refused: {reason}")]
    Unreadable {
        /// Its length.
        bytes: usize,
        /// What the stack said.
        reason: String,
    },
}
