/// Tells bursts of loss from gaps between them (RFC 3611 §4.7.2), packet by packet in the order of their numbers.
///
/// A burst begins and ends with a lost packet, and has no [`Bursts::GAP_MIN`] received ones in a row inside. A single lost packet with as many
/// received ones on either side is no burst: it lies in a gap.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bursts {
    packets: u64,
    lost: u64,
    /// Losses in a row, counted once.
    runs: u64,
    /// Bursts that are over, the packets in them, and the lost ones of these.
    bursts: u64,
    burst_packets: u64,
    burst_lost: u64,
    /// The losses since the last long run of received packets.
    open: Open,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Open {
    lost: u64,
    /// Packets from its first loss to its last.
    packets: u64,
    /// Packets received since its last loss.
    received: u64,
}

/// How lossy bursts and gaps were. Densities are of 256.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct BurstFigures {
    /// The part of the packets in bursts that was lost.
    pub burst_density: u8,
    /// The part of the other packets that was lost.
    pub gap_density: u8,
    /// The mean length of a burst, in packets.
    pub burst_packets: u64,
    /// The mean length of a gap, in packets.
    pub gap_packets: u64,
}

impl Bursts {
    /// Received packets in a row that end a burst: the value that RFC 3611 recommends.
    pub const GAP_MIN: u8 = 16;

    /// Takes the fate of the next packet.
    pub fn packet(&mut self, came: bool) {
        self.packets += 1;
        if came {
            self.open.received += 1;
            if self.open.received >= u64::from(Self::GAP_MIN) {
                self.close();
            }
            return;
        }
        self.lost += 1;
        let in_a_row = self.open.lost > 0 && self.open.received == 0;
        self.runs += u64::from(!in_a_row);
        let between = if self.open.lost > 0 {
            self.open.received
        } else {
            0
        };
        self.open.packets += between + 1;
        self.open.lost += 1;
        self.open.received = 0;
    }

    /// Packets whose fate is known.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Those of them that were lost.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Runs of lost packets.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The figures so far.
    pub fn figures(&self) -> BurstFigures {
        let mut ended = *self;
        ended.close();
        let gap_packets = ended.packets - ended.burst_packets;
        BurstFigures {
            burst_density: of_256(ended.burst_lost, ended.burst_packets),
            gap_density: of_256(ended.lost - ended.burst_lost, gap_packets),
            burst_packets: ended.burst_packets / ended.bursts.max(1),
            gap_packets: gap_packets / (ended.bursts + 1),
        }
    }

    fn close(&mut self) {
        if self.open.lost > 1 {
            self.bursts += 1;
            self.burst_packets += self.open.packets;
            self.burst_lost += self.open.lost;
        }
        let received = self.open.received;
        self.open = Open {
            received,
            ..Open::default()
        };
    }
}

/// A part in units of 1/256; RFC 3611 §4.7.1 wants what would be 256 written as 255.
pub(super) fn of_256(part: u64, whole: u64) -> u8 {
    u8::try_from(part.saturating_mul(256) / whole.max(1)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `.` came, `x` did not.
    fn bursts(pattern: &str) -> Bursts {
        let mut bursts = Bursts::default();
        pattern.chars().for_each(|fate| bursts.packet(fate == '.'));
        bursts
    }

    fn quiet(packets: usize) -> String {
        ".".repeat(packets)
    }

    #[test]
    fn a_single_loss_lies_in_a_gap() {
        let one = bursts(&format!("{}x{}", quiet(64), quiet(63)));
        assert_eq!((one.packets(), one.lost(), one.runs()), (128, 1, 1));
        let figures = one.figures();
        assert_eq!((figures.burst_density, figures.burst_packets), (0, 0));
        assert_eq!((figures.gap_density, figures.gap_packets), (2, 128));
    }

    /// RFC 3611 §4.7.2: fifteen received packets between two losses do not end a burst, sixteen do.
    #[test]
    fn sixteen_in_a_row_end_a_burst() {
        let joined = bursts(&format!("{}x{}x{}", quiet(20), quiet(15), quiet(20))).figures();
        assert_eq!(
            (joined.burst_packets, joined.burst_density),
            (17, (2 * 256 / 17) as u8)
        );
        let apart = bursts(&format!("{}x{}x{}", quiet(20), quiet(16), quiet(20))).figures();
        assert_eq!(apart.burst_packets, 0);
    }

    #[test]
    fn bursts_and_gaps_have_mean_lengths_and_densities() {
        let pattern = format!("{0}xx{0}x.x.xx{0}", quiet(46));
        let all = bursts(&pattern);
        assert_eq!((all.lost(), all.runs()), (6, 4));
        let figures = all.figures();
        assert_eq!(figures.burst_packets, (2 + 6) / 2);
        assert_eq!(figures.burst_density, (6 * 256 / 8) as u8);
        assert_eq!((figures.gap_packets, figures.gap_density), (46, 0));
    }

    #[test]
    fn everything_lost_is_one_burst_and_fits_into_a_byte() {
        let figures = bursts(&"x".repeat(500)).figures();
        assert_eq!((figures.burst_density, figures.burst_packets), (255, 500));
        assert_eq!(Bursts::default().figures(), BurstFigures::default());
    }
}
