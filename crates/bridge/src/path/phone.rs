use std::net::SocketAddr;
use std::time::{Duration, Instant};

use housecall_media::rtp::{Reception, ReferenceTime, Report, RtpPacket, SinceReference};
use housecall_media::sdp::{Direction, MediaTarget};

use super::protection::Protection;
use super::source::Source;

/// What is known of the phone's end.
#[derive(Debug)]
pub(super) struct Phone {
    pub(super) target: MediaTarget,
    pub(super) protection: Protection,
    pub(super) source: Source,
    pub(super) reception: Option<Reception>,
    /// Whether it has sent extended reports, and so reads them.
    pub(super) speaks_extended: bool,
    /// The last time by its clock that it wants to have answered.
    reference: Option<(Instant, ReferenceTime)>,
    /// Since when it has been silent; none while it need not speak.
    silent_since: Option<Instant>,
}

impl Phone {
    pub(super) fn new(target: MediaTarget) -> Self {
        Self {
            protection: Protection::new(&target),
            source: Source::new(target.remote),
            target,
            reception: None,
            speaks_extended: false,
            reference: None,
            silent_since: None,
        }
    }

    /// Goes on with a later description. Before the answer that may be another fork's, and what the one before sends is not of this call
    /// any more; after it the sound of before is still on its way.
    pub(super) fn retarget(&mut self, target: MediaTarget, answered: bool) {
        self.protection.change(&target, answered);
        self.source.rename(target.remote);
        self.target = target;
    }

    pub(super) fn received(&mut self, now: Instant, packet: &RtpPacket) {
        self.silent_since = self.silent_since.map(|_| now);
        match &mut self.reception {
            Some(reception) if reception.ssrc() == packet.ssrc => reception.received(now, packet),
            _ => self.reception = Some(Reception::new(now, self.clock_rate_of(packet), packet)),
        }
    }

    fn clock_rate_of(&self, packet: &RtpPacket) -> u32 {
        let codec = self.target.codec_of(packet.payload_type);
        codec.unwrap_or(self.target.codec).clock_rate()
    }

    /// Takes what of a report is about its own clock, to be named in ours.
    pub(super) fn heard_report(&mut self, now: Instant, report: &Report) {
        if let (Some(info), Some(reception)) = (&report.sender, &mut self.reception) {
            reception.sender_report(now, info);
        }
        self.speaks_extended |= !report.extended.is_empty();
        let reference = report.extended.reference.map(|reference| (now, reference));
        self.reference = reference.or(self.reference);
    }

    pub(super) fn answer_to_reference(&self, now: Instant) -> Option<SinceReference> {
        let (at, reference) = self.reference?;
        Some(reference.answer(now.saturating_duration_since(at)))
    }

    /// Where reports go: as SDP says, unless the phone's sound comes from elsewhere; then the port after that.
    pub(super) fn rtcp_addr(&self) -> Option<SocketAddr> {
        let addr = self.source.addr();
        if addr == self.target.remote {
            return self.target.rtcp.filter(|rtcp| !rtcp.ip().is_unspecified());
        }
        addr.port()
            .checked_add(1)
            .map(|port| SocketAddr::new(addr.ip(), port))
    }

    pub(super) fn expect_sound(&mut self, now: Instant) {
        self.silent_since = Some(now);
    }

    pub(super) fn expect_nothing(&mut self) {
        self.silent_since = None;
    }

    /// Whether it has been silent for longer than it may. Said once. A phone that holds us, or that we hold, may be silent for ever.
    pub(super) fn is_lost(&mut self, now: Instant, silence_max: Duration) -> bool {
        let Some(since) = self.silent_since else {
            return false;
        };
        if self.target.direction != Direction::SendRecv {
            self.silent_since = Some(now);
            return false;
        }
        let lost = now.saturating_duration_since(since) >= silence_max;
        if lost {
            self.silent_since = None;
        }
        lost
    }
}
