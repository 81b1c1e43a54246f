use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::FRAME_MS;
use housecall_media::jitter::Arrival;
use housecall_media::rtp::{Reception, RtpPacket};

/// How evenly the browser's packets come; clean until shown otherwise.
#[derive(Debug, Default)]
pub(super) struct Leg {
    reception: Option<Reception>,
    is_unclean: bool,
}

impl Leg {
    /// Lost packets of 256, and jitter, up to which a leg is clean: no more than any listener's own buffer bridges unheard.
    const FRACTION_LOST_MAX: u8 = 2;
    const JITTER_MAX: Duration = Duration::from_millis(FRAME_MS);

    pub(super) fn received(&mut self, now: Instant, clock_rate: u32, packet: &Arrival) {
        let packet = RtpPacket {
            payload_type: 0,
            marker: false,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: packet.ssrc,
            payload: Bytes::new(),
        };
        match &mut self.reception {
            Some(reception) if reception.ssrc() == packet.ssrc => reception.received(now, &packet),
            reception => *reception = Some(Reception::new(now, clock_rate, &packet)),
        }
    }

    /// Judges it by what has come since the last time.
    pub(super) fn judge(&mut self, now: Instant) {
        if let Some(reception) = &mut self.reception {
            let lost = reception.report(now).fraction_lost;
            self.is_unclean =
                lost > Self::FRACTION_LOST_MAX || reception.jitter() > Self::JITTER_MAX;
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        !self.is_unclean
    }
}
