use super::SrtpError;
use crate::rtp::header_len;

/// What a cipher needs to know of an RTP header.
pub(super) struct Head {
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    /// Its length with all that belongs to it.
    pub(super) len: usize,
}

/// What a cipher needs to know of the first RTCP header.
pub(super) struct RtcpHead {
    pub(super) ssrc: u32,
}

/// Bytes of the number before an RTCP packet's tag.
pub(super) const RTCP_INDEX: usize = 4;

impl Head {
    /// Bytes of the fixed part.
    pub(super) const FIXED: usize = 12;

    /// Reads the header of a packet that ends with a tag.
    pub(super) fn read(packet: &[u8], tag: usize) -> Result<Self, SrtpError> {
        let bytes = packet.len();
        let malformed = SrtpError::Malformed { bytes };
        let len = header_len(packet).map_err(|_| malformed)?;
        let fixed = packet.first_chunk::<{ Self::FIXED }>().ok_or(malformed)?;
        let [_, _, high, low, _, _, _, _, a, b, c, d] = *fixed;
        if bytes < len + tag {
            return Err(malformed);
        }
        Ok(Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            sequence: u16::from_be_bytes([high, low]),
            len,
        })
    }

    /// The header for `rtc-srtp`, which only measures it. Everything behind the fixed part is told as contributing sources, because that
    /// crate reckons an extension's length from how it would write it, which need not be how it was written.
    pub(super) fn header(&self) -> rtp::Header {
        rtp::Header {
            version: 2,
            sequence_number: self.sequence,
            ssrc: self.ssrc,
            csrc: vec![0; self.len.saturating_sub(Self::FIXED) / 4],
            ..Default::default()
        }
    }
}

impl RtcpHead {
    /// Bytes of the first header with its sender.
    pub(super) const LEN: usize = 8;

    /// Reads the first header of a compound.
    pub(super) fn read(packet: &[u8]) -> Result<Self, SrtpError> {
        let bytes = packet.len();
        match packet.first_chunk::<{ Self::LEN }>() {
            Some([first, _, _, _, ssrc @ ..]) if first >> 6 == 2 => Ok(Self {
                ssrc: u32::from_be_bytes(*ssrc),
            }),
            _ => Err(SrtpError::Malformed { bytes }),
        }
    }
}
