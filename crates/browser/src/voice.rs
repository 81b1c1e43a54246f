/// What a browser's voice is coded in. Every browser has all of these (RFC 7874 §3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum VoiceCodec {
    /// Bridges losses, and carries as wide a voice as there is.
    #[default]
    Opus,
    /// G.711 µ-law: what telephones speak, which then need not be decoded.
    Pcmu,
    /// G.711 A-law: likewise.
    Pcma,
}

impl VoiceCodec {
    /// The RTP clock in Hz.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        match self {
            // Whatever is sampled (RFC 7587 §4.1).
            Self::Opus => 48_000,
            Self::Pcmu | Self::Pcma => 8_000,
        }
    }

    /// How an `a=rtpmap` names it.
    pub(crate) fn encoding(self) -> &'static str {
        match self {
            Self::Opus => "opus/48000/2",
            Self::Pcmu => "PCMU/8000",
            Self::Pcma => "PCMA/8000",
        }
    }

    /// How an `a=rtpmap` names the keys that go beside it: in the same clock (RFC 4733 §2.6).
    pub(crate) fn events_encoding(self) -> &'static str {
        match self {
            Self::Opus => "telephone-event/48000",
            Self::Pcmu | Self::Pcma => "telephone-event/8000",
        }
    }

    /// The payload type that needs no `a=rtpmap` (RFC 3551 §6).
    pub(crate) fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Opus => None,
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
        }
    }
}

/// A codec under the payload type by which the browser knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Voice {
    pub(crate) codec: VoiceCodec,
    pub(crate) payload_type: u8,
}
