//! G.722 at 64 kbit/s: sound up to 7 kHz in a byte for every two samples at 16 kHz (ITU-T G.722).
//!
//! A pair of filters splits the sound into two bands of 8 kHz each, and each band is coded by itself as the difference from what was
//! predicted of it: six bits of the lower, two of the upper. Names in the comments are those of the Recommendation's blocks.
//!
//! On a narrow leg the lower band alone is coded and heard, which costs neither filters nor a resampler.
//!
//! The RTP clock is 8 kHz although the sound has 16 (RFC 3551 §4.5.2, an old mistake that everybody keeps).

mod band;
mod filter;
mod predictor;

use bytes::Bytes;

use crate::Rate;
use crate::coder::{CodecError, Decoder, Encoder};
use crate::sdp::Codec;
use band::{HighBand, LowBand};
use filter::{Join, Split};

/// Bits of the upper band that say as little as possible of it: a smallest step upwards.
const NO_HIGH_BAND: u8 = 0b1100_0000;

/// Encodes sound of either rate.
#[derive(Clone, Debug)]
pub struct G722Encoder {
    rate: Rate,
    split: Split,
    low: LowBand,
    high: HighBand,
}

impl G722Encoder {
    /// Makes an encoder.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            split: Split::default(),
            low: LowBand::default(),
            high: HighBand::default(),
        }
    }

    /// Encodes samples: two to a byte at 16 kHz, where an odd one at the end is left out, one to a byte at 8 kHz.
    pub fn bytes(&mut self, samples: &[i16]) -> Vec<u8> {
        match self.rate {
            Rate::Narrow => samples.iter().map(|sample| self.narrow(*sample)).collect(),
            Rate::Wide => {
                let (pairs, _) = samples.as_chunks::<2>();
                pairs.iter().map(|pair| self.wide(*pair)).collect()
            }
        }
    }

    fn wide(&mut self, pair: [i16; 2]) -> u8 {
        let (low, high) = self.split.pair(pair);
        self.high.encode(high) << 6 | self.low.encode(low)
    }

    fn narrow(&mut self, sample: i16) -> u8 {
        NO_HIGH_BAND | self.low.encode(i32::from(sample) >> 1)
    }
}

impl Encoder for G722Encoder {
    fn encode(&mut self, samples: &[i16]) -> Result<Bytes, CodecError> {
        Ok(self.bytes(samples).into())
    }
}

/// Decodes to sound of either rate, and bridges losses.
#[derive(Clone, Debug)]
pub struct G722Decoder {
    rate: Rate,
    join: Join,
    low: LowBand,
    high: HighBand,
}

impl G722Decoder {
    /// Makes a decoder.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            join: Join::default(),
            low: LowBand::default(),
            high: HighBand::default(),
        }
    }

    /// Decodes bytes onto the end of `samples`: two samples each at 16 kHz, one at 8 kHz.
    pub fn samples(&mut self, bytes: &[u8], samples: &mut Vec<i16>) {
        match self.rate {
            Rate::Narrow => samples.extend(bytes.iter().map(|byte| self.narrow(*byte))),
            Rate::Wide => samples.extend(bytes.iter().flat_map(|byte| self.wide(*byte))),
        }
    }

    fn wide(&mut self, byte: u8) -> [i16; 2] {
        let low = self.low.decode(byte & 0x3f);
        let high = self.high.decode(byte >> 6);
        self.join.pair(low, high)
    }

    fn narrow(&mut self, byte: u8) -> i16 {
        // It fits: the band is bounded by 15 bits.
        (self.low.decode(byte & 0x3f) << 1) as i16
    }
}

impl Decoder for G722Decoder {
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), CodecError> {
        if payload.is_empty() {
            return Err(CodecError::empty(Codec::G722));
        }
        self.samples(payload, samples);
        Ok(())
    }

    fn peek(&self, next: &[u8], samples: &mut Vec<i16>) -> bool {
        self.clone().decode(next, samples).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four seconds of saw teeth low and high, noise, jumps from one end to the other, and near silence: whatever moves the coder's
    /// parts. `loudness` of 256.
    fn hostile_sound(loudness: i32) -> Vec<i16> {
        let mut state = 722_u32;
        let mut sound = Vec::new();
        for n in 0..64_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 16) as i32 - 32_768;
            let saw = |step: i32| (n * step + 32_768) % 65_536 - 32_768;
            let sample = match n / 800 % 5 {
                0 => saw(1_311),
                1 => saw(22_000),
                2 => noise,
                3 if noise >= 0 => 32_767,
                3 => -32_768,
                _ => noise >> 7,
            };
            sound.push(((sample * loudness) >> 8) as i16);
        }
        sound
    }

    /// FNV-1a.
    fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, mix)
    }

    fn digest_of(samples: &[i16]) -> u64 {
        digest(samples.iter().flat_map(|sample| sample.to_le_bytes()))
    }

    /// The same sound through libspandsp 0.0.6 (`g722_encode`, `g722_decode`; its option for 8 kHz) has these digests.
    #[test]
    fn it_is_bit_exact_against_an_independent_implementation() {
        for (rate, loudness, encoded, decoded) in [
            (Rate::Wide, 64, 0x9ef1_b3fd_e293_3e68, 0x2a74_7014_d534_2e80),
            (
                Rate::Narrow,
                64,
                0x81b4_53b4_3abf_6f67,
                0x726c_3e86_01cb_fb97,
            ),
            (
                Rate::Narrow,
                256,
                0xce70_d82e_aacb_7588,
                0x4025_abf4_7db9_f58f,
            ),
        ] {
            let bytes = G722Encoder::new(rate).bytes(&hostile_sound(loudness));
            let mut samples = Vec::new();
            G722Decoder::new(rate).samples(&bytes, &mut samples);
            let ours = (digest(bytes), digest_of(&samples));
            assert_eq!(ours, (encoded, decoded), "{rate:?} at {loudness}/256");
        }
    }

    /// At full scale the lower and the upper band add up to more than there is. That implementation wraps around there, so only its
    /// encoder is of use; G.722 §4.4 limits, and so does ours.
    #[test]
    fn an_overload_is_encoded_exactly_and_limited_where_it_is_decoded() {
        let bytes = G722Encoder::new(Rate::Wide).bytes(&hostile_sound(256));
        assert_eq!(digest(bytes.iter().copied()), 0x7d06_6bd3_da71_c1ae);
        let (mut join, mut last) = (Join::default(), [0, 0]);
        for _ in 0..24 {
            last = join.pair(16_383, 16_383);
        }
        assert!(last.iter().all(|sample| *sample >= 0), "{last:?}");
        let mut samples = Vec::new();
        G722Decoder::new(Rate::Wide).samples(&bytes, &mut samples);
        assert!(samples.contains(&i16::MAX) && samples.contains(&i16::MIN));
    }

    #[test]
    fn packets_of_any_length_join_without_a_seam() {
        let sound = hostile_sound(256);
        let whole = G722Encoder::new(Rate::Wide).bytes(&sound);
        let mut encoder = G722Encoder::new(Rate::Wide);
        let parts = sound.chunks(480).flat_map(|part| encoder.bytes(part));
        assert_eq!(parts.collect::<Vec<_>>(), whole);
    }

    #[test]
    fn an_empty_packet_is_damage() {
        let mut heard = Vec::new();
        let mut decoder = G722Decoder::new(Rate::Wide);
        assert!(decoder.decode(&[], &mut heard).is_err() && heard.is_empty());
    }
}
