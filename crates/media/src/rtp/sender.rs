use bytes::Bytes;

use super::{RtpPacket, SenderInfo};

/// Numbers the packets of one outgoing stream.
///
/// One sender lives as long as the call: after a hold its sequence goes on, so that the other side never takes the continuation for a
/// replay (RFC 3550 §5.1).
#[derive(Clone, Debug)]
pub struct RtpSender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    packets: u32,
    octets: u32,
}

impl RtpSender {
    /// Begins a stream. RFC 3550 §5.1 wants all three numbers random; `seed` is where they come from.
    pub fn new(seed: u64) -> Self {
        let mixed = mix(seed);
        Self {
            ssrc: (mixed >> 32) as u32,
            sequence: (mixed & 0x7fff) as u16,
            timestamp: mix(mixed) as u32,
            packets: 0,
            octets: 0,
        }
    }

    /// Who we are in this stream.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The number of the next packet.
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// The media time of the next packet, in ticks.
    pub fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// Lets media time pass: 160 ticks for 20 ms at 8 kHz.
    pub fn advance(&mut self, ticks: u32) {
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }

    /// Makes a packet of the present media time.
    pub fn packet(&mut self, payload_type: u8, marker: bool, payload: Bytes) -> RtpPacket {
        self.packet_at(self.timestamp, payload_type, marker, payload)
    }

    /// Makes a packet of another media time: all packets of a telephone event carry the time of its start (RFC 4733 §2.1).
    pub fn packet_at(
        &mut self,
        timestamp: u32,
        payload_type: u8,
        marker: bool,
        payload: Bytes,
    ) -> RtpPacket {
        self.numbered(self.sequence, timestamp, payload_type, marker, payload)
    }

    /// Makes a packet with a number of its own, such as one that another stream's packet was fitted to. Ours go on after the highest.
    pub(super) fn numbered(
        &mut self,
        sequence: u16,
        timestamp: u32,
        payload_type: u8,
        marker: bool,
        payload: Bytes,
    ) -> RtpPacket {
        if sequence.wrapping_sub(self.sequence) < 0x8000 {
            self.sequence = sequence.wrapping_add(1);
        }
        self.packets = self.packets.wrapping_add(1);
        self.octets = self
            .octets
            .wrapping_add(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        RtpPacket {
            payload_type,
            marker,
            sequence,
            timestamp,
            ssrc: self.ssrc,
            payload,
        }
    }

    /// What a sender report says of this stream, but for the time of the report.
    pub fn info(&self, ntp: u64) -> SenderInfo {
        SenderInfo {
            ntp,
            timestamp: self.timestamp,
            packets: self.packets,
            octets: self.octets,
        }
    }
}

/// SplitMix64's last step: spreads a seed over all its bits.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_by_one_and_time_by_what_passed() {
        let mut sender = RtpSender::new(3);
        let first = sender.packet(0, true, Bytes::from_static(&[0; 160]));
        sender.advance(160);
        let second = sender.packet(0, false, Bytes::from_static(&[0; 160]));
        assert_eq!(second.sequence, first.sequence.wrapping_add(1));
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 160);
        assert_eq!(second.ssrc, first.ssrc);
        let info = sender.info(9);
        assert_eq!((info.packets, info.octets, info.ntp), (2, 320, 9));
    }
}
