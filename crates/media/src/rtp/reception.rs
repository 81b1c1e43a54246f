use std::time::{Duration, Instant};

use super::bursts::of_256;
use super::{Bursts, ReportBlock, RtpPacket, SenderInfo, VoiceMetrics};
use crate::quality::LegTotals;

/// What has been received of one stream: the numbers of a reception report (RFC 3550 §6.4.1 and appendix A), and how its losses lie
/// (RFC 3611 §4.7).
#[derive(Clone, Debug)]
pub struct Reception {
    ssrc: u32,
    clock_rate: u32,
    begun: Instant,
    base: u32,
    /// Extended with the count of wraps in its upper half.
    highest: u32,
    received: u32,
    /// Lost before the numbers began anew.
    lost_before: u32,
    expected_prior: u32,
    received_prior: u32,
    transit: u32,
    /// In ticks, scaled by 16 as in appendix A.8.
    jitter: u32,
    sender_report: Option<(u32, Instant)>,
    /// Which of the newest numbers have come: bit n is `highest - n`.
    newest: u32,
    fates: Bursts,
    /// The number that would confirm that the sender's numbers began anew (appendix A.1).
    begins_anew: Option<u16>,
    /// The last packet's media time, and how long packets last, in ticks.
    timestamp: u32,
    packet_ticks: u32,
}

/// What of a packet counts for its reception.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// Whose stream.
    pub ssrc: u32,
    /// As in the RTP header.
    pub sequence: u16,
    /// As in the RTP header.
    pub timestamp: u32,
}

impl From<&RtpPacket> for Stamp {
    fn from(packet: &RtpPacket) -> Self {
        Self {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
        }
    }
}

/// Where a packet's number lies relative to the highest so far (appendix A.1).
enum Place {
    Ahead(u32),
    Behind(u32),
    /// So far away that the sender must have begun anew, if the next packet confirms it.
    Elsewhere,
}

impl Reception {
    /// Numbers that may be missing in a row: a minute of 20 ms packets (appendix A.1, MAX_DROPOUT).
    const DROPOUT_MAX: u32 = 3_000;
    /// How far behind a packet may come (appendix A.1, MAX_MISORDER).
    const MISORDER_MAX: u32 = 100;
    /// Packets after which the fate of a number is decided; until then it may come after all.
    const UNDECIDED: u32 = u32::BITS;

    /// Begins with the first packet of a stream.
    pub fn new(now: Instant, clock_rate: u32, first: impl Into<Stamp>) -> Self {
        let Stamp {
            ssrc,
            sequence,
            timestamp,
        } = first.into();
        let sequence = u32::from(sequence);
        Self {
            ssrc,
            clock_rate,
            begun: now,
            base: sequence,
            highest: sequence,
            received: 1,
            lost_before: 0,
            expected_prior: 0,
            received_prior: 0,
            transit: 0_u32.wrapping_sub(timestamp),
            jitter: 0,
            sender_report: None,
            newest: 1,
            fates: Bursts::default(),
            begins_anew: None,
            timestamp,
            packet_ticks: clock_rate / 50,
        }
    }

    /// Whose stream it is.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Counts a further packet of the same stream.
    pub fn received(&mut self, now: Instant, packet: impl Into<Stamp>) {
        let packet = packet.into();
        match self.place(packet.sequence) {
            Place::Ahead(by) => self.advance(by, packet.timestamp),
            Place::Behind(by) => self.newest |= 1_u32.checked_shl(by).unwrap_or(0),
            Place::Elsewhere if self.begins_anew == Some(packet.sequence) => {
                self.begin_anew(packet.sequence);
            }
            Place::Elsewhere => {
                self.begins_anew = Some(packet.sequence.wrapping_add(1));
                return;
            }
        }
        self.begins_anew = None;
        self.received = self.received.saturating_add(1);
        self.timestamp = packet.timestamp;
        self.measure_jitter(now, packet.timestamp);
    }

    fn place(&self, sequence: u16) -> Place {
        let ahead = u32::from(sequence.wrapping_sub(self.highest as u16));
        let behind = 0x1_0000 - ahead;
        if ahead < Self::DROPOUT_MAX {
            Place::Ahead(ahead)
        } else if behind <= Self::MISORDER_MAX {
            Place::Behind(behind)
        } else {
            Place::Elsewhere
        }
    }

    /// Goes on to a higher number. The oldest undecided ones have not come, if not by now.
    fn advance(&mut self, by: u32, timestamp: u32) {
        for _ in 0..by {
            let decided = self.newest & 1 << (Self::UNDECIDED - 1) != 0;
            self.newest <<= 1;
            self.highest = self.highest.wrapping_add(1);
            if self.highest.wrapping_sub(self.base) >= Self::UNDECIDED {
                self.fates.packet(decided);
            }
        }
        self.newest |= 1;
        let ticks = timestamp.wrapping_sub(self.timestamp);
        if by == 1 && (1..=self.clock_rate / 8).contains(&ticks) {
            self.packet_ticks = ticks;
        }
    }

    fn begin_anew(&mut self, sequence: u16) {
        self.lost_before = self.lost();
        // Both packets that began anew have come, and the first was not counted.
        let first = sequence.wrapping_sub(1);
        (self.base, self.highest, self.newest) = (u32::from(first), u32::from(first) + 1, 0b11);
        (self.received, self.received_prior, self.expected_prior) = (1, 0, 0);
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
        let lost = self.expected().saturating_sub(self.received);
        self.lost_before.saturating_add(lost)
    }

    /// What has become of the packets whose fate is decided. `discarded` is what the jitter buffer did not play of them.
    pub fn totals(&self, discarded: u64) -> LegTotals {
        LegTotals {
            received: self.fates.packets() - self.fates.lost(),
            lost: self.fates.lost(),
            gaps: self.fates.runs(),
            discarded,
        }
    }

    /// Begins a block of voice metrics (RFC 3611 §4.7.1, §4.7.2) with what reception knows of it.
    pub fn voice_metrics(&self, discarded: u64) -> VoiceMetrics {
        let figures = self.fates.figures();
        VoiceMetrics {
            ssrc: self.ssrc,
            lost: of_256(self.fates.lost(), self.fates.packets()),
            discarded: of_256(discarded, self.fates.packets()),
            burst_density: figures.burst_density,
            gap_density: figures.gap_density,
            burst_ms: self.milliseconds(figures.burst_packets),
            gap_ms: self.milliseconds(figures.gap_packets),
            gap_min: Bursts::GAP_MIN,
            ..VoiceMetrics::default()
        }
    }

    fn milliseconds(&self, packets: u64) -> u16 {
        let ticks = packets.saturating_mul(u64::from(self.packet_ticks));
        u16::try_from(ticks.saturating_mul(1_000) / u64::from(self.clock_rate.max(1)))
            .unwrap_or(u16::MAX)
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

    fn stamp(sequence: u16, timestamp: u32) -> Stamp {
        Stamp {
            ssrc: 5,
            sequence,
            timestamp,
        }
    }

    /// A stream that begins with 65530 and has these packets, each on time.
    fn received(numbers: impl IntoIterator<Item = u16>) -> (Instant, Reception) {
        let start = Instant::now();
        let mut reception = Reception::new(start, 8_000, stamp(65_530, 0));
        for n in numbers {
            let at = start + Duration::from_millis(20) * u32::from(n);
            reception.received(at, stamp(65_530_u16.wrapping_add(n), 160 * u32::from(n)));
        }
        (start, reception)
    }

    #[test]
    fn loss_is_counted_across_the_wrap() {
        let (start, mut reception) = received((1..20).filter(|n| *n != 3 && *n != 12));
        assert_eq!((reception.expected(), reception.lost()), (20, 2));
        let block = reception.report(start + Duration::from_secs(1));
        assert_eq!(block.fraction_lost, (2 * 256 / 20) as u8);
        assert_eq!(block.highest_sequence, 65_536 + 13);
        assert_eq!(reception.jitter(), Duration::ZERO);
        let next = reception.report(start + Duration::from_secs(2));
        assert_eq!(next.fraction_lost, 0);
    }

    #[test]
    fn jitter_rises_with_uneven_arrival() {
        let start = Instant::now();
        let mut reception = Reception::new(start, 8_000, stamp(0, 0));
        for n in 1..200_u16 {
            let late = if n % 2 == 0 { 10 } else { 0 };
            let at = start + Duration::from_millis(20 * u64::from(n) + late);
            reception.received(at, stamp(n, 160 * u32::from(n)));
        }
        let jitter = reception.jitter().as_millis();
        assert!((8..=10).contains(&jitter), "{jitter} ms");
    }

    /// Disorder within 32 packets is no loss, and a packet that comes twice makes up for none.
    #[test]
    fn fates_are_decided_late_and_exactly() {
        let disordered = (1..201_u16).map(|n| if n % 2 == 1 { n + 1 } else { n - 1 });
        let (_, reception) = received(disordered);
        assert_eq!(reception.totals(0).lost, 0);
        let doubled = (1..200_u16).filter(|n| n % 50 != 7).flat_map(|n| [n, n]);
        let (_, reception) = received(doubled);
        let totals = reception.totals(3);
        assert_eq!((totals.lost, totals.gaps, totals.discarded), (4, 4, 3));
        assert_eq!(totals.received, 200 - 32 - 4);
    }

    /// RFC 3611 §4.7: half a second out of ten is one burst of 500 ms, all of it lost.
    #[test]
    fn a_burst_is_measured_in_milliseconds() {
        let (_, reception) = received((1..532).filter(|n| !(200..225).contains(n)));
        let metrics = reception.voice_metrics(5);
        assert_eq!((metrics.burst_ms, metrics.burst_density), (500, 255));
        assert_eq!((metrics.gap_ms, metrics.gap_density), (4_740, 0));
        assert_eq!((metrics.lost, metrics.discarded), (12, 2));
        assert_eq!(metrics.gap_min, 16);
    }

    /// RFC 3550 A.1: one packet from elsewhere changes nothing, two in a row are a sender that began anew, and nobody's loss.
    #[test]
    fn a_jump_of_numbers_is_not_a_loss() {
        let (start, mut reception) = received(1..100);
        let before = reception.expected();
        reception.received(start, stamp(20_000, 0));
        assert_eq!((reception.expected(), reception.lost()), (before, 0));
        reception.received(start, stamp(65_530_u16.wrapping_add(100), 16_000));
        for n in 0..50 {
            reception.received(start, stamp(20_000 + n, 160 * u32::from(n)));
        }
        assert_eq!((reception.expected(), reception.lost()), (50, 0));
        assert_eq!(reception.totals(0).lost, 0);
    }

    #[test]
    fn no_numbers_make_it_panic_or_slow() {
        let (start, mut reception) = received([]);
        let mut seed = 7_u32;
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            reception.received(start, stamp((seed >> 16) as u16, seed));
        }
        assert!(reception.report(start).highest_sequence >= 65_530 || reception.expected() > 0);
    }
}
