use std::collections::{BTreeSet, VecDeque};

use rtc::interceptor::{Attribute, AttributedPacket, Packet, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;

use super::incoming::OnTheWayIn;

/// Hands the browser's key frame requests up to the application.
///
/// The chain keeps all RTCP to itself except what is marked. A request may come anywhere in a compound packet, while
/// the stack looks only at the first part to tell whose it is; so each requested stream gets a packet of its own, and a
/// FIR (RFC 5104 §3.5.1) becomes a PLI (RFC 4585 §6.3.1): both ask for the same.
#[derive(Default)]
pub(super) struct Keyframes;

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

impl OnTheWayIn for Keyframes {
    fn take(&mut self, packet: TaggedPacket, on: &mut VecDeque<TaggedPacket>) {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            for media_ssrc in requested(packets).into_iter().take(REQUESTS_MAX) {
                on.push_back(TaggedPacket {
                    now: packet.now,
                    transport: packet.transport,
                    message: request(media_ssrc),
                });
            }
        }
        on.push_back(packet);
    }
}

fn request(media_ssrc: u32) -> AttributedPacket {
    let request = PictureLossIndication {
        sender_ssrc: 0,
        media_ssrc,
    };
    AttributedPacket::new(Packet::Rtcp(vec![Box::new(request)]))
        .with(Attribute::DeliverToApplication)
}
