use std::collections::VecDeque;

use rtc::interceptor::{Attribute, AttributedPacket, Packet, TaggedPacket};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;

use super::incoming::OnTheWayIn;

/// Hands up what the browser says of the streams that it hears (RFC 3550 §6.4).
///
/// The chain keeps all RTCP to itself except what is marked, and a browser that also speaks reports inside its sender reports. Each stream's
/// block gets a receiver report of its own, by whose stream the stack tells where it belongs.
#[derive(Default)]
pub(super) struct Reports;

/// A browser hears three people, with sound and picture; whoever reports more in one packet is not a browser.
const BLOCKS_MAX: usize = 6;

/// What a browser's packets say of the streams that it receives, at most [`BLOCKS_MAX`] times.
fn blocks(packets: &[Box<dyn rtc::rtcp::Packet>]) -> Vec<ReceptionReport> {
    let of_each = packets.iter().flat_map(|packet| {
        let any = packet.as_any();
        let by_sender = any
            .downcast_ref::<SenderReport>()
            .map(|report| &report.reports);
        let by_receiver = any
            .downcast_ref::<ReceiverReport>()
            .map(|report| &report.reports);
        by_sender.or(by_receiver).into_iter().flatten()
    });
    of_each.take(BLOCKS_MAX).cloned().collect()
}

impl OnTheWayIn for Reports {
    fn take(&mut self, packet: TaggedPacket, on: &mut VecDeque<TaggedPacket>) {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            for block in blocks(packets) {
                on.push_back(TaggedPacket {
                    now: packet.now,
                    transport: packet.transport,
                    message: report(block),
                });
            }
        }
        on.push_back(packet);
    }
}

fn report(block: ReceptionReport) -> AttributedPacket {
    let report = ReceiverReport {
        reports: vec![block],
        ..ReceiverReport::default()
    };
    AttributedPacket::new(Packet::Rtcp(vec![Box::new(report)]))
        .with(Attribute::DeliverToApplication)
}
