use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use rtc::interceptor::{
    Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket,
};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// Hands the browser's key frame requests up to the application.
///
/// The chain keeps all RTCP to itself except what is marked. A request may come anywhere in a compound packet, while
/// the stack looks only at the first part to tell whose it is; so each requested stream gets a packet of its own, and a
/// FIR (RFC 5104 §3.5.1) becomes a PLI (RFC 4585 §6.3.1): both ask for the same.
#[derive(Default)]
pub(super) struct Keyframes {
    read: VecDeque<TaggedPacket>,
    written: VecDeque<TaggedPacket>,
}

/// A browser sees three pictures; whoever asks for more streams in one packet is not a browser.
const REQUESTS_MAX: usize = 4;

fn requested(packets: &[Box<dyn rtc::rtcp::Packet>]) -> BTreeSet<u32> {
    let mut ssrcs = BTreeSet::new();
    for packet in packets {
        if let Some(loss) = packet.as_any().downcast_ref::<PictureLossIndication>() {
            ssrcs.insert(loss.media_ssrc);
        } else if let Some(request) = packet.as_any().downcast_ref::<FullIntraRequest>() {
            ssrcs.extend(
                request
                    .fir
                    .iter()
                    .take(REQUESTS_MAX)
                    .map(|entry| entry.ssrc),
            );
        }
    }
    ssrcs
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Keyframes {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            for media_ssrc in requested(packets).into_iter().take(REQUESTS_MAX) {
                let request = PictureLossIndication {
                    sender_ssrc: 0,
                    media_ssrc,
                };
                let packet = AttributedPacket::new(Packet::Rtcp(vec![Box::new(request)]));
                self.read.push_back(TaggedPacket {
                    now: message.now,
                    transport: message.transport,
                    message: packet.with(Attribute::DeliverToApplication),
                });
            }
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

impl Interceptor for Keyframes {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
