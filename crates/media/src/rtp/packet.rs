use bytes::{Bytes, BytesMut};
use shared::marshal::{Marshal, Unmarshal};

/// One RTP packet, as much of it as the phone leg needs (RFC 3550 §5.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RtpPacket {
    /// 0 to 127; what it means is agreed in SDP.
    pub payload_type: u8,
    /// The first packet after silence, or of a telephone event.
    pub marker: bool,
    /// Rises by one a packet, wraps.
    pub sequence: u16,
    /// In ticks of the codec's clock, wraps.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// The sound, without padding.
    pub payload: Bytes,
}

/// Why a datagram is no RTP packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RtpError {
    /// It ends before its header does.
    #[error("{bytes} bytes, its header needs {needs}")]
    Truncated {
        /// Bytes there are.
        bytes: usize,
        /// Bytes its header speaks of.
        needs: usize,
    },
    /// Longer than anything a phone sends.
    #[error("{bytes} bytes, cap {cap}")]
    TooLong {
        /// Bytes there are.
        bytes: usize,
        /// The cap.
        cap: usize,
    },
    /// Version other than 2.
    #[error("version {0}, not 2")]
    Version(u8),
    /// The padding is longer than the payload, or of no length.
    #[error("padding of {padding} in a payload of {payload}")]
    Padding {
        /// The padding length written.
        padding: usize,
        /// Bytes after the header.
        payload: usize,
    },
    /// The header cannot be read.
    #[error("malformed header")]
    Header,
}

const FIXED_HEADER: usize = 12;

impl RtpPacket {
    /// The longest datagram read, in bytes.
    pub const BYTES_MAX: usize = 2_048;

    /// Reads a datagram.
    ///
    /// # Errors
    /// [`RtpError`]; count the datagram and drop it.
    pub fn parse(datagram: Bytes) -> Result<Self, RtpError> {
        let header_len = header_len(&datagram)?;
        let padding = padding(&datagram, header_len)?;
        let head = fixed_header(&datagram).ok_or(RtpError::Header)?;
        let head = ::rtp::Header::unmarshal(&mut head.as_slice()).map_err(|_| RtpError::Header)?;
        Ok(Self {
            payload_type: head.payload_type,
            marker: head.marker,
            sequence: head.sequence_number,
            timestamp: head.timestamp,
            ssrc: head.ssrc,
            payload: datagram.slice(header_len..datagram.len() - padding),
        })
    }

    /// Prints the packet.
    pub fn to_bytes(&self) -> Bytes {
        let header = rtp::header::Header {
            version: 2,
            marker: self.marker,
            payload_type: self.payload_type & 0x7f,
            sequence_number: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        let packet = rtp::Packet {
            header,
            payload: self.payload.clone(),
        };
        // It cannot fail: the buffer is as long as the packet says, and there are no extensions to be refused.
        packet.marshal().map(BytesMut::freeze).unwrap_or_default()
    }
}

/// The fixed header, without the flags that speak of what follows it: contributing sources, extensions and padding are measured
/// here and of no use to a phone.
fn fixed_header(datagram: &[u8]) -> Option<[u8; FIXED_HEADER]> {
    let mut head = *datagram.first_chunk::<FIXED_HEADER>()?;
    head[0] &= 0b1100_0000;
    Some(head)
}

/// The length of the whole header: fixed part, contributing sources, extension.
pub(crate) fn header_len(datagram: &[u8]) -> Result<usize, RtpError> {
    let bytes = datagram.len();
    if bytes > RtpPacket::BYTES_MAX {
        return Err(RtpError::TooLong {
            bytes,
            cap: RtpPacket::BYTES_MAX,
        });
    }
    let first = *datagram.first().ok_or(RtpError::Truncated {
        bytes,
        needs: FIXED_HEADER,
    })?;
    if first >> 6 != 2 {
        return Err(RtpError::Version(first >> 6));
    }
    let without_extension = FIXED_HEADER + 4 * usize::from(first & 0x0f);
    let needs = if first & 0x10 == 0 {
        without_extension
    } else {
        without_extension + extension_len(datagram, without_extension)?
    };
    if bytes < needs {
        Err(RtpError::Truncated { bytes, needs })
    } else {
        Ok(needs)
    }
}

fn extension_len(datagram: &[u8], at: usize) -> Result<usize, RtpError> {
    match datagram.get(at..at + 4) {
        Some(&[_, _, high, low]) => Ok(4 + 4 * usize::from(u16::from_be_bytes([high, low]))),
        _ => Err(RtpError::Truncated {
            bytes: datagram.len(),
            needs: at + 4,
        }),
    }
}

fn padding(datagram: &[u8], header_len: usize) -> Result<usize, RtpError> {
    let padded = datagram.first().is_some_and(|first| first & 0x20 != 0);
    if !padded {
        return Ok(0);
    }
    let payload = datagram.len() - header_len;
    let padding = datagram.last().copied().map_or(0, usize::from);
    if padding == 0 || padding > payload {
        Err(RtpError::Padding { padding, payload })
    } else {
        Ok(padding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> RtpPacket {
        RtpPacket {
            payload_type: 8,
            marker: true,
            sequence: 65_535,
            timestamp: 0xfedc_ba98,
            ssrc: 0x1234_5678,
            payload: Bytes::from_static(&[0xd5; 160]),
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let printed = packet().to_bytes();
        assert_eq!(printed.len(), 172);
        assert_eq!(printed[..4], [0x80, 0x88, 0xff, 0xff]);
        assert_eq!(RtpPacket::parse(printed), Ok(packet()));
    }

    #[test]
    fn sources_extension_and_padding_are_not_sound() {
        let mut bytes = vec![0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([9, 9, 9, 9]); // one contributing source
        bytes.extend([0xbe, 0xde, 0, 1, 0xf0, 1, 2, 3]); // an extension that ends itself with id 15
        bytes.extend([7, 7, 0, 2]); // two samples and two bytes of padding
        assert_eq!(
            RtpPacket::parse(bytes.into()).map(|packet| packet.payload),
            Ok(Bytes::from_static(&[7, 7]))
        );
    }

    #[test]
    fn malformed_packets_are_refused_with_numbers() {
        let parse = |bytes: &[u8]| RtpPacket::parse(Bytes::copy_from_slice(bytes)).unwrap_err();
        assert_eq!(
            parse(&[]),
            RtpError::Truncated {
                bytes: 0,
                needs: 12
            }
        );
        assert_eq!(
            parse(&[0x80; 11]),
            RtpError::Truncated {
                bytes: 11,
                needs: 12
            }
        );
        assert_eq!(
            parse(&[0x8f; 12]),
            RtpError::Truncated {
                bytes: 12,
                needs: 72
            }
        );
        assert_eq!(parse(&[0x40; 12]), RtpError::Version(1));
        assert_eq!(
            parse(&[0x90; 14]),
            RtpError::Truncated {
                bytes: 14,
                needs: 16
            }
        );
        assert_eq!(
            parse(&[0x80; 3_000]),
            RtpError::TooLong {
                bytes: 3_000,
                cap: 2_048
            }
        );
        let mut padded = [0xa0; 13];
        padded[12] = 2;
        assert_eq!(
            parse(&padded),
            RtpError::Padding {
                padding: 2,
                payload: 1
            }
        );
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut seed = 1_u32;
        for length in 0..4_000_usize {
            let bytes: Vec<u8> = (0..length % 97)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            if let Ok(packet) = RtpPacket::parse(bytes.clone().into()) {
                assert!(packet.payload.len() + FIXED_HEADER <= bytes.len());
            }
        }
    }
}
