//! As much of an RTP header (RFC 3550 §5.1) as a plain telephone needs.

/// The header without what a telephone does not use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// What the payload is.
    pub payload_type: u8,
    /// Its number, which wraps.
    pub sequence: u16,
    /// When it is played, in units of the codec's clock.
    pub timestamp: u32,
    /// Whose it is.
    pub ssrc: u32,
}

const LENGTH: usize = 12;
/// The first byte: version 2, without and with a header extension.
const PLAIN: u8 = 0x80;
const EXTENDED: u8 = 0x90;

impl Header {
    /// A packet with this header.
    pub fn packet(self, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::with_capacity(LENGTH + payload.len());
        packet.extend([PLAIN, self.payload_type]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        packet
    }

    /// Header and payload; none of what is no RTP. An extension is passed over, padding is not used here.
    pub fn read(packet: &[u8]) -> Option<(Self, &[u8])> {
        let (header, rest) = packet.split_first_chunk::<LENGTH>()?;
        let [flags, kind, s0, s1, t0, t1, t2, t3, o0, o1, o2, o3] = *header;
        if is_rtcp(kind) {
            return None;
        }
        let payload = match flags {
            PLAIN => rest,
            EXTENDED => {
                let ([_, _, high, low], rest) = rest.split_first_chunk::<4>()?;
                let words = usize::from(u16::from_be_bytes([*high, *low]));
                rest.get(4 * words..)?
            }
            _ => return None,
        };
        let header = Self {
            payload_type: kind & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([o0, o1, o2, o3]),
        };
        Some((header, payload))
    }
}

/// Whose an RTP or SRTP packet is.
pub fn ssrc(datagram: &[u8]) -> Option<u32> {
    let header = is_rtp(datagram).then(|| datagram.first_chunk::<LENGTH>())??;
    let [.., o0, o1, o2, o3] = *header;
    Some(u32::from_be_bytes([o0, o1, o2, o3]))
}

/// Whether a datagram is RTP or SRTP, beside STUN, DTLS and RTCP (RFC 5761 §4, RFC 7983 §7).
pub fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, kind, ..] if !is_rtcp(*kind))
}

fn is_rtcp(kind: u8) -> bool {
    (192..=223).contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let header = Header {
            payload_type: 111,
            sequence: 65_535,
            timestamp: 0x8000_0001,
            ssrc: 7,
        };
        let packet = header.packet(b"sound");
        assert!(is_rtp(&packet));
        assert_eq!(Header::read(&packet), Some((header, &b"sound"[..])));
        assert_eq!(ssrc(&packet), Some(7));
    }

    #[test]
    fn an_extension_is_passed_over() {
        let mut packet = vec![EXTENDED, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7];
        packet.extend([0xbe, 0xde, 0, 1, 0x10, 0, 0, 0]);
        packet.extend(b"sound");
        let (header, payload) = Header::read(&packet).unwrap();
        assert_eq!((header.timestamp, payload), (160, &b"sound"[..]));
        packet.truncate(18);
        assert_eq!(Header::read(&packet), None);
    }

    #[test]
    fn neither_rtcp_nor_stun_is_rtp() {
        for kind in [200, 201, 206] {
            assert!(!is_rtp(&[0x80, kind, 0, 1]));
        }
        assert!(!is_rtp(&[0, 1, 0, 8]) && !is_rtp(&[22, 254, 253]) && !is_rtp(&[]));
        assert_eq!(Header::read(&[0x80; 11]), None);
    }
}
