use std::net::SocketAddr;
use std::time::Duration;

use crate::VoiceCodec;

/// What one peer connection is for; decides the m-lines an offer must have.
///
/// There is no renegotiation: whatever happens later flows through the m-lines of the first offer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// A phone call: one `sendrecv` audio m-line.
    Call,
    /// A seat in a room: `sendonly` audio, `sendonly` VP8 video, then three times a `recvonly` audio and a `recvonly`
    /// video m-line, the slots 0, 1 and 2.
    Room,
}

/// How one peer connection is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address browsers reach us at; our only ICE candidate.
    pub local: SocketAddr,
    /// The m-lines the offer must have.
    pub shape: Shape,
    /// Answer checks only, never send our own (RFC 8445 §2.5).
    ///
    /// Off by default: a lite agent on 127.0.0.1 never connects with Firefox, which gathers no loopback candidate.
    pub lite: bool,
    /// The protection of media, in the order we would have it; the browser's order wins among these.
    pub srtp: Vec<SrtpProfile>,
    /// How long silence may last.
    pub timeouts: Timeouts,
    /// What a call's voice is coded in, both ways: the first of these that the browser offers, and Opus if it offers none. A room's voices
    /// are Opus in any case.
    pub voices: Vec<VoiceCodec>,
    /// The highest sampling rate of the browser's voice that is of use, in Hz; 48,000 by default. A browser codes nothing above half of it.
    pub voice_rate: u32,
    /// The longest payload of one outgoing packet in bytes.
    pub payload_bytes_max: usize,
}

impl Options {
    /// The defaults for a peer reached at `local`.
    #[must_use]
    pub fn new(local: SocketAddr, shape: Shape) -> Self {
        Self {
            local,
            shape,
            lite: false,
            // Alone: with AES-CM beside it Chromium's order would win, and Chromium lists AES-CM first.
            srtp: vec![SrtpProfile::AeadAes128Gcm],
            timeouts: Timeouts::default(),
            voices: vec![VoiceCodec::Opus],
            voice_rate: 48_000,
            // Room for IP, UDP, RTP, extensions and the GCM tag in the 1500 bytes of an Ethernet frame.
            payload_bytes_max: 1400,
        }
    }
}

/// A protection profile of DTLS-SRTP (RFC 5764, RFC 7714).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SrtpProfile {
    /// `SRTP_AEAD_AES_128_GCM`: one pass over the packet; all current browsers have it.
    AeadAes128Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`: for peers without GCM.
    Aes128CmSha1_80,
}

/// How long ICE may hear nothing before it says so.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Silence after which the connection counts as disturbed; it may recover.
    pub disconnected: Duration,
    /// Further silence after which the connection is given up.
    pub failed: Duration,
    /// How often we check that the peer still consents (RFC 7675 asks for 5 s on average).
    pub keep_alive: Duration,
    /// The time a peer has from its offer to a finished DTLS handshake.
    pub connect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            disconnected: Duration::from_secs(5),
            failed: Duration::from_secs(20),
            keep_alive: Duration::from_secs(2),
            connect: Duration::from_secs(30),
        }
    }
}
