use std::time::Duration;

use super::VoiceMetrics;
use super::reception::units_of_65536th;

/// What an extended report says (RTCP XR, RFC 3611), as far as a phone call has use for it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Extended {
    /// How streams sound where they are heard (§4.7).
    pub voice: Vec<VoiceMetrics>,
    /// The reporter's clock, for one who sends nothing and so has no sender report to be answered (§4.4).
    pub reference: Option<ReferenceTime>,
    /// Answers to reference times (§4.5).
    pub since_reference: Vec<SinceReference>,
}

/// The time of a receiver's report: the middle 32 bits, which the answer names (§4.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReferenceTime {
    /// Whose clock.
    pub ssrc: u32,
    /// In units of 2^-32 s of that clock.
    pub ntp: u64,
}

/// How long ago a reference time came (§4.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SinceReference {
    /// Whose reference time it was.
    pub ssrc: u32,
    /// Its middle 32 bits.
    pub last: u32,
    /// In units of 1/65536 s.
    pub delay: u32,
}

/// The packet type (§2) and the block types (§4) that are read and written.
pub(super) const PACKET_TYPE: u8 = 207;
const REFERENCE_TIME: u8 = 4;
const SINCE_REFERENCE: u8 = 5;
const VOICE_METRICS: u8 = 7;
/// Bytes before the first block: the RTCP header and the reporter's SSRC.
const HEAD: usize = 8;

impl ReferenceTime {
    /// The answer to it, `ago` after it came.
    pub fn answer(&self, ago: Duration) -> SinceReference {
        SinceReference {
            ssrc: self.ssrc,
            last: (self.ntp >> 16) as u32,
            delay: units_of_65536th(ago),
        }
    }
}

impl Extended {
    /// Blocks of one kind that are kept of a datagram: more streams than a call has.
    const KEPT: usize = 8;
    /// Blocks of one kind that are written.
    const WRITTEN: usize = 8;

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes what one packet says, whose length is what its header says. None if a block is cut short or has a length that its kind
    /// cannot have; kinds that a call has no use for are passed over (§3).
    pub(super) fn take(&mut self, packet: &[u8]) -> Option<()> {
        let reporter = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
        let mut rest = packet.get(HEAD..)?;
        while !rest.is_empty() {
            let &[kind, _, high, low] = rest.first_chunk::<4>()?;
            let length = 4 * usize::from(u16::from_be_bytes([high, low]));
            let block = rest.get(4..4 + length)?;
            self.take_block(reporter, kind, block)?;
            rest = rest.get(4 + length..)?;
        }
        Some(())
    }

    fn take_block(&mut self, reporter: u32, kind: u8, block: &[u8]) -> Option<()> {
        match kind {
            VOICE_METRICS => keep(&mut self.voice, VoiceMetrics::parse(block)?),
            REFERENCE_TIME => {
                let ntp = u64::from_be_bytes(block.try_into().ok()?);
                self.reference = Some(ReferenceTime {
                    ssrc: reporter,
                    ntp,
                });
            }
            SINCE_REFERENCE => {
                let (answers, []) = block.as_chunks::<12>() else {
                    return None;
                };
                for answer in answers {
                    keep(&mut self.since_reference, SinceReference::parse(answer));
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Prints a packet; nothing if there is nothing to say.
    pub(super) fn to_bytes(&self, reporter: u32) -> Vec<u8> {
        let mut blocks = Vec::new();
        if let Some(reference) = self.reference {
            block(&mut blocks, REFERENCE_TIME, &reference.ntp.to_be_bytes());
        }
        let answers: Vec<u8> = self
            .since_reference
            .iter()
            .take(Self::WRITTEN)
            .flat_map(|answer| answer.to_bytes())
            .collect();
        if !answers.is_empty() {
            block(&mut blocks, SINCE_REFERENCE, &answers);
        }
        for metrics in self.voice.iter().take(Self::WRITTEN) {
            block(&mut blocks, VOICE_METRICS, &metrics.to_bytes());
        }
        if blocks.is_empty() {
            return blocks;
        }
        let words = u16::try_from((HEAD + blocks.len()) / 4 - 1).unwrap_or(0);
        let [high, low] = words.to_be_bytes();
        let mut packet = vec![0x80, PACKET_TYPE, high, low];
        packet.extend(reporter.to_be_bytes());
        packet.extend(blocks);
        packet
    }
}

impl SinceReference {
    fn parse(bytes: &[u8; 12]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
        Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            last: u32::from_be_bytes([e, f, g, h]),
            delay: u32::from_be_bytes([i, j, k, l]),
        }
    }

    fn to_bytes(self) -> impl Iterator<Item = u8> {
        [self.ssrc, self.last, self.delay]
            .into_iter()
            .flat_map(u32::to_be_bytes)
    }
}

fn keep<T>(kept: &mut Vec<T>, block: T) {
    if kept.len() < Extended::KEPT {
        kept.push(block);
    }
}

/// Appends a block of whole words.
fn block(blocks: &mut Vec<u8>, kind: u8, content: &[u8]) {
    let words = u16::try_from(content.len() / 4).unwrap_or(0);
    let [high, low] = words.to_be_bytes();
    blocks.extend([kind, 0, high, low]);
    blocks.extend(content);
}

#[cfg(test)]
mod tests {
    use super::super::voice_metrics::tests::metrics;
    use super::*;

    fn extended() -> Extended {
        Extended {
            voice: vec![
                metrics(),
                VoiceMetrics {
                    ssrc: 9,
                    ..metrics()
                },
            ],
            reference: Some(ReferenceTime {
                ssrc: 77,
                ntp: 0x0102_0304_0506_0708,
            }),
            since_reference: vec![SinceReference {
                ssrc: 1,
                last: 2,
                delay: 3,
            }],
        }
    }

    fn read(packet: &[u8]) -> Option<Extended> {
        let mut extended = Extended::default();
        extended.take(packet).map(|()| extended)
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let printed = extended().to_bytes(77);
        assert_eq!(printed.len(), 8 + 12 + 16 + 2 * 36);
        assert_eq!(printed[..4], [0x80, 207, 0, (printed.len() / 4 - 1) as u8]);
        assert_eq!(read(&printed), Some(extended()));
        assert!(Extended::default().to_bytes(77).is_empty() && Extended::default().is_empty());
    }

    /// RFC 3611 §3: a block of an unknown type is passed over by its length.
    #[test]
    fn unknown_blocks_are_passed_over() {
        let mut packet = vec![0x80, 207, 0, 5, 0, 0, 0, 1];
        packet.extend([200, 9, 0, 1, 1, 2, 3, 4]);
        packet.extend([1, 0, 0, 0]);
        packet.extend([201, 0, 0, 0]);
        assert_eq!(read(&packet), Some(Extended::default()));
    }

    #[test]
    fn every_truncation_and_every_wrong_length_is_refused() {
        let printed = extended().to_bytes(77);
        let whole = [8, 20, 36, 72, printed.len()];
        for length in 0..printed.len() {
            assert_eq!(
                read(&printed[..length]).is_some(),
                whole.contains(&length),
                "{length}"
            );
        }
        for (at, kind) in [
            (8, REFERENCE_TIME),
            (20, SINCE_REFERENCE),
            (36, VOICE_METRICS),
        ] {
            for words in [0_u16, 1, 4, 9, 100, u16::MAX] {
                let mut wrong = printed.clone();
                wrong[at + 2..at + 4].copy_from_slice(&words.to_be_bytes());
                // An empty answer to reference times is odd, and of a length that its kind can have.
                let odd_but_read = kind == SINCE_REFERENCE && words == 0;
                assert!(
                    read(&wrong).is_none() || odd_but_read,
                    "type {kind}, {words} words"
                );
            }
        }
    }

    #[test]
    fn a_datagram_full_of_blocks_is_kept_in_bounds() {
        let mut packet = vec![0x80, 207, 0, 0, 0, 0, 0, 1];
        for ssrc in 0..50 {
            block(
                &mut packet,
                VOICE_METRICS,
                &VoiceMetrics { ssrc, ..metrics() }.to_bytes(),
            );
        }
        block(&mut packet, SINCE_REFERENCE, &[7; 12 * 40]);
        let extended = read(&packet).unwrap();
        assert_eq!(
            (extended.voice.len(), extended.since_reference.len()),
            (8, 8)
        );
    }

    /// RFC 3611 §4.5: the answer names the middle 32 bits and how long ago they came.
    #[test]
    fn a_reference_time_is_answered() {
        let reference = ReferenceTime {
            ssrc: 77,
            ntp: 0x0102_0304_0506_0708,
        };
        let answer = reference.answer(Duration::from_millis(500));
        assert_eq!(
            answer,
            SinceReference {
                ssrc: 77,
                last: 0x0304_0506,
                delay: 32_768
            }
        );
    }
}
