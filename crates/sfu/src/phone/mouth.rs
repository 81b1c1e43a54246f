use std::time::{Duration, Instant};

use bytes::Bytes;
use housecall_media::{AudioLevel, Frame, OpusDecoder};

use super::encoder::FrameEncoder;
use super::sound::{OpusPacket, PhoneSound};

/// A phone's voice on the way to everybody: Opus, whatever form the leg gives it in.
#[derive(Debug, Default)]
pub(crate) struct Mouth {
    encoder: FrameEncoder,
    /// Numbers of the frames that are encoded here.
    sequence: u16,
    timestamp: u32,
    /// When the next frame is due, if the leg goes on.
    next: Option<Instant>,
    /// Decodes packets of which nobody says how loud they are, to know who speaks.
    meter: Option<OpusDecoder>,
}

/// A packet for everybody, and how loud it is, if there is memory to find out.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) packet: rtp::Packet,
    pub(crate) level: Option<AudioLevel>,
}

/// Two streams, should a leg change its mind: numbers of one mean nothing in the other.
const SSRC_OF_PACKETS: u32 = 0;
const SSRC_OF_FRAMES: u32 = 1;

impl Mouth {
    /// The longest payload: one frame's (RFC 6716 §3.2.1), which fits into a datagram.
    const PAYLOAD_BYTES_MAX: usize = 1_275;
    /// A leg that comes later than this with its next frame has paused.
    const PAUSE: Duration = Duration::from_millis(60);

    /// Makes a packet of what the phone says. None if it is nothing that can be sent on.
    pub(crate) fn speak(&mut self, now: Instant, sound: PhoneSound) -> Option<Spoken> {
        match sound {
            PhoneSound::Packet(packet) => self.packet(packet),
            PhoneSound::Frame(frame) => self.frame(now, &frame),
        }
    }

    /// Decoders in use.
    pub(crate) fn decoders(&self) -> usize {
        usize::from(self.meter.is_some())
    }

    fn packet(&mut self, packet: OpusPacket) -> Option<Spoken> {
        let OpusPacket { payload, .. } = &packet;
        if payload.len() > Self::PAYLOAD_BYTES_MAX || OpusDecoder::ticks(payload).is_none() {
            return None;
        }
        let level = packet.level.or_else(|| self.measure(payload));
        let packet = rtp_packet(
            SSRC_OF_PACKETS,
            packet.marker,
            (packet.sequence, packet.timestamp),
            packet.payload,
        );
        Some(Spoken { packet, level })
    }

    fn measure(&mut self, payload: &[u8]) -> Option<AudioLevel> {
        let meter = match self.meter.take() {
            Some(meter) => meter,
            None => OpusDecoder::new().ok()?,
        };
        let mut sound = Vec::new();
        // A damaged packet is for each listener to conceal; as loud as nothing.
        let _ = self.meter.insert(meter).decode(payload, &mut sound);
        Some(AudioLevel::of(&sound))
    }

    fn frame(&mut self, now: Instant, frame: &Frame) -> Option<Spoken> {
        let paused = self.catch_up(now);
        let timestamp = self.timestamp;
        let ticks = frame.len() as u32 * (48_000 / frame.rate().hertz());
        self.timestamp = timestamp.wrapping_add(ticks);
        self.next = self
            .next
            .map(|next| next + Duration::from_micros(u64::from(ticks) * 125 / 6));
        let payload = self.encoder.encode(frame)?;
        self.sequence = self.sequence.wrapping_add(1);
        Some(Spoken {
            packet: rtp_packet(SSRC_OF_FRAMES, paused, (self.sequence, timestamp), payload),
            level: Some(AudioLevel::of(frame)),
        })
    }

    /// Lets media time go on through a pause of the leg; returns whether there was one.
    fn catch_up(&mut self, now: Instant) -> bool {
        let late = self.next.map(|next| now.saturating_duration_since(next));
        if late.is_some_and(|late| late <= Self::PAUSE) {
            return false;
        }
        let ticks = late.unwrap_or_default().as_millis().saturating_mul(48);
        // Media time wraps, and so does a pause.
        self.timestamp = self
            .timestamp
            .wrapping_add((ticks & u128::from(u32::MAX)) as u32);
        self.next = Some(now);
        true
    }
}

pub(super) fn rtp_packet(
    ssrc: u32,
    marker: bool,
    (sequence_number, timestamp): (u16, u32),
    payload: Bytes,
) -> rtp::Packet {
    let header = rtp::Header {
        version: 2,
        marker,
        sequence_number,
        timestamp,
        ssrc,
        ..Default::default()
    };
    rtp::Packet { header, payload }
}
