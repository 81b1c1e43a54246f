use bytes::Bytes;

/// A packet of the caller's voice, as it came from the browser.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EarPacket {
    /// The browser's stream.
    pub ssrc: u32,
    /// As in the RTP header.
    pub sequence: u16,
    /// As in the RTP header, 48 kHz.
    pub timestamp: u32,
    /// An Opus packet.
    pub payload: Bytes,
}

/// 20 ms for the caller to hear.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EarFrame {
    /// Whether it is the first of the call.
    pub marker: bool,
    /// Rises by one a frame, wraps.
    pub sequence: u16,
    /// 48 kHz; rises by 960 for every 20 ms of time, made or not.
    pub timestamp: u32,
    /// An Opus packet.
    pub payload: Bytes,
}
