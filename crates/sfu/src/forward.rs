use std::time::{Duration, Instant};

use housecall_browser::{Kind, OutPacket};

use crate::PeerId;
use crate::vp8::Descriptor;

/// One track as one viewer sees it: a single stream without end, whoever feeds it.
///
/// A publisher who comes back has other numbers in its packets. Here they are carried on from where the last
/// publisher's ended, because a browser takes a leap for loss, and a number used twice would be encrypted twice.
#[derive(Debug)]
pub(crate) struct Forward {
    kind: Kind,
    source: Option<Source>,
    last: Option<Last>,
}

/// What a packet is to a viewer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Send this.
    Send(OutPacket),
    /// The viewer can start only at a key frame.
    AwaitsKeyFrame,
    /// Of no use: it is from before the stream began.
    Drop,
}

/// Where packets come from, and what is added to their numbers.
#[derive(Debug)]
struct Source {
    id: SourceId,
    /// The highest sequence number so far, unwrapped.
    highest: i64,
    /// The sequence number at which forwarding began; earlier packets are dropped.
    first: i64,
    offsets: Offsets,
}

/// A connection's stream; another connection or another SSRC is another source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SourceId {
    pub(crate) peer: PeerId,
    pub(crate) ssrc: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Offsets {
    sequence: u16,
    timestamp: u32,
    picture_id: u16,
    tl0: u8,
}

/// The highest numbers sent, and when.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Instant,
    sequence: u16,
    timestamp: u32,
    picture_id: u16,
    tl0: u8,
}

impl Forward {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            source: None,
            last: None,
        }
    }

    /// Turns a publisher's packet into the viewer's next.
    pub(crate) fn packet(&mut self, now: Instant, id: SourceId, packet: &rtp::Packet) -> Verdict {
        let descriptor = self.descriptor(packet);
        if self.source.as_ref().is_none_or(|source| source.id != id) {
            if self.kind == Kind::Video && !descriptor.starts_key_frame {
                return Verdict::AwaitsKeyFrame;
            }
            self.source = Some(self.begin(now, id, packet, &descriptor));
        }
        let Some(source) = &mut self.source else {
            return Verdict::Drop;
        };
        let Some(ahead) = source.advance(packet.header.sequence_number) else {
            return Verdict::Drop;
        };
        let out = source.offsets.apply(packet, &descriptor);
        if ahead || self.last.is_none() {
            self.last = Some(self.note(now, &out, &descriptor));
        }
        Verdict::Send(out)
    }

    fn descriptor(&self, packet: &rtp::Packet) -> Descriptor {
        match self.kind {
            Kind::Audio => Descriptor::default(),
            Kind::Video => Descriptor::read(&packet.payload).unwrap_or_default(),
        }
    }

    fn begin(
        &self,
        now: Instant,
        id: SourceId,
        packet: &rtp::Packet,
        descriptor: &Descriptor,
    ) -> Source {
        let first = i64::from(packet.header.sequence_number);
        let offsets = self.last.map_or_else(Offsets::default, |last| {
            let timestamp = last
                .timestamp
                .wrapping_add(self.ticks(now.saturating_duration_since(last.at)));
            let picture_id = descriptor.picture_id.map_or(0, |id| id.number);
            let tl0 = descriptor.tl0_index.map_or(0, |(_, value)| value);
            Offsets {
                sequence: last
                    .sequence
                    .wrapping_add(1)
                    .wrapping_sub(packet.header.sequence_number),
                timestamp: timestamp.wrapping_sub(packet.header.timestamp),
                picture_id: last.picture_id.wrapping_add(1).wrapping_sub(picture_id),
                tl0: last.tl0.wrapping_add(1).wrapping_sub(tl0),
            }
        });
        Source {
            id,
            highest: first,
            first,
            offsets,
        }
    }

    /// The time that has passed in the media's clock; never nothing, or two frames would have one timestamp.
    fn ticks(&self, passed: Duration) -> u32 {
        let (hz, least) = match self.kind {
            Kind::Audio => (48_000, 960),
            Kind::Video => (90_000, 3_000),
        };
        let ticks = passed.as_micros().saturating_mul(hz) / 1_000_000;
        // A timestamp wraps; so does the time away.
        ((ticks & u128::from(u32::MAX)) as u32).max(least)
    }

    fn note(&self, now: Instant, out: &OutPacket, descriptor: &Descriptor) -> Last {
        let before = self.last;
        let offsets = self
            .source
            .as_ref()
            .map(|source| source.offsets)
            .unwrap_or_default();
        Last {
            at: now,
            sequence: out.sequence,
            timestamp: out.timestamp,
            picture_id: descriptor
                .picture_id
                .map_or(before.map_or(0, |last| last.picture_id), |id| {
                    id.number.wrapping_add(offsets.picture_id)
                }),
            tl0: descriptor
                .tl0_index
                .map_or(before.map_or(0, |last| last.tl0), |(_, tl0)| {
                    tl0.wrapping_add(offsets.tl0)
                }),
        }
    }
}

impl Source {
    /// Places a sequence number in the stream: `Some(true)` if it is its newest, `None` if from before its beginning.
    fn advance(&mut self, sequence: u16) -> Option<bool> {
        let highest = (self.highest & 0xffff) as u16;
        let ahead = sequence.wrapping_sub(highest).cast_signed();
        let place = self.highest + i64::from(ahead);
        if place < self.first {
            return None;
        }
        self.highest = self.highest.max(place);
        Some(ahead > 0)
    }
}

impl Offsets {
    fn apply(&self, packet: &rtp::Packet, descriptor: &Descriptor) -> OutPacket {
        let picture_id = descriptor
            .picture_id
            .map_or(0, |id| id.number.wrapping_add(self.picture_id));
        let tl0 = descriptor
            .tl0_index
            .map_or(0, |(_, value)| value.wrapping_add(self.tl0));
        OutPacket {
            marker: packet.header.marker,
            sequence: packet.header.sequence_number.wrapping_add(self.sequence),
            timestamp: packet.header.timestamp.wrapping_add(self.timestamp),
            level: None,
            payload: descriptor.rewritten(&packet.payload, picture_id, tl0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const FIRST: SourceId = SourceId {
        peer: PeerId(1),
        ssrc: 11,
    };
    const SECOND: SourceId = SourceId {
        peer: PeerId(2),
        ssrc: 11,
    };

    fn video(sequence: u16, timestamp: u32, picture_id: u16, key: bool) -> rtp::Packet {
        let [high, low] = (picture_id | 0x8000).to_be_bytes();
        let payload = Bytes::from(vec![0x90, 0x80, high, low, u8::from(!key), 0xff]);
        let header = rtp::Header {
            version: 2,
            marker: true,
            sequence_number: sequence,
            timestamp,
            ..Default::default()
        };
        rtp::Packet { header, payload }
    }

    fn sent(verdict: Verdict) -> (u16, u32, u16) {
        let Verdict::Send(packet) = verdict else {
            panic!("{verdict:?}")
        };
        let id = Descriptor::read(&packet.payload)
            .unwrap()
            .picture_id
            .unwrap();
        (packet.sequence, packet.timestamp, id.number)
    }

    #[test]
    fn video_starts_at_a_key_frame() {
        let now = Instant::now();
        let mut forward = Forward::new(Kind::Video);
        assert!(matches!(
            forward.packet(now, FIRST, &video(9, 0, 4, false)),
            Verdict::AwaitsKeyFrame
        ));
        assert_eq!(
            sent(forward.packet(now, FIRST, &video(10, 3000, 5, true))),
            (10, 3000, 5)
        );
        assert!(
            matches!(
                forward.packet(now, FIRST, &video(9, 0, 4, false)),
                Verdict::Drop
            ),
            "from before"
        );
        assert_eq!(
            sent(forward.packet(now, FIRST, &video(11, 6000, 6, false))),
            (11, 6000, 6)
        );
    }

    #[test]
    fn a_publisher_who_comes_back_carries_on() {
        let now = Instant::now();
        let mut forward = Forward::new(Kind::Video);
        forward.packet(now, FIRST, &video(65_535, u32::MAX, 0x7fff, true));
        let later = now + Duration::from_secs(1);
        assert!(matches!(
            forward.packet(later, SECOND, &video(7, 50, 3, false)),
            Verdict::AwaitsKeyFrame
        ));
        let out = sent(forward.packet(later, SECOND, &video(8, 100, 4, true)));
        assert_eq!(
            out,
            (0, 89_999, 0),
            "one sequence on, a second on, one picture on"
        );
        assert_eq!(
            sent(forward.packet(later, SECOND, &video(10, 3100, 5, false))),
            (2, 92_999, 1)
        );
        assert_eq!(
            sent(forward.packet(later, SECOND, &video(9, 3100, 5, false))),
            (1, 92_999, 1),
            "late, in place"
        );
    }

    #[test]
    fn late_packets_of_the_old_source_do_not_come_back() {
        let now = Instant::now();
        let mut forward = Forward::new(Kind::Video);
        forward.packet(now, FIRST, &video(10, 0, 1, true));
        forward.packet(now, SECOND, &video(500, 0, 1, true));
        assert!(matches!(
            forward.packet(now, FIRST, &video(11, 0, 1, false)),
            Verdict::AwaitsKeyFrame
        ));
        assert!(matches!(
            forward.packet(now, SECOND, &video(499, 0, 1, false)),
            Verdict::Drop
        ));
    }

    #[test]
    fn a_long_stream_wraps_without_a_seam() {
        let now = Instant::now();
        let mut forward = Forward::new(Kind::Audio);
        forward.packet(now, FIRST, &video(100, 0, 0, true));
        forward.packet(now, SECOND, &video(40_000, 0, 0, true));
        for step in 1..150_000_u32 {
            let sequence = (40_000 + step) as u16;
            let Verdict::Send(out) = forward.packet(now, SECOND, &video(sequence, step, 0, true))
            else {
                panic!("dropped at {step}");
            };
            assert_eq!(out.sequence, (101 + step) as u16);
        }
    }
}
