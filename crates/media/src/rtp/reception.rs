use std::time::{Duration, Instant};

use super::{ReportBlock, RtpPacket, SenderInfo};

/// What has been received of one stream: the numbers of a reception report (RFC 3550 §6.4.1 and appendix A).
#[derive(Clone, Debug)]
pub struct Reception {
    ssrc: u32,
    clock_rate: u32,
    begun: Instant,
    base: u32,
    /// Extended with the count of wraps in its upper half.
    highest: u32,
    received: u32,
    expected_prior: u32,
    received_prior: u32,
    transit: u32,
    /// In ticks, scaled by 16 as in appendix A.8.
    jitter: u32,
    sender_report: Option<(u32, Instant)>,
}

impl Reception {
    /// Begins with the first packet of a stream.
    pub fn new(now: Instant, clock_rate: u32, first: &RtpPacket) -> Self {
        let sequence = u32::from(first.sequence);
        Self {
            ssrc: first.ssrc,
            clock_rate,
            begun: now,
            base: sequence,
            highest: sequence,
            received: 1,
            expected_prior: 0,
            received_prior: 0,
            transit: 0_u32.wrapping_sub(first.timestamp),
            jitter: 0,
            sender_report: None,
        }
    }

    /// Whose stream it is.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Counts a further packet of the same stream.
    pub fn received(&mut self, now: Instant, packet: &RtpPacket) {
        self.received = self.received.saturating_add(1);
        let ahead = packet.sequence.wrapping_sub(self.highest as u16);
        // Appendix A.1: more than half the numbers ahead is behind.
        if ahead < 0x8000 {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
        }
        self.measure_jitter(now, packet.timestamp);
    }

    /// Remembers a sender report, to be named in our next report.
    pub fn sender_report(&mut self, now: Instant, info: &SenderInfo) {
        self.sender_report = Some((info.ntp_middle(), now));
    }

    /// Packets that should have come so far.
    pub fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.base).wrapping_add(1)
    }

    /// Packets lost so far; duplicates make up for losses, as RFC 3550 §6.4.1 wants it.
    pub fn lost(&self) -> u32 {
        self.expected().saturating_sub(self.received)
    }

    /// The interarrival jitter.
    pub fn jitter(&self) -> Duration {
        let ticks = u64::from(self.jitter >> 4);
        Duration::from_micros(ticks * 1_000_000 / u64::from(self.clock_rate.max(1)))
    }

    /// Writes the block about this stream and begins the next interval.
    pub fn report(&mut self, now: Instant) -> ReportBlock {
        let (expected, received) = (self.expected(), self.received);
        let in_interval = expected.wrapping_sub(self.expected_prior);
        let lost = in_interval.saturating_sub(received.wrapping_sub(self.received_prior));
        (self.expected_prior, self.received_prior) = (expected, received);
        let (last_sender_report, delay) = self.since_sender_report(now);
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: u8::try_from((u64::from(lost) << 8) / u64::from(in_interval.max(1)))
                .unwrap_or(u8::MAX),
            lost: self.lost().min(0x7f_ffff),
            highest_sequence: self.highest,
            jitter: self.jitter >> 4,
            last_sender_report,
            delay_since_sender_report: delay,
        }
    }

    fn since_sender_report(&self, now: Instant) -> (u32, u32) {
        self.sender_report.map_or((0, 0), |(middle, at)| {
            (middle, units_of_65536th(now.saturating_duration_since(at)))
        })
    }

    /// Appendix A.8.
    fn measure_jitter(&mut self, now: Instant, timestamp: u32) {
        let micros = now.saturating_duration_since(self.begun).as_micros();
        let arrival = (micros * u128::from(self.clock_rate) / 1_000_000) as u32;
        let transit = arrival.wrapping_sub(timestamp);
        let difference = (transit.wrapping_sub(self.transit) as i32).unsigned_abs();
        self.transit = transit;
        // A jump of more than a second is a new beginning of the sender's clock, not jitter.
        if difference < self.clock_rate {
            self.jitter = self
                .jitter
                .saturating_add(difference)
                .saturating_sub((self.jitter + 8) >> 4);
        }
    }
}

/// A duration in units of 1/65536 s, as in DLSR.
pub(super) fn units_of_65536th(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros() * 65_536 / 1_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn packet(sequence: u16, timestamp: u32) -> RtpPacket {
        RtpPacket {
            payload_type: 0,
            marker: false,
            sequence,
            timestamp,
            ssrc: 5,
            payload: Bytes::new(),
        }
    }

    #[test]
    fn loss_is_counted_across_the_wrap() {
        let start = Instant::now();
        let mut reception = Reception::new(start, 8_000, &packet(65_530, 0));
        for n in 1..20_u16 {
            if n != 3 && n != 12 {
                let at = start + Duration::from_millis(20) * u32::from(n);
                reception.received(at, &packet(65_530_u16.wrapping_add(n), 160 * u32::from(n)));
            }
        }
        assert_eq!((reception.expected(), reception.lost()), (20, 2));
        let block = reception.report(start + Duration::from_secs(1));
        assert_eq!(block.fraction_lost, (2 * 256 / 20) as u8);
        assert_eq!(block.highest_sequence, 65_536 + 13);
        assert_eq!(reception.jitter(), Duration::ZERO);
        assert_eq!(
            reception
                .report(start + Duration::from_secs(2))
                .fraction_lost,
            0
        );
    }

    #[test]
    fn jitter_rises_with_uneven_arrival() {
        let start = Instant::now();
        let mut reception = Reception::new(start, 8_000, &packet(0, 0));
        for n in 1..200_u16 {
            let late = if n % 2 == 0 { 10 } else { 0 };
            let at = start + Duration::from_millis(20 * u64::from(n) + late);
            reception.received(at, &packet(n, 160 * u32::from(n)));
        }
        let jitter = reception.jitter().as_millis();
        assert!((8..=10).contains(&jitter), "{jitter} ms");
    }
}
