use std::fmt;

/// An audio format that Housecall understands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Codec {
    /// G.711 µ-law, 8000 Hz, static payload type 0 (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, 8000 Hz, static payload type 8 (RFC 3551 §4.5.14).
    Pcma,
    /// G.722, 16 000 Hz of sound under a clock of 8000 Hz, static payload type 9 (RFC 3551 §4.5.2).
    G722,
    /// Keys as named events at 8000 Hz, beside G.711 and G.722 (RFC 4733 §2.1).
    TelephoneEvent,
    /// Keys as named events at 48 000 Hz, beside Opus, whose clock they share (RFC 4733 §2.1, RFC 7587 §4.1).
    TelephoneEvent48,
    /// Opus; its RTP clock is 48 000 Hz whatever rate it is coded at (RFC 7587 §4.1).
    Opus,
}

impl Codec {
    const ALL: [Self; 6] = [
        Self::Pcmu,
        Self::Pcma,
        Self::G722,
        Self::TelephoneEvent,
        Self::TelephoneEvent48,
        Self::Opus,
    ];

    /// The name in `a=rtpmap`, compared without regard to case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::TelephoneEvent | Self::TelephoneEvent48 => "telephone-event",
            Self::Opus => "opus",
        }
    }

    /// Ticks of the RTP timestamp in a second.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 | Self::TelephoneEvent => 8_000,
            Self::Opus | Self::TelephoneEvent48 => 48_000,
        }
    }

    /// The payload type that we write: the static one, or our choice of a dynamic one.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::TelephoneEvent => 101,
            Self::TelephoneEvent48 => 110,
            Self::Opus => 111,
        }
    }

    /// Whether it carries voice, which a telephone event does not.
    pub const fn is_voice(self) -> bool {
        !matches!(self, Self::TelephoneEvent | Self::TelephoneEvent48)
    }

    /// The keys that share its clock (RFC 4733 §2.1).
    pub const fn telephone_event(self) -> Self {
        match self.clock_rate() {
            48_000 => Self::TelephoneEvent48,
            _ => Self::TelephoneEvent,
        }
    }

    /// The codec of a static payload type that needs no `a=rtpmap` (RFC 3551 §6).
    pub const fn of_static_payload_type(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            9 => Some(Self::G722),
            _ => None,
        }
    }

    /// The codec that an `a=rtpmap` value such as `PCMU/8000` names, if we understand it.
    pub fn of_rtpmap(encoding: &str) -> Option<Self> {
        let mut parts = encoding.trim().split('/');
        let name = parts.next()?.trim();
        let rate: u32 = parts.next()?.trim().parse().ok()?;
        Self::ALL
            .into_iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name) && codec.clock_rate() == rate)
    }

    /// The value of `a=rtpmap` for it. Opus names two channels always (RFC 7587 §7).
    pub fn rtpmap(self) -> String {
        let channels = if self == Self::Opus { "/2" } else { "" };
        format!("{}/{}{channels}", self.name(), self.clock_rate())
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtpmap_is_read_without_regard_to_case_and_with_its_clock() {
        assert_eq!(Codec::of_rtpmap("pcmu/8000/1"), Some(Codec::Pcmu));
        assert_eq!(Codec::of_rtpmap("OPUS/48000/2"), Some(Codec::Opus));
        assert_eq!(
            Codec::of_rtpmap("telephone-event/8000"),
            Some(Codec::TelephoneEvent)
        );
        assert_eq!(
            Codec::of_rtpmap("telephone-event/48000"),
            Some(Codec::TelephoneEvent48)
        );
        assert_eq!(Codec::of_rtpmap("telephone-event/16000"), None);
        assert_eq!(Codec::of_rtpmap("g722/8000"), Some(Codec::G722));
        // RFC 3551 §4.5.2: whoever writes the rate of the sound is not understood by others either.
        assert_eq!(Codec::of_rtpmap("G722/16000"), None);
        assert_eq!(Codec::of_rtpmap("G729/8000"), None);
        assert_eq!(Codec::of_rtpmap("PCMU"), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for codec in Codec::ALL {
            assert_eq!(Codec::of_rtpmap(&codec.rtpmap()), Some(codec));
        }
    }
}
