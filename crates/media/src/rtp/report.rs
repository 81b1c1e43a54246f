use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rtcp::receiver_report::ReceiverReport;
use rtcp::reception_report::ReceptionReport;
use rtcp::sender_report::SenderReport;
use rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use shared::marshal::Unmarshal;

use super::extended::{self, Extended};

/// What one RTCP datagram says (RFC 3550 §6).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Whose report it is.
    pub ssrc: u32,
    /// What the sender says of its own stream; none in a receiver report.
    pub sender: Option<SenderInfo>,
    /// What the sender says of what it receives.
    pub blocks: Vec<ReportBlock>,
    /// What it says beyond that (RFC 3611).
    pub extended: Extended,
    /// Whether the sender leaves (BYE).
    pub bye: bool,
}

/// The sender's part of a sender report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SenderInfo {
    /// Time of the report, in units of 2^-32 s of the sender's own clock.
    pub ntp: u64,
    /// The same moment in ticks of the stream.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub octets: u32,
}

/// What a receiver says of one stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: u32,
    /// Lost since the last report, in units of 1/256.
    pub fraction_lost: u8,
    /// Lost since the beginning; 24 bits on the wire.
    pub lost: u32,
    /// The highest sequence number, with the count of wraps above it.
    pub highest_sequence: u32,
    /// Interarrival jitter in ticks.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's time; 0 if there was none.
    pub last_sender_report: u32,
    /// How long ago that was, in units of 1/65536 s.
    pub delay_since_sender_report: u32,
}

/// Why a datagram is no RTCP.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Longer than any report between two.
    #[error("{bytes} bytes, cap {cap}")]
    TooLong {
        /// Bytes there are.
        bytes: usize,
        /// The cap.
        cap: usize,
    },
    /// A packet in it is cut short, or has the wrong version.
    #[error("malformed at byte {at} of {bytes}")]
    Malformed {
        /// Where the packet begins.
        at: usize,
        /// Bytes there are.
        bytes: usize,
    },
}

impl SenderInfo {
    /// The middle 32 bits of the time, which the answering report names.
    pub fn ntp_middle(&self) -> u32 {
        (self.ntp >> 16) as u32
    }

    /// The time of a report, from how long the sender's clock has run. RFC 3550 §6.4.1 allows a clock that is not the wall's.
    pub fn ntp_of(running: Duration) -> u64 {
        let fraction = (u64::from(running.subsec_nanos()) << 32) / 1_000_000_000;
        (running.as_secs() << 32) | fraction
    }
}

impl ReportBlock {
    /// Packets lost since the beginning. On the wire the number is signed, and below zero when some came twice (RFC 3550 §6.4.1): that is
    /// none.
    pub fn lost_by_now(&self) -> u64 {
        if self.lost & 0x80_0000 == 0 {
            u64::from(self.lost & 0x7f_ffff)
        } else {
            0
        }
    }

    /// The round trip that this block closes, if it names one of our reports. `running` is how long our clock has run.
    pub fn round_trip(&self, running: Duration) -> Option<Duration> {
        if self.last_sender_report == 0 {
            return None;
        }
        let now = (SenderInfo::ntp_of(running) >> 16) as u32;
        let units = now
            .wrapping_sub(self.last_sender_report)
            .wrapping_sub(self.delay_since_sender_report);
        // More than a minute is a wrap or a lie.
        (units < 60 * 65_536).then(|| Duration::from_micros(u64::from(units) * 1_000_000 / 65_536))
    }
}

impl Report {
    /// The longest datagram read, in bytes.
    pub const BYTES_MAX: usize = 2_048;

    /// Reads a compound packet. Kinds that a phone call does not need are passed over.
    ///
    /// # Errors
    /// [`ReportError`]; count the datagram and drop it.
    pub fn parse(datagram: &[u8]) -> Result<Self, ReportError> {
        let bytes = datagram.len();
        if bytes > Self::BYTES_MAX {
            return Err(ReportError::TooLong {
                bytes,
                cap: Self::BYTES_MAX,
            });
        }
        let mut report = Self::default();
        let mut at = 0;
        while at == 0 || at < bytes {
            let malformed = ReportError::Malformed { at, bytes };
            let (kind, packet) = packet_at(datagram, at).ok_or(malformed)?;
            report.take(kind, packet).ok_or(malformed)?;
            at += packet.len();
        }
        Ok(report)
    }

    /// Prints the report with the canonical name that every compound packet carries (RFC 3550 §6.1), and a BYE if we leave.
    pub fn to_bytes(&self, canonical_name: &str) -> Bytes {
        let mut bytes = printed(&[self.first_packet(), self.name(canonical_name)]);
        bytes.extend(self.extended.to_bytes(self.ssrc));
        if self.bye {
            let goodbye = rtcp::goodbye::Goodbye {
                sources: vec![self.ssrc],
                reason: Bytes::new(),
            };
            bytes.extend(printed(&[Box::new(goodbye)]));
        }
        bytes.freeze()
    }

    fn first_packet(&self) -> Box<dyn rtcp::packet::Packet> {
        let reports: Vec<ReceptionReport> = self.blocks.iter().take(31).map(to_wire).collect();
        match self.sender {
            Some(sender) => Box::new(SenderReport {
                ssrc: self.ssrc,
                ntp_time: sender.ntp,
                rtp_time: sender.timestamp,
                packet_count: sender.packets,
                octet_count: sender.octets,
                reports,
                profile_extensions: Bytes::new(),
            }),
            None => Box::new(ReceiverReport {
                ssrc: self.ssrc,
                reports,
                profile_extensions: Bytes::new(),
            }),
        }
    }

    fn name(&self, canonical_name: &str) -> Box<dyn rtcp::packet::Packet> {
        let text: String = canonical_name
            .chars()
            .filter(char::is_ascii)
            .take(64)
            .collect();
        let item = SourceDescriptionItem {
            sdes_type: SdesType::SdesCname,
            text: text.into(),
        };
        Box::new(SourceDescription {
            chunks: vec![SourceDescriptionChunk {
                source: self.ssrc,
                items: vec![item],
            }],
        })
    }

    /// Takes what one packet says. Its length is known to be what its header says; the report count is checked here.
    fn take(&mut self, kind: u8, mut packet: &[u8]) -> Option<()> {
        match kind {
            200 if has_room(packet, 28) => {
                let report = SenderReport::unmarshal(&mut packet).ok()?;
                self.sender = Some(SenderInfo {
                    ntp: report.ntp_time,
                    timestamp: report.rtp_time,
                    packets: report.packet_count,
                    octets: report.octet_count,
                });
                self.ssrc = report.ssrc;
                self.blocks.extend(report.reports.iter().map(of_wire));
            }
            201 if has_room(packet, 8) => {
                let report = ReceiverReport::unmarshal(&mut packet).ok()?;
                self.ssrc = report.ssrc;
                self.blocks.extend(report.reports.iter().map(of_wire));
            }
            200 | 201 => return None,
            203 => self.bye = true,
            extended::PACKET_TYPE => self.extended.take(packet)?,
            _ => {}
        }
        Some(())
    }
}

/// It cannot fail: at most 31 blocks, a short name, and a buffer as long as the packets say.
fn printed(packets: &[Box<dyn rtcp::packet::Packet>]) -> BytesMut {
    rtcp::packet::marshal(packets).unwrap_or_default()
}

/// The kind and the bytes of the packet that begins at `at`, if all of it is there.
fn packet_at(datagram: &[u8], at: usize) -> Option<(u8, &[u8])> {
    let rest = datagram.get(at..)?;
    let &[first, kind, high, low] = rest.first_chunk::<4>()?;
    let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
    (first >> 6 == 2).then_some(())?;
    Some((kind, rest.get(..length)?))
}

/// Whether a report of `fixed` bytes and the blocks it counts fits into its packet.
fn has_room(packet: &[u8], fixed: usize) -> bool {
    let blocks = packet.first().map_or(0, |first| usize::from(first & 0x1f));
    packet.len() >= fixed + 24 * blocks
}

fn to_wire(block: &ReportBlock) -> ReceptionReport {
    ReceptionReport {
        ssrc: block.ssrc,
        fraction_lost: block.fraction_lost,
        total_lost: block.lost & 0xff_ffff,
        last_sequence_number: block.highest_sequence,
        jitter: block.jitter,
        last_sender_report: block.last_sender_report,
        delay: block.delay_since_sender_report,
    }
}

fn of_wire(report: &ReceptionReport) -> ReportBlock {
    ReportBlock {
        ssrc: report.ssrc,
        fraction_lost: report.fraction_lost,
        lost: report.total_lost,
        highest_sequence: report.last_sequence_number,
        jitter: report.jitter,
        last_sender_report: report.last_sender_report,
        delay_since_sender_report: report.delay,
    }
}

#[cfg(test)]
mod tests {
    use super::super::reception::units_of_65536th;
    use super::super::voice_metrics::tests::metrics;
    use super::*;

    fn report() -> Report {
        let block = ReportBlock {
            ssrc: 9,
            fraction_lost: 12,
            lost: 345,
            highest_sequence: 70_000,
            jitter: 40,
            last_sender_report: 77,
            delay_since_sender_report: 88,
        };
        let sender = SenderInfo {
            ntp: 1 << 40,
            timestamp: 5,
            packets: 6,
            octets: 960,
        };
        Report {
            ssrc: 4,
            sender: Some(sender),
            blocks: vec![block],
            extended: Extended {
                voice: vec![metrics()],
                ..Extended::default()
            },
            bye: true,
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let printed = report().to_bytes("housecall");
        assert_eq!(Report::parse(&printed), Ok(report()));
        let receiver = Report {
            sender: None,
            bye: false,
            ..report()
        };
        assert_eq!(Report::parse(&receiver.to_bytes("housecall")), Ok(receiver));
    }

    #[test]
    fn truncation_at_every_byte_is_refused_or_is_a_whole_prefix() {
        let printed = report().to_bytes("housecall");
        for length in 0..printed.len() {
            if let Ok(read) = Report::parse(&printed[..length]) {
                assert!(!read.bye, "a BYE out of {length} bytes");
                assert_eq!(length % 4, 0);
            }
        }
        assert_eq!(
            Report::parse(&[]),
            Err(ReportError::Malformed { at: 0, bytes: 0 })
        );
        // A sender report that counts 31 blocks and has none.
        assert!(
            Report::parse(&[
                0x9f, 200, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                0, 0
            ])
            .is_err()
        );
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut seed = 7_u32;
        let mut next = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        let good = report().to_bytes("housecall");
        for _ in 0..20_000 {
            let mut bytes = good.to_vec();
            let at = usize::from(next()) % bytes.len();
            bytes[at] = next();
            let read = Report::parse(&bytes);
            assert!(read.is_err() || read.is_ok_and(|read| read.blocks.len() <= 93));
        }
    }

    #[test]
    fn losses_below_zero_are_none() {
        let lost = |lost| {
            ReportBlock {
                lost,
                ..report().blocks[0]
            }
            .lost_by_now()
        };
        assert_eq!(
            [0, 5, 0x7f_ffff, 0x80_0000, 0xff_ffff].map(lost),
            [0, 5, 0x7f_ffff, 0, 0]
        );
    }

    #[test]
    fn the_round_trip_is_what_passed_less_what_the_other_side_waited() {
        let sent_at = Duration::from_millis(12_000);
        let info = SenderInfo {
            ntp: SenderInfo::ntp_of(sent_at),
            timestamp: 0,
            packets: 0,
            octets: 0,
        };
        let block = ReportBlock {
            last_sender_report: info.ntp_middle(),
            delay_since_sender_report: units_of_65536th(Duration::from_millis(500)),
            ..report().blocks[0]
        };
        let trip = block
            .round_trip(sent_at + Duration::from_millis(580))
            .unwrap();
        assert!((79..=81).contains(&trip.as_millis()), "{trip:?}");
        assert_eq!(
            ReportBlock {
                last_sender_report: 0,
                ..block
            }
            .round_trip(sent_at),
            None
        );
    }
}
