//! G.711: eight bits a sample, in both of its laws (ITU-T G.711).

use std::sync::LazyLock;

use bytes::Bytes;

use crate::coder::{CodecError, Decoder, Encoder};
use crate::sdp::Codec;

/// The two ways in which G.711 spaces its steps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Law {
    /// µ-law: North America and Japan.
    Mu,
    /// A-law: everywhere else.
    A,
}

impl Law {
    /// Encodes samples, one byte each.
    pub fn encode(self, samples: &[i16]) -> Vec<u8> {
        match self {
            Self::Mu => samples.iter().map(|sample| encode_mu(*sample)).collect(),
            Self::A => samples.iter().map(|sample| encode_a(*sample)).collect(),
        }
    }

    /// Decodes bytes, one sample each, onto the end of `samples`.
    pub fn decode(self, bytes: &[u8], samples: &mut Vec<i16>) {
        let table: &[i16; 256] = match self {
            Self::Mu => &MU,
            Self::A => &A,
        };
        // The table has a place for every byte.
        samples.extend(
            bytes
                .iter()
                .map(|byte| table.get(usize::from(*byte)).copied().unwrap_or(0)),
        );
    }

    /// Its name in session descriptions.
    pub const fn codec(self) -> Codec {
        match self {
            Self::Mu => Codec::Pcmu,
            Self::A => Codec::Pcma,
        }
    }

    /// The byte of a sample of silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xff,
            Self::A => 0xd5,
        }
    }
}

/// Encodes in one law.
#[derive(Clone, Copy, Debug)]
pub struct G711Encoder {
    law: Law,
}

impl G711Encoder {
    /// Makes an encoder.
    pub const fn new(law: Law) -> Self {
        Self { law }
    }
}

impl Encoder for G711Encoder {
    fn encode(&mut self, samples: &[i16]) -> Result<Bytes, CodecError> {
        Ok(self.law.encode(samples).into())
    }
}

/// Decodes one law.
#[derive(Clone, Copy, Debug)]
pub struct G711Decoder {
    law: Law,
}

impl G711Decoder {
    /// Makes a decoder.
    pub const fn new(law: Law) -> Self {
        Self { law }
    }
}

impl Decoder for G711Decoder {
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), CodecError> {
        if payload.is_empty() {
            return Err(CodecError::empty(self.law.codec()));
        }
        self.law.decode(payload, samples);
        Ok(())
    }

    fn peek(&self, next: &[u8], samples: &mut Vec<i16>) -> bool {
        self.clone().decode(next, samples).is_ok()
    }
}

static MU: LazyLock<[i16; 256]> =
    LazyLock::new(|| std::array::from_fn(|byte| decode_mu(byte as u8)));
static A: LazyLock<[i16; 256]> = LazyLock::new(|| std::array::from_fn(|byte| decode_a(byte as u8)));

/// What µ-law adds before it looks for the segment, in units of 14-bit samples times four.
const BIAS: u16 = 132;
const MU_CLIP: u16 = 32_635;

fn encode_mu(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = sample.unsigned_abs().min(MU_CLIP) + BIAS;
    // The segment is the place of the highest bit above bit 7; the bias makes it at least 7.
    let segment = 8 - (magnitude.leading_zeros() as u8).min(8);
    let step = (magnitude >> (segment + 3)) as u8 & 0x0f;
    !(sign | segment << 4 | step)
}

fn decode_mu(byte: u8) -> i16 {
    let byte = !byte;
    let (segment, step) = (byte >> 4 & 7, i16::from(byte & 0x0f));
    let magnitude = (((step << 3) + BIAS as i16) << segment) - BIAS as i16;
    if byte & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

fn encode_a(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    // A-law has no zero: −1 … −8 is the first step below it, which the one's complement says.
    let magnitude = if sample < 0 {
        !sample as u16
    } else {
        sample as u16
    } >> 4;
    let segment = 12 - (magnitude.leading_zeros() as u8).min(12);
    let code = if segment <= 1 {
        magnitude as u8
    } else {
        segment << 4 | (magnitude >> (segment - 1)) as u8 & 0x0f
    };
    (sign | code) ^ 0x55
}

fn decode_a(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, step) = (byte >> 4 & 7, i16::from(byte & 0x0f));
    let magnitude = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    if byte & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decision values of ITU-T G.711 tables 1 and 2: the ends of the segments, and sixteen equal steps in each.
    fn thresholds(law: Law) -> Vec<(i32, i32)> {
        let mut steps = Vec::new();
        let mut low = 0;
        for segment in 0..8_u32 {
            let width = match law {
                Law::Mu => 8 << segment,
                Law::A => 16 << segment.saturating_sub(1),
            };
            for step in 0..16 {
                // In µ-law the first step around zero is half as wide.
                let this = if law == Law::Mu && segment == 0 && step == 0 {
                    width / 2
                } else {
                    width
                };
                steps.push((low, low + this));
                low += this;
            }
        }
        steps
    }

    /// The code of a magnitude by search through the tables: nothing in common with the bit tricks above.
    fn oracle_step(law: Law, magnitude: i32) -> usize {
        let steps = thresholds(law);
        steps
            .iter()
            .position(|(low, high)| (*low..*high).contains(&magnitude))
            .unwrap_or(127)
    }

    fn oracle_encode(law: Law, sample: i16) -> u8 {
        let sample = i32::from(sample);
        match law {
            Law::Mu => {
                let sign = if sample < 0 { 0x80 } else { 0 };
                !(sign | oracle_step(law, sample.abs()) as u8)
            }
            Law::A => {
                let (sign, magnitude) = if sample < 0 {
                    (0, -sample - 1)
                } else {
                    (0x80, sample)
                };
                (sign | oracle_step(law, magnitude) as u8) ^ 0x55
            }
        }
    }

    #[test]
    fn every_sample_is_encoded_as_the_tables_of_the_recommendation_say() {
        for law in [Law::Mu, Law::A] {
            for sample in i16::MIN..=i16::MAX {
                assert_eq!(
                    law.encode(&[sample]),
                    [oracle_encode(law, sample)],
                    "{law:?} {sample}"
                );
            }
        }
    }

    #[test]
    fn every_byte_decodes_to_the_middle_of_its_step() {
        for law in [Law::Mu, Law::A] {
            for step in 0..128_u8 {
                let (low, high) = thresholds(law)[usize::from(step)];
                let middle = if law == Law::Mu && step == 0 {
                    0
                } else {
                    (low + high) / 2
                };
                let byte = if law == Law::Mu {
                    !step
                } else {
                    (0x80 | step) ^ 0x55
                };
                let mut samples = Vec::new();
                law.decode(&[byte, byte ^ 0x80], &mut samples);
                assert_eq!(
                    samples,
                    [middle as i16, -middle as i16],
                    "{law:?} step {step}"
                );
            }
        }
    }

    #[test]
    fn encoding_what_was_decoded_changes_nothing() {
        for law in [Law::Mu, Law::A] {
            for byte in 0..=255_u8 {
                let mut samples = Vec::new();
                law.decode(&[byte], &mut samples);
                // µ-law has two zeros; the negative one is said as the positive one.
                let expected = if law == Law::Mu && byte == 0x7f {
                    0xff
                } else {
                    byte
                };
                assert_eq!(law.encode(&samples), [expected]);
            }
            assert_eq!(law.encode(&[0]), [law.silence()]);
        }
    }
}
