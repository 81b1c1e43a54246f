use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::rtp::{Reception, Report, ReportBlock, ReportError, SenderInfo, Stamp};

use super::Stream;

/// Sender and receiver reports of a call, once a second (RFC 3550 §6.4): a tenth of a percent of what its sound takes.
#[derive(Debug)]
pub(super) struct Reports {
    ours: Stream,
    begun: Instant,
    next: Instant,
    /// Streams of the browser that are reported on.
    received: Vec<Reception>,
    packets_sent: u32,
    octets_sent: u32,
    /// When the last packet of ours was sent, and its media time.
    last_sent: Option<(Instant, u32)>,
}

/// What the browser says of a stream of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Heard {
    pub(crate) ssrc: u32,
    /// Lost since the report before, of 256.
    pub(crate) fraction_lost: u8,
    /// From us to the browser and back, once it has heard a report of ours.
    pub(crate) round_trip: Option<Duration>,
}

impl Reports {
    const EVERY: Duration = Duration::from_secs(1);
    /// Since 1900.
    const YEAR_2026: Duration = Duration::from_secs(126 * 365 * 86_400 + 31 * 86_400);
    /// A microphone, and each time that it is changed for another one.
    const STREAMS_MAX: usize = 8;
    /// A browser hears one stream; whoever reports on more in one datagram is not a browser.
    const BLOCKS_MAX: usize = 6;
    /// The name in our reports; it tells nothing of anybody (RFC 7022).
    const CANONICAL_NAME: &'static str = "housecall";

    pub(super) fn new(now: Instant, ours: Stream) -> Self {
        Self {
            ours,
            begun: now,
            next: now + Self::EVERY,
            received: Vec::new(),
            packets_sent: 0,
            octets_sent: 0,
            last_sent: None,
        }
    }

    /// Counts a packet of the browser.
    pub(super) fn received(&mut self, now: Instant, header: &rtp::Header) {
        let stamp = Stamp {
            ssrc: header.ssrc,
            sequence: header.sequence_number,
            timestamp: header.timestamp,
        };
        if let Some(reception) = self.reception_of(stamp.ssrc) {
            reception.received(now, stamp);
        } else if self.received.len() < Self::STREAMS_MAX {
            let reception = Reception::new(now, self.ours.clock_rate, stamp);
            self.received.push(reception);
        }
    }

    fn reception_of(&mut self, ssrc: u32) -> Option<&mut Reception> {
        self.received.iter_mut().find(|it| it.ssrc() == ssrc)
    }

    /// Counts a packet of ours.
    pub(super) fn sent(&mut self, now: Instant, packet: &rtp::Packet) {
        let octets = u32::try_from(packet.payload.len()).unwrap_or(u32::MAX);
        self.packets_sent = self.packets_sent.wrapping_add(1);
        self.octets_sent = self.octets_sent.wrapping_add(octets);
        self.last_sent = Some((now, packet.header.timestamp));
    }

    /// Takes what the browser reports. Returns what it says of streams that it receives.
    ///
    /// # Errors
    /// It is no report.
    pub(super) fn heard(&mut self, now: Instant, plain: &[u8]) -> Result<Vec<Heard>, ReportError> {
        let report = Report::parse(plain)?;
        if let (Some(info), Some(reception)) = (&report.sender, self.reception_of(report.ssrc)) {
            reception.sender_report(now, info);
        }
        let clock = self.clock(now);
        let blocks = report.blocks.iter().take(Self::BLOCKS_MAX);
        Ok(blocks.map(|block| said(block, clock)).collect())
    }

    /// The report that is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<Bytes> {
        if now < self.next {
            return None;
        }
        self.next = now + Self::EVERY;
        let report = Report {
            ssrc: self.ours.ssrc,
            sender: self.info(now),
            blocks: self.received.iter_mut().map(|it| it.report(now)).collect(),
            ..Report::default()
        };
        Some(report.to_bytes(Self::CANONICAL_NAME))
    }

    /// What a sender report says of our stream; nothing before its first packet.
    fn info(&self, now: Instant) -> Option<SenderInfo> {
        let (at, timestamp) = self.last_sent?;
        let since = now.saturating_duration_since(at).as_micros();
        let ticks = since * u128::from(self.ours.clock_rate) / 1_000_000;
        Some(SenderInfo {
            ntp: SenderInfo::ntp_of(self.clock(now)),
            timestamp: timestamp.wrapping_add(ticks as u32),
            packets: self.packets_sent,
            octets: self.octets_sent,
        })
    }

    /// Our clock. No wall's is needed (RFC 3550 §6.4.1), but some take a time of long ago for none.
    fn clock(&self, now: Instant) -> Duration {
        Self::YEAR_2026 + now.saturating_duration_since(self.begun)
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.next
    }
}

fn said(block: &ReportBlock, clock: Duration) -> Heard {
    Heard {
        ssrc: block.ssrc,
        fraction_lost: block.fraction_lost,
        round_trip: block.round_trip(clock),
    }
}
