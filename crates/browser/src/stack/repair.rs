use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// Turns retransmissions (RTX, RFC 4588) back into the packets they repeat, ahead of the NACK generator.
///
/// The stack does so only behind it: the generator would never learn that a packet has come after all, and ask for it
/// again and again (measured with Chromium: 1500 retransmissions in 14 s for 5 % of loss, where 25 were wanting).
#[derive(Default)]
pub(super) struct Repair {
    /// By the SSRC of the retransmissions; at most [`STREAMS_MAX`].
    streams: BTreeMap<u32, Repaired>,
    read: VecDeque<TaggedPacket>,
    written: VecDeque<TaggedPacket>,
}

/// The stream that is repaired.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Repaired {
    ssrc: u32,
    payload_type: u8,
    rtx_payload_type: u8,
}

const STREAMS_MAX: usize = 8;

impl Repaired {
    /// Restores the packet that is repeated (RFC 4588 §4). Without its number it is padding to probe bandwidth with, and
    /// stays as it is.
    fn restore(self, packet: &mut rtp::Packet) {
        let Some(number) = packet.payload.first_chunk::<2>() else {
            return;
        };
        packet.header.sequence_number = u16::from_be_bytes(*number);
        packet.header.ssrc = self.ssrc;
        packet.header.payload_type = self.payload_type;
        packet.header.padding = false;
        packet.payload = packet.payload.slice(2..);
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Repair {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, mut message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &mut message.message.packet
            && let Some(repaired) = self.streams.get(&packet.header.ssrc)
            && repaired.rtx_payload_type == packet.header.payload_type
        {
            repaired.restore(packet);
        }
        self.read.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.written.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.written.pop_front()
    }

    fn handle_timeout(&mut self, _now: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl Interceptor for Repair {
    fn bind_remote_stream(&mut self, stream: &StreamInfo) {
        if let Some(rtx_ssrc) = stream.ssrc_rtx
            && let Some(rtx_payload_type) = stream.payload_type_rtx
            && self.streams.len() < STREAMS_MAX
        {
            let (ssrc, payload_type) = (stream.ssrc, stream.payload_type);
            self.streams.insert(
                rtx_ssrc,
                Repaired {
                    ssrc,
                    payload_type,
                    rtx_payload_type,
                },
            );
        }
    }

    fn unbind_remote_stream(&mut self, stream: &StreamInfo) {
        if let Some(rtx_ssrc) = stream.ssrc_rtx {
            self.streams.remove(&rtx_ssrc);
        }
    }

    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
}
