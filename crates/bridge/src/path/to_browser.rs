use std::time::{Duration, Instant};

use housecall_media::g711::Law;
use housecall_media::jitter::{Arrival, JitterStats};
use housecall_media::opus::{OPUS_FRAME_TICKS, OpusError};
use housecall_media::rtp::RtpPacket;
use housecall_media::sdp::{Codec, MediaTarget};
use housecall_media::{
    AudioLevel, Cadence, FRAME_SAMPLES, Frame, OpusEncoder, SAMPLE_RATE, SILENCE, Tones,
};

use super::ear::EarFrame;
use super::playout::{NO_SOUND, PhoneDecoder, Playout};

/// What the caller hears: a ringing tone, then the phone as soon as it makes any sound, and nothing of it while it is held.
#[derive(Debug)]
pub(super) struct ToBrowser {
    voice: Playout<PhoneDecoder>,
    encoder: OpusEncoder,
    /// The ringing tone, once the phone rings and until its answer.
    ringback: Option<Cadence>,
    answered: bool,
    /// When the phone was heard last, early or after its answer.
    heard: Option<Instant>,
    pub(super) held: bool,
    /// Of the last frame.
    pub(super) level: AudioLevel,
    sequence: u16,
    timestamp: u32,
    first: bool,
}

/// Why a packet of the phone is not played.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotVoice {
    /// A telephone event, which nobody here listens to.
    Event,
    /// A payload type that was not agreed, or a payload that no such packet has.
    Wrong,
}

/// Comfort noise at 8 kHz (RFC 3389).
const COMFORT_NOISE: u8 = 13;
/// The longest packet of G.711 that is played, in bytes: 120 ms.
const PAYLOAD_MAX: usize = 6 * FRAME_SAMPLES;

impl ToBrowser {
    /// Silence after early sound that means that its fork has given up, and another rings: longer than the pause of any country's tone.
    const EARLY_SOUND_OVER: Duration = Duration::from_secs(5);

    pub(super) fn new() -> Result<Self, OpusError> {
        Ok(Self {
            voice: Playout::new(SAMPLE_RATE, PhoneDecoder::new()),
            encoder: OpusEncoder::new()?,
            ringback: None,
            answered: false,
            heard: None,
            held: false,
            level: AudioLevel::SILENCE,
            sequence: 0,
            timestamp: 0,
            first: true,
        })
    }

    pub(super) fn stats(&self) -> JitterStats {
        self.voice.stats()
    }

    /// Plays the ringing tone of a country while the phone is not heard (RFC 3960 §3.2).
    pub(super) fn ring(&mut self, country: &str) {
        if !self.answered && self.ringback.is_none() {
            self.ringback = Some(Cadence::new(Tones::ringback(country)));
        }
    }

    /// The phone answered: no more ringing, whether it is heard or not.
    pub(super) fn answered(&mut self) {
        self.ringback = None;
        self.answered = true;
    }

    /// Lets the redundancy of what is sent follow the loss that the browser reports, of 256.
    pub(super) fn expect_loss(&mut self, fraction_lost: u8) {
        // An encoder that refuses goes on as it was.
        let _ = self.encoder.expect_loss(fraction_lost);
    }

    /// Forgets what waits to be played, as after a hold.
    pub(super) fn clear(&mut self) {
        self.voice.clear();
    }

    /// Whether a packet is of this call, by its payload type and its length.
    pub(super) fn check(packet: &RtpPacket, target: &MediaTarget) -> Result<Option<Law>, NotVoice> {
        if Some(packet.payload_type) == target.telephone_event
            || packet.payload_type == Codec::TelephoneEvent.payload_type()
        {
            return Err(NotVoice::Event);
        }
        if packet.payload_type == COMFORT_NOISE {
            return Ok(None);
        }
        let law = law_of(packet.payload_type, target).ok_or(NotVoice::Wrong)?;
        let plausible = (1..=PAYLOAD_MAX).contains(&packet.payload.len());
        if plausible {
            Ok(Some(law))
        } else {
            Err(NotVoice::Wrong)
        }
    }

    /// Takes a packet that [`ToBrowser::check`] found to be of this call.
    pub(super) fn packet(&mut self, now: Instant, packet: RtpPacket, law: Option<Law>) {
        self.heard = Some(now);
        let length = law.map_or(FRAME_SAMPLES, |_| packet.payload.len());
        if let Some(law) = law {
            self.voice.decoder().law = law;
        }
        let payload = if law.is_some() {
            packet.payload
        } else {
            NO_SOUND
        };
        let ticks = u32::try_from(length).unwrap_or(SAMPLE_RATE);
        let RtpPacket {
            ssrc,
            sequence,
            timestamp,
            ..
        } = packet;
        self.voice.push(
            now,
            Arrival {
                ssrc,
                sequence,
                timestamp,
                ticks,
                payload,
            },
        );
    }

    /// Lets frames pass that were never made.
    pub(super) fn missed(&mut self, frames: u32) {
        self.timestamp = self
            .timestamp
            .wrapping_add(frames.saturating_mul(OPUS_FRAME_TICKS));
    }

    /// Makes the packet of this frame; none if the encoder refused.
    pub(super) fn frame(&mut self, now: Instant) -> Option<EarFrame> {
        let sound = self.sound(now);
        let timestamp = self.timestamp;
        self.timestamp = self.timestamp.wrapping_add(OPUS_FRAME_TICKS);
        let payload = self.encoder.encode(&sound).ok()?;
        let (sequence, marker) = (self.sequence, self.first);
        self.sequence = self.sequence.wrapping_add(1);
        self.first = false;
        self.level = AudioLevel::of(&sound);
        Some(EarFrame {
            marker,
            sequence,
            timestamp,
            level: self.level,
            payload,
        })
    }

    fn sound(&mut self, now: Instant) -> Frame {
        let unheard = self
            .heard
            .is_none_or(|heard| now.saturating_duration_since(heard) >= Self::EARLY_SOUND_OVER);
        if let Some(ringback) = self.ringback.as_mut().filter(|_| unheard) {
            return ringback.frame();
        }
        // The phone's sound is taken from the buffer in any case, so that what is said while held is not heard after it.
        let voice = self.voice.frame(now);
        if self.held { SILENCE } else { voice }
    }
}

/// The law of a payload type: the agreed one, or either of the static ones, which we always offer and may be sent at any time
/// (RFC 3264 §6.1).
fn law_of(payload_type: u8, target: &MediaTarget) -> Option<Law> {
    let codec = if payload_type == target.payload_type {
        Some(target.codec)
    } else {
        Codec::of_static_payload_type(payload_type)
    };
    match codec? {
        Codec::Pcmu => Some(Law::Mu),
        Codec::Pcma => Some(Law::A),
        Codec::TelephoneEvent | Codec::Opus => None,
    }
}
