use std::time::Instant;

use bytes::Bytes;
use housecall_browser::{Kind, OutPacket};
use housecall_media::rtp::RtpPacket;
use housecall_media::{AudioLevel, Frame};

use super::encoder::FrameEncoder;
use super::mouth::rtp_packet;
use super::sound::{Hears, OpusPacket, PhoneSound};
use crate::PeerId;
use crate::forward::{Forward, SourceId, Verdict};

/// What a phone hears: one stream, whoever speaks.
#[derive(Debug)]
pub(crate) struct Ear {
    hears: Hears,
    stream: Forward,
    mix: Mix,
    encoder: FrameEncoder,
}

/// The packets that are made of mixed frames.
#[derive(Debug)]
struct Mix {
    id: SourceId,
    /// The moment of timestamp 0.
    epoch: Instant,
    sequence: u16,
}

impl Ear {
    pub(super) fn new(now: Instant, id: PeerId, hears: Hears) -> Self {
        let mix = Mix {
            id: SourceId { peer: id, ssrc: 0 },
            epoch: now,
            sequence: 0,
        };
        Self {
            hears,
            stream: Forward::new(Kind::Audio),
            mix,
            encoder: FrameEncoder::default(),
        }
    }

    pub(crate) fn hears(&self) -> Hears {
        self.hears
    }

    /// Fits a packet into the stream. None if it came too late for it.
    pub(crate) fn packet(
        &mut self,
        now: Instant,
        id: SourceId,
        packet: &rtp::Packet,
        level: Option<AudioLevel>,
    ) -> Option<PhoneSound> {
        match self.stream.packet(now, id, packet) {
            Verdict::Send(out) => Some(PhoneSound::Packet(opus(out, level))),
            Verdict::AwaitsKeyFrame | Verdict::Drop => None,
        }
    }

    /// Takes the mix of the moment `due`. None without memory for an encoder.
    pub(crate) fn mixed(&mut self, due: Instant, frame: Frame) -> Option<PhoneSound> {
        if let Hears::Frames(_) = self.hears {
            return Some(PhoneSound::Frame(Box::new(frame)));
        }
        let payload = self.encoder.encode(&frame)?;
        self.mix.sequence = self.mix.sequence.wrapping_add(1);
        let packet = self.mix.packet(due, payload);
        let (id, level) = (self.mix.id, AudioLevel::of(&frame));
        self.packet(due, id, &packet, Some(level))
    }
}

impl Mix {
    fn packet(&self, due: Instant, payload: Bytes) -> rtp::Packet {
        let ticks = due.saturating_duration_since(self.epoch).as_millis() * 48;
        // Media time wraps.
        let timestamp = (ticks & u128::from(u32::MAX)) as u32;
        rtp_packet(RtpPacket {
            payload_type: 0,
            marker: false,
            sequence: self.sequence,
            timestamp,
            ssrc: self.id.ssrc,
            payload,
        })
    }
}

fn opus(out: OutPacket, level: Option<AudioLevel>) -> OpusPacket {
    let OutPacket {
        marker,
        sequence,
        timestamp,
        payload,
        ..
    } = out;
    OpusPacket {
        marker,
        sequence,
        timestamp,
        level,
        payload,
    }
}
