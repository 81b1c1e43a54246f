use std::time::{Duration, Instant};

use housecall_media::jitter::Arrival;
use housecall_media::rtp::{Relay, RtpPacket, RtpSender, Stamp};
use housecall_media::sdp::Codec;
use housecall_media::{AudioLevel, Frame, OpusDecoder};

use super::encoder::FrameEncoder;
use super::sound::{OpusPacket, PhoneSound};

/// A phone's voice on the way to everybody: one stream of Opus, whatever form the leg gives it in.
#[derive(Debug)]
pub(crate) struct Mouth {
    rtp: RtpSender,
    relay: Relay,
    encoder: FrameEncoder,
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

impl Mouth {
    /// The longest payload: one frame's (RFC 6716 §3.2.1), which fits into a datagram.
    const PAYLOAD_BYTES_MAX: usize = 1_275;
    /// A leg that comes later than this with its next frame has paused.
    const PAUSE: Duration = Duration::from_millis(60);
    /// The payload type is each listener's own.
    const NO_TYPE: u8 = 0;

    pub(super) fn new() -> Self {
        Self {
            // Every listener gets numbers of their own, so ours need not be random.
            rtp: RtpSender::new(0),
            relay: Relay::default(),
            encoder: FrameEncoder::default(),
            next: None,
            meter: None,
        }
    }

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

    /// Fits a packet into the stream: no number twice, since a browser's encryption depends on it (RFC 7714 §8.1).
    fn packet(&mut self, packet: OpusPacket) -> Option<Spoken> {
        let OpusPacket {
            marker,
            sequence,
            timestamp,
            level,
            payload,
        } = packet;
        if payload.len() > Self::PAYLOAD_BYTES_MAX {
            return None;
        }
        let stamp = Stamp {
            ssrc: 0,
            sequence,
            timestamp,
        };
        let arrival = Arrival::of(Codec::Opus, stamp, marker, payload)?;
        let packet = self
            .relay
            .packet(&mut self.rtp, Self::NO_TYPE, marker, &arrival)?;
        let level = level.or_else(|| self.measure(&packet.payload));
        let packet = rtp_packet(packet);
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
        let payload = self.encoder.encode(frame)?;
        self.relay.leave(&mut self.rtp);
        let paused = self.catch_up(now);
        let packet = self.rtp.packet(Self::NO_TYPE, paused, payload);
        let ticks = frame.len() as u32 * (48_000 / frame.rate().hertz());
        self.rtp.advance(ticks);
        let length = Duration::from_micros(u64::from(ticks) * 125 / 6);
        self.next = self.next.map(|next| next + length);
        Some(Spoken {
            packet: rtp_packet(packet),
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
        self.rtp.advance((ticks & u128::from(u32::MAX)) as u32);
        self.next = Some(now);
        true
    }
}

pub(super) fn rtp_packet(packet: RtpPacket) -> rtp::Packet {
    let RtpPacket {
        marker,
        sequence,
        timestamp,
        ssrc,
        payload,
        ..
    } = packet;
    let header = rtp::Header {
        version: 2,
        marker,
        sequence_number: sequence,
        timestamp,
        ssrc,
        ..Default::default()
    };
    rtp::Packet { header, payload }
}
