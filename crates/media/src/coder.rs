//! Codecs behind one pair of traits, so that the way of the sound does not depend on which there are.

use std::fmt::Debug;

use bytes::Bytes;

use crate::g711::{G711Decoder, G711Encoder, Law};
use crate::g722::{G722Decoder, G722Encoder};
use crate::jitter::Content;
use crate::opus::{OpusDecoder, OpusEncoder, OpusSettings};
use crate::sdp::Codec;
use crate::{FRAME_MS, Rate};

/// One direction of a codec, from samples to the payloads of RTP packets.
///
/// Made by [`encoder`], behind a pointer: one indirect call a packet costs nothing beside what it calls, and the sound's way does not
/// have to know which codecs there are.
pub trait Encoder: Debug + Send {
    /// Encodes one packet's samples. Empty when the packet need not be sent, since the listener will make up the same silence (DTX).
    ///
    /// # Errors
    /// [`CodecError`]: there are not as many samples as the codec takes at a time, or libopus refused. Send nothing.
    fn encode(&mut self, samples: &[i16]) -> Result<Bytes, CodecError>;

    /// Tells the loss that the listener reports (`fraction_lost` as in RTCP, of 256), for codecs that can do something about it.
    fn expect_loss(&mut self, _fraction_lost: u8) {}
}

/// One direction of a codec, from the payloads of RTP packets to samples. Made by [`decoder`].
///
/// A codec that [conceals](Decoder::conceals) makes up by itself what was lost; for all others a [`Playout`](crate::Playout) does.
pub trait Decoder: Debug + Send {
    /// Decodes a packet onto the end of `samples`.
    ///
    /// # Errors
    /// The packet is damaged; make it up.
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), CodecError>;

    /// Whether packets may tell again what was in the one before them.
    fn has_redundancy(&self) -> bool {
        false
    }

    /// Decodes `length` samples of the packet before `next` from what `next` tells of it, onto the end of `samples`; false if it tells
    /// nothing.
    fn recover(&mut self, _next: &[u8], _length: usize, _samples: &mut Vec<i16>) -> bool {
        false
    }

    /// Decodes what comes after a loss onto the end of `samples`, as it will be decoded in its turn, without going on to it; false if that
    /// cannot be told, or helps nobody.
    fn peek(&self, _next: &[u8], _samples: &mut Vec<i16>) -> bool {
        false
    }

    /// Whether the decoder itself makes up what was lost, and what is heard in pauses.
    fn conceals(&self) -> bool {
        false
    }

    /// Makes up `length` samples onto the end of `samples`; false if it cannot.
    fn conceal(&mut self, _length: usize, _samples: &mut Vec<i16>) -> bool {
        false
    }
}

/// A codec would not do what was asked. Not the peer's doing, except where it decodes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{codec} {action}: {reason}")]
pub struct CodecError {
    pub(crate) codec: Codec,
    pub(crate) action: &'static str,
    pub(crate) reason: String,
}

impl CodecError {
    pub(crate) fn empty(codec: Codec) -> Self {
        Self {
            codec,
            action: "decode",
            reason: "empty packet".to_owned(),
        }
    }
}

/// Makes an encoder of a voice codec for samples at `rate`. `opus` says how Opus is to be encoded; no other codec can be told anything.
///
/// # Errors
/// libopus found no memory, or the codec carries no voice.
pub fn encoder(
    codec: Codec,
    rate: Rate,
    opus: OpusSettings,
) -> Result<Box<dyn Encoder>, CodecError> {
    Ok(match codec {
        Codec::Pcmu => Box::new(G711Encoder::new(Law::Mu)),
        Codec::Pcma => Box::new(G711Encoder::new(Law::A)),
        Codec::G722 => Box::new(G722Encoder::new(rate)),
        Codec::Opus => Box::new(OpusEncoder::with(rate, opus)?),
        Codec::TelephoneEvent | Codec::TelephoneEvent48 => return Err(no_voice(codec)),
    })
}

/// Makes a decoder of a voice codec to samples at `rate`.
///
/// # Errors
/// libopus found no memory, or the codec carries no voice.
pub fn decoder(codec: Codec, rate: Rate) -> Result<Box<dyn Decoder>, CodecError> {
    Ok(match codec {
        Codec::Pcmu => Box::new(G711Decoder::new(Law::Mu)),
        Codec::Pcma => Box::new(G711Decoder::new(Law::A)),
        Codec::G722 => Box::new(G722Decoder::new(rate)),
        Codec::Opus => Box::new(OpusDecoder::at(rate)?),
        Codec::TelephoneEvent | Codec::TelephoneEvent48 => return Err(no_voice(codec)),
    })
}

impl Codec {
    /// The longest packet that is played, in milliseconds: Opus has none longer (RFC 6716 §3.2.5).
    const PACKET_MS_MAX: u32 = 120;

    /// The rate of what it carries: 16 kHz where it has more than a telephone's sound.
    pub const fn rate(self) -> Rate {
        match self {
            Self::G722 | Self::Opus => Rate::Wide,
            Self::Pcmu | Self::Pcma | Self::TelephoneEvent | Self::TelephoneEvent48 => Rate::Narrow,
        }
    }

    /// How long a payload of it plays, in ticks of its RTP clock, without decoding it. None if no packet of it has such a payload.
    pub fn ticks(self, payload: &[u8]) -> Option<u32> {
        let ticks = match self {
            Self::Opus => return OpusDecoder::ticks(payload),
            // G.722 sends a byte for two samples at 16 kHz, and its clock is 8 kHz (RFC 3551 §4.5.2).
            Self::Pcmu | Self::Pcma | Self::G722 => u32::try_from(payload.len()).ok()?,
            Self::TelephoneEvent | Self::TelephoneEvent48 => return None,
        };
        let longest = Self::PACKET_MS_MAX * (self.clock_rate() / 1_000);
        (1..=longest).contains(&ticks).then_some(ticks)
    }

    /// What a payload of it holds. An Opus sender that says nothing sends packets of one or two bytes, now and then (RFC 7587 §3.1.3).
    pub(crate) const fn content(self, payload: &[u8]) -> Content {
        match (self, payload.len()) {
            (Self::Opus, ..=2) => Content::Noise,
            _ => Content::Voice,
        }
    }

    /// The packet length nearest below the one asked for that it can have, in milliseconds: 10 to 60, where Opus has no 30 and no 50
    /// (RFC 6716 §2.1.4).
    pub fn packet_ms(self, asked_ms: u64) -> u64 {
        let ms = asked_ms.clamp(FRAME_MS / 2, 3 * FRAME_MS) / 10 * 10;
        match (self, ms) {
            (Self::Opus, 30 | 50) => ms - 10,
            _ => ms,
        }
    }
}

fn no_voice(codec: Codec) -> CodecError {
    CodecError {
        codec,
        action: "coder",
        reason: "carries no voice".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Sine, dominant_frequency_at, level};

    const VOICES: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

    fn tone(rate: Rate, ms: u64) -> Vec<i16> {
        let mut sine = Sine::new(1_000.0, -12.0);
        let frames = (0..ms / 10).flat_map(|_| {
            let mut frame = Frame::silence(rate, 10);
            sine.fill(&mut frame);
            frame
        });
        frames.collect()
    }

    /// Every voice codec at every rate it can be used at, in packets of every length.
    #[test]
    fn a_tone_keeps_its_frequency_and_level_in_every_codec_rate_and_packet_length() {
        for codec in VOICES {
            for rate in [Rate::Narrow, codec.rate()] {
                for ms in [10, 20, 30, 40, 50, 60].map(|ms| codec.packet_ms(ms)) {
                    let sound = tone(rate, 1_200);
                    let mut encoder = encoder(codec, rate, OpusSettings::default()).unwrap();
                    let mut decoder = decoder(codec, rate).unwrap();
                    let mut heard = Vec::new();
                    for samples in sound.chunks_exact(rate.samples(ms)) {
                        let payload = encoder.encode(samples).unwrap();
                        let ticks = u64::from(codec.ticks(&payload).unwrap());
                        assert_eq!(ticks, ms * u64::from(codec.clock_rate()) / 1_000);
                        decoder.decode(&payload, &mut heard).unwrap();
                    }
                    assert_eq!(
                        heard.len(),
                        sound.len() / rate.samples(ms) * rate.samples(ms)
                    );
                    let heard = &heard[rate.samples(200)..];
                    let hertz = dominant_frequency_at(rate, heard).unwrap();
                    assert!((hertz - 1_000.0).abs() < 3.0, "{codec} {ms} ms: {hertz} Hz");
                    let change = level(heard).0 - level(&sound).0;
                    assert!(change.abs() < 1.5, "{codec} {rate:?} {ms} ms: {change} dB");
                }
            }
        }
    }

    #[test]
    fn packet_lengths_are_what_the_codec_can_have() {
        let lengths =
            |codec: Codec| [0, 9, 10, 25, 30, 50, 60, 200, u64::MAX].map(|ms| codec.packet_ms(ms));
        assert_eq!(lengths(Codec::G722), [10, 10, 10, 20, 30, 50, 60, 60, 60]);
        assert_eq!(lengths(Codec::Opus), [10, 10, 10, 20, 20, 40, 60, 60, 60]);
    }

    #[test]
    fn payloads_that_no_packet_has_are_told() {
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
            assert_eq!(codec.ticks(&[]), None);
            assert_eq!(codec.ticks(&[0; 960]), Some(960));
            assert_eq!(codec.ticks(&[0; 961]), None);
        }
        assert_eq!(Codec::Opus.ticks(&[]), None);
        assert_eq!(Codec::TelephoneEvent.ticks(&[0; 4]), None);
        assert!(encoder(Codec::TelephoneEvent, Rate::Narrow, OpusSettings::default()).is_err());
        assert!(decoder(Codec::TelephoneEvent48, Rate::Wide).is_err());
    }
}
