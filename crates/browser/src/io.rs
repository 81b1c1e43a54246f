use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};

/// What the world tells a peer.
#[derive(Debug)]
pub enum Input {
    /// A datagram arrived for this peer: STUN, DTLS, SRTP or SRTCP.
    Datagram {
        /// Its source address.
        from: SocketAddr,
        /// The whole datagram.
        bytes: BytesMut,
    },
}

/// What a peer asks of the world, or tells it.
#[derive(Debug)]
pub enum Output {
    /// Send this datagram from the peer's local address.
    Send {
        /// Where to.
        to: SocketAddr,
        /// The whole datagram.
        bytes: Bytes,
    },
    /// An authenticated STUN request came from this address: all datagrams from it belong to this peer.
    AddressProved(SocketAddr),
    /// ICE and DTLS are up; media may flow.
    Connected,
    /// The connection is over; nothing but queued datagrams follows.
    Closed(Closed),
    /// A media packet arrived, decrypted, seen for the first time.
    Media {
        /// Which of the browser's two tracks it belongs to.
        track: Up,
        /// The packet, with the browser's own SSRC, sequence and timestamp.
        packet: rtp::Packet,
    },
    /// The browser says how well it receives a track (RFC 3550 §6.4.1).
    Reported {
        /// The track.
        down: Down,
        /// Packets lost since its last report, of 256.
        fraction_lost: u8,
    },
    /// The browser cannot go on decoding the video of this slot without a key frame (PLI or FIR).
    KeyframeWanted {
        /// The slot whose video is meant.
        slot: u8,
    },
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closed {
    /// It never came up: no working path, or the DTLS handshake was refused.
    Failed,
    /// It was up and the peer fell silent for longer than the timeouts allow.
    Disconnected,
    /// The peer said goodbye (DTLS `close_notify`).
    ByPeer,
    /// [`Peer::close`](crate::Peer::close) was called.
    ByUs,
}

/// A track from the browser to us.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Up {
    /// The microphone.
    Audio,
    /// The camera.
    Video,
    /// Keys pressed in the page (RFC 4733 telephone-event), on the microphone's m-line and SSRC.
    Digits,
}

/// Sound or picture.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Opus; RTP clock 48 kHz.
    Audio,
    /// VP8; RTP clock 90 kHz.
    Video,
}

/// A track from us to the browser.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Down {
    /// Sound or picture.
    pub kind: Kind,
    /// 0, 1 or 2 in a room; always 0 in a call.
    pub slot: u8,
}

/// A packet to the browser; SSRC, payload type and header extensions are filled in by the peer.
#[derive(Clone, Debug)]
pub struct OutPacket {
    /// The last packet of a frame (video), the first after silence (audio).
    pub marker: bool,
    /// RTP sequence number; wraps at 2^16 and is used once for each value between wraps (a GCM nonce is made of it).
    pub sequence: u16,
    /// RTP timestamp in the clock of [`Kind`]; wraps at 2^32.
    pub timestamp: u32,
    /// How loud a sound is: the content of the audio-level extension (RFC 6464). Left out of pictures, and where it was not negotiated.
    pub level: Option<u8>,
    /// The encoded frame or a part of it.
    pub payload: Bytes,
}
