use std::time::Instant;

use rtc::interceptor::{
    AttributedPacket, BoxedInterceptor, Packet, Registry, StreamInfo, TaggedPacket,
};
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::rtcp;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::shared::TransportContext;

use super::Stream;
use crate::stack::reports::blocks;

/// Sender and receiver reports of a call, once a second (RFC 3550 §6.4).
pub(super) struct Reports {
    chain: BoxedInterceptor,
    /// Streams of the browser that are reported on.
    known: Vec<u32>,
}

impl Reports {
    /// Opus, whatever is sampled (RFC 7587 §4.1).
    const CLOCK_RATE: u32 = 48_000;
    /// A microphone, and each time that it is changed for another one.
    const STREAMS_MAX: usize = 8;

    pub(super) fn new(ours: Stream) -> Self {
        let mut chain: BoxedInterceptor = Box::new(configure_rtcp_reports(Registry::new()).build());
        chain.bind_local_stream(&voice(ours));
        Self {
            chain,
            known: Vec::new(),
        }
    }

    /// Counts a packet of the browser, and gives it back.
    pub(super) fn received(&mut self, now: Instant, packet: rtp::Packet) -> Option<rtp::Packet> {
        self.know(Stream {
            ssrc: packet.header.ssrc,
            payload_type: packet.header.payload_type,
        });
        match self.read(now, Packet::Rtp(packet)) {
            Some(Packet::Rtp(packet)) => Some(packet),
            _ => None,
        }
    }

    fn know(&mut self, stream: Stream) {
        if self.known.len() < Self::STREAMS_MAX && !self.known.contains(&stream.ssrc) {
            self.known.push(stream.ssrc);
            self.chain.bind_remote_stream(&voice(stream));
        }
    }

    /// Takes the browser's reports. Returns what they say of streams that it receives.
    pub(super) fn heard(
        &mut self,
        now: Instant,
        packets: Vec<Box<dyn rtcp::Packet>>,
    ) -> Vec<ReceptionReport> {
        let blocks = blocks(&packets);
        // The chain learns when the browser has sent them, and keeps them.
        self.read(now, Packet::Rtcp(packets));
        blocks
    }

    /// What one packet on its way in has become.
    fn read(&mut self, now: Instant, packet: Packet) -> Option<Packet> {
        self.chain.handle_read(tagged(now, packet)).ok()?;
        let first = self.chain.poll_read();
        while self.chain.poll_read().is_some() {}
        first.map(|tagged| tagged.message.packet)
    }

    /// Counts a packet of ours. Returns what is to be sent.
    pub(super) fn sending(&mut self, now: Instant, packet: rtp::Packet) -> Vec<Packet> {
        // A packet that cannot be counted is not sent, and the next one is.
        let _ = self.chain.handle_write(tagged(now, Packet::Rtp(packet)));
        self.written()
    }

    /// The reports that are due.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Packet> {
        // Whoever cannot report now does so later.
        let _ = self.chain.handle_timeout(now);
        self.written()
    }

    fn written(&mut self) -> Vec<Packet> {
        std::iter::from_fn(|| Some(self.chain.poll_write()?.message.packet)).collect()
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        self.chain.poll_timeout()
    }
}

fn voice(stream: Stream) -> StreamInfo {
    StreamInfo {
        ssrc: stream.ssrc,
        payload_type: stream.payload_type,
        mime_type: "audio/opus".to_owned(),
        clock_rate: Reports::CLOCK_RATE,
        ..StreamInfo::default()
    }
}

fn tagged(now: Instant, packet: Packet) -> TaggedPacket {
    TaggedPacket {
        now,
        transport: TransportContext::default(),
        message: AttributedPacket::new(packet),
    }
}
