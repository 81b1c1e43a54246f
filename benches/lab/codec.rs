//! The codecs of the legs: not Housecall's, so that a fault of those is heard.

use std::sync::Arc;

use opus::{Application, Bandwidth, Channels, Decoder, Encoder};

use crate::leg::Coded;
use crate::{FRAME_MS, Result};

/// What a leg speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Codec {
    /// Opus as browsers send it: coded at 48 kHz, mono.
    Opus,
    /// G.711 µ-law (ITU-T G.711), 8 kHz.
    Pcmu,
}

/// RTP clock of PCMU in 20 ms.
pub const PCMU_TICKS: u32 = 160;
/// Samples a second of what is heard, whatever the codec: the telephone has no more.
pub const HEARD_RATE: u32 = 8_000;
/// Samples of 20 ms of what is heard.
pub const HEARD_FRAME: usize = 160;
/// Samples a second that a browser's microphone gives.
pub const OPUS_RATE: u32 = 48_000;
/// As Chromium sends a voice, in bits a second.
const OPUS_BITRATE: i32 = 32_000;
const OPUS_BYTES_MAX: usize = 1_275;

/// How wide a voice a browser codes with Opus.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Width {
    /// No more than a telephone has: sampled at 8 kHz.
    Narrow,
    /// At 16 kHz.
    Wide,
    /// All of it.
    Full,
}

impl Width {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Narrow, Self::Wide, Self::Full];

    /// What a browser does that is answered so: Chromium and Firefox follow `maxplaybackrate` (RFC 7587 §6.1).
    pub fn asked_by(answer: &str) -> Self {
        let asked = answer.split_once("maxplaybackrate=").map(|(_, rest)| rest);
        let digits = |rest: &str| {
            rest.split(|it: char| !it.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        };
        match asked.and_then(digits).unwrap_or(OPUS_RATE) {
            ..=8_000 => Self::Narrow,
            8_001..=16_000 => Self::Wide,
            _ => Self::Full,
        }
    }

    fn bandwidth(self) -> Bandwidth {
        match self {
            Self::Narrow => Bandwidth::Narrowband,
            Self::Wide => Bandwidth::Wideband,
            Self::Full => Bandwidth::Fullband,
        }
    }
}

impl Codec {
    /// PCMU's payload type (RFC 3551 §6).
    pub const PCMU_TYPE: u8 = 0;

    /// RTP clock in 20 ms.
    pub fn ticks(self) -> u32 {
        match self {
            Self::Opus => OPUS_RATE / 1_000 * FRAME_MS as u32,
            Self::Pcmu => PCMU_TICKS,
        }
    }

    /// Samples a second of what it codes.
    pub fn rate(self) -> u32 {
        match self {
            Self::Opus => OPUS_RATE,
            Self::Pcmu => HEARD_RATE,
        }
    }

    /// Codes a sound of whole frames. Opus carries as much repair (in-band FEC) as `loss` asks for, and is no wider than `width`.
    ///
    /// # Errors
    /// What libopus says.
    pub fn encode(self, samples: &[i16], loss: f64, width: Width) -> Result<Coded> {
        match self {
            Self::Opus => encode_opus(samples, loss, width),
            Self::Pcmu => Ok(samples.chunks_exact(HEARD_FRAME).map(mu_law).collect()),
        }
    }
}

fn encode_opus(samples: &[i16], loss: f64, width: Width) -> Result<Coded> {
    let mut encoder = Encoder::new(OPUS_RATE, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(opus::Bitrate::Bits(OPUS_BITRATE))?;
    encoder.set_max_bandwidth(width.bandwidth())?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc((loss * 100.0).round() as i32)?;
    let frame = Codec::Opus.ticks() as usize;
    let packets = samples
        .chunks_exact(frame)
        .map(|samples| Ok(Arc::from(encoder.encode_vec(samples, OPUS_BYTES_MAX)?)));
    packets.collect()
}

fn mu_law(samples: &[i16]) -> Arc<[u8]> {
    samples.iter().map(|sample| mu_law_of(*sample)).collect()
}

const BIAS: i32 = 132;
const CLIP: i32 = 32_635;

fn mu_law_of(sample: i16) -> u8 {
    let magnitude = i32::from(sample).abs().min(CLIP) + BIAS;
    // The leading bit of 132..=32767 is one of bits 7 to 14.
    let exponent = magnitude.ilog2() - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (exponent as i32) << 4 | mantissa) as u8
}

fn sample_of(mu_law: u8) -> i16 {
    let bits = i32::from(!mu_law);
    let magnitude = (((bits & 0x0f) << 3) + BIAS) << ((bits & 0x70) >> 4);
    let sample = magnitude - BIAS;
    (if bits & 0x80 == 0 { sample } else { -sample }) as i16
}

/// Decodes what a leg hears to 8 kHz, and makes up for what it does not hear as a plain receiver does.
pub enum Ear {
    /// libopus at 8 kHz, with its own concealment and in-band FEC.
    Opus(Decoder),
    /// G.711: the last frame again, half as loud each time, for 60 ms.
    Pcmu {
        /// What was heard last.
        last: Vec<i16>,
    },
}

impl Ear {
    /// An ear for `codec`.
    ///
    /// # Errors
    /// What libopus says.
    pub fn new(codec: Codec) -> Result<Self> {
        Ok(match codec {
            Codec::Opus => Self::Opus(Decoder::new(HEARD_RATE, Channels::Mono)?),
            Codec::Pcmu => Self::Pcmu { last: Vec::new() },
        })
    }

    /// The sound of a packet.
    ///
    /// # Errors
    /// It is no packet of this codec.
    pub fn hear(&mut self, payload: &[u8]) -> Result<Vec<i16>> {
        match self {
            Self::Opus(decoder) => decode(decoder, payload, 6 * HEARD_FRAME, false),
            Self::Pcmu { last } => {
                last.clear();
                last.extend(payload.iter().map(|byte| sample_of(*byte)));
                Ok(last.clone())
            }
        }
    }

    /// 20 ms in place of a packet that did not come; `next` is the one after it, if that came.
    ///
    /// # Errors
    /// What libopus says.
    pub fn conceal(&mut self, next: Option<&[u8]>) -> Result<Vec<i16>> {
        match self {
            Self::Opus(decoder) => match next {
                Some(next) => decode(decoder, next, HEARD_FRAME, true),
                None => decode(decoder, &[], HEARD_FRAME, false),
            },
            Self::Pcmu { last } => {
                last.resize(HEARD_FRAME, 0);
                // Below this, three halvings after a voice, nothing is left to repeat.
                last.iter_mut().for_each(|sample| *sample /= 2);
                Ok(last.clone())
            }
        }
    }
}

fn decode(decoder: &mut Decoder, payload: &[u8], room: usize, fec: bool) -> Result<Vec<i16>> {
    let mut samples = vec![0; room];
    let count = decoder.decode(payload, &mut samples, fec)?;
    samples.truncate(count);
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mu_law_keeps_every_code_and_nears_every_sample() {
        for code in 0..=255 {
            // G.711 has two codes for zero.
            let again = mu_law_of(sample_of(code));
            assert!(again == code || sample_of(code) == 0, "{code}");
        }
        for sample in i16::MIN..=i16::MAX {
            let off = i32::from(sample_of(mu_law_of(sample))) - i32::from(sample);
            assert!(off.abs() <= i32::from(sample).abs() / 16 + 8, "{sample}");
        }
        assert_eq!(
            (mu_law_of(0), mu_law_of(i16::MAX), mu_law_of(i16::MIN)),
            (0xff, 0x80, 0x00)
        );
    }
}
