use srtp::protection_profile::ProtectionProfile;

/// A cryptographic suite that we speak.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SrtpSuite {
    /// `AES_CM_128_HMAC_SHA1_80` (RFC 4568 §6.2.1): what everybody speaks, and what we offer.
    #[default]
    Aes128Sha80,
    /// `AES_CM_128_HMAC_SHA1_32` (RFC 4568 §6.2.2): the same with a shorter tag on RTP; RTCP keeps the long one.
    Aes128Sha32,
    /// `AES_256_CM_HMAC_SHA1_80` (RFC 6188 §4).
    Aes256Sha80,
}

impl SrtpSuite {
    /// All, as they are looked for in a description.
    const ALL: [Self; 3] = [Self::Aes128Sha80, Self::Aes128Sha32, Self::Aes256Sha80];

    /// The name in `a=crypto`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Sha80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Aes128Sha32 => "AES_CM_128_HMAC_SHA1_32",
            Self::Aes256Sha80 => "AES_256_CM_HMAC_SHA1_80",
        }
    }

    /// The suite of a name, if we speak it.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Bytes of the master key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Sha80 | Self::Aes128Sha32 => 16,
            Self::Aes256Sha80 => 32,
        }
    }

    /// Bytes of the master key and salt together, as `inline:` carries them.
    pub const fn inline_len(self) -> usize {
        self.key_len() + 14
    }

    /// Bytes of the tag at the end of an RTP packet.
    pub const fn rtp_tag_len(self) -> usize {
        match self {
            Self::Aes128Sha80 | Self::Aes256Sha80 => 10,
            Self::Aes128Sha32 => 4,
        }
    }

    /// Bytes of the tag at the end of an RTCP packet (RFC 3711 §5.2, RFC 4568 §6.2.2).
    pub const fn rtcp_tag_len(self) -> usize {
        10
    }

    pub(super) const fn profile(self) -> ProtectionProfile {
        match self {
            Self::Aes128Sha80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Self::Aes128Sha32 => ProtectionProfile::Aes128CmHmacSha1_32,
            Self::Aes256Sha80 => ProtectionProfile::Aes256CmHmacSha1_80,
        }
    }
}
