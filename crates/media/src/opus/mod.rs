//! Opus at the rate of the phone leg, mono, so that nothing between the two legs is resampled (RFC 6716).
//!
//! The RTP clock of Opus is 48 kHz all the same (RFC 7587 §4.1): a frame of 20 ms is 960 ticks, and 160 samples at 8 kHz.
//!
//! libopus does the work: the one that the crate `opus` builds, or with the feature `system-opus` the distribution's.

mod encoder;
#[cfg_attr(feature = "system-opus", path = "system.rs")]
#[cfg_attr(not(feature = "system-opus"), path = "bundled.rs")]
mod libopus;
mod redundancy;
mod toc;

use crate::Rate;
use crate::coder::{CodecError, Decoder};
use crate::sdp::Codec;
pub use encoder::OpusEncoder;
use libopus::RawDecoder;

/// Ticks of the RTP clock in one frame of 20 ms.
pub const OPUS_FRAME_TICKS: u32 = 960;

/// How Opus is encoded: for speech in any case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OpusSettings {
    /// Bits in a second.
    pub bits_per_second: u32,
    /// Whether each packet repeats the one before it, where packets are lost (in-band FEC).
    pub repeats: bool,
    /// Whether silence is said once and then not sent (DTX).
    pub skips_silence: bool,
}

impl Default for OpusSettings {
    /// Speech with room for redundancy, and no holes in the stream.
    fn default() -> Self {
        Self {
            bits_per_second: 48_000,
            repeats: true,
            skips_silence: false,
        }
    }
}

fn failed(action: &'static str) -> impl Fn(String) -> CodecError {
    move |reason| CodecError {
        codec: Codec::Opus,
        action,
        reason,
    }
}

/// Decodes packets of any rate and channel count to mono at one rate.
#[derive(Debug)]
pub struct OpusDecoder {
    rate: Rate,
    raw: RawDecoder,
}

impl OpusDecoder {
    /// Samples of the longest packet, 120 ms (RFC 6716 §3.2.5).
    const SAMPLES_MAX: usize = Rate::Wide.samples(120);

    /// Makes a decoder to 8 kHz.
    ///
    /// # Errors
    /// libopus found no memory.
    pub fn new() -> Result<Self, CodecError> {
        Self::at(Rate::Narrow)
    }

    /// Makes a decoder to a rate.
    ///
    /// # Errors
    /// libopus found no memory.
    pub fn at(rate: Rate) -> Result<Self, CodecError> {
        let raw = RawDecoder::new(rate.hertz()).map_err(failed("decoder"))?;
        Ok(Self { rate, raw })
    }

    /// How long a packet plays, in ticks of the RTP clock, without decoding it. None if it is no Opus packet.
    pub fn ticks(packet: &[u8]) -> Option<u32> {
        toc::ticks(packet)
    }

    /// Decodes a packet onto the end of `samples`.
    ///
    /// # Errors
    /// The packet is damaged; conceal it.
    pub fn decode(&mut self, packet: &[u8], samples: &mut Vec<i16>) -> Result<(), CodecError> {
        // An empty packet would mean "conceal" to libopus.
        if packet.is_empty() {
            return Err(CodecError::empty(Codec::Opus));
        }
        self.run(packet, self.rate.samples(120), false, samples)
            .map_err(failed("decode"))
    }

    /// A length in the steps of 2.5 ms that libopus makes up sound in: no shorter, but no longer than it can be.
    fn in_steps(&self, length: usize) -> usize {
        let step = self.rate.samples(5) / 2;
        length.next_multiple_of(step).min(Self::SAMPLES_MAX)
    }

    fn run(
        &mut self,
        packet: &[u8],
        length: usize,
        fec: bool,
        samples: &mut Vec<i16>,
    ) -> Result<(), String> {
        let mut buffer = [0; Self::SAMPLES_MAX];
        let room = buffer.get_mut(..length).unwrap_or_default();
        let decoded = self.raw.decode(packet, room, fec)?;
        samples.extend(buffer.iter().take(decoded));
        Ok(())
    }
}

/// libopus makes up by itself what was lost, and hears in its own redundancy what it was (RFC 6716 §2.1.7).
impl Decoder for OpusDecoder {
    fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), CodecError> {
        Self::decode(self, payload, samples)
    }

    fn has_redundancy(&self) -> bool {
        true
    }

    fn recover(&mut self, next: &[u8], length: usize, samples: &mut Vec<i16>) -> bool {
        redundancy::tells_of_the_one_before(next)
            && self.run(next, self.in_steps(length), true, samples).is_ok()
    }

    fn conceals(&self) -> bool {
        true
    }

    fn conceal(&mut self, length: usize, samples: &mut Vec<i16>) -> bool {
        self.run(&[], self.in_steps(length), false, samples).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{FRAME_SAMPLES, Frame, SILENCE, Sine, dominant_frequency, level};

    fn tone(frames: usize) -> Vec<Frame> {
        let mut sine = Sine::new(440.0, -12.0);
        (0..frames).map(|_| sine.frame()).collect()
    }

    fn encoded(frames: &[Frame]) -> Vec<Bytes> {
        let mut encoder = OpusEncoder::new().unwrap();
        encoder.expect_loss(25).unwrap();
        frames
            .iter()
            .map(|frame| encoder.encode(frame).unwrap())
            .collect()
    }

    #[test]
    fn a_tone_keeps_its_frequency_and_its_level() {
        let frames = tone(50);
        let (mut decoder, mut out) = (OpusDecoder::new().unwrap(), Vec::new());
        for packet in encoded(&frames) {
            decoder.decode(&packet, &mut out).unwrap();
        }
        assert_eq!(out.len(), 50 * FRAME_SAMPLES);
        let heard = dominant_frequency(&out[1_600..]).unwrap();
        assert!((heard - 440.0).abs() < 3.0, "{heard} Hz");
        let sent: Vec<i16> = frames.into_iter().flatten().collect();
        let loss = level(&sent).0 - level(&out[1_600..]).0;
        assert!(loss.abs() < 2.0, "{loss} dB");
    }

    /// The sound begins in packets that are lost: concealment knows nothing of it, the redundancy does.
    #[test]
    fn a_lost_packet_is_in_the_next_one() {
        let frames = [vec![SILENCE; 20], tone(10)].concat();
        let packets = encoded(&frames);
        let after_loss = |recover: bool| {
            let (mut decoder, mut out) = (OpusDecoder::new().unwrap(), Vec::new());
            for packet in &packets[..20] {
                decoder.decode(packet, &mut out).unwrap();
            }
            assert!(decoder.conceal(FRAME_SAMPLES, &mut out));
            assert!(match recover {
                true => decoder.recover(&packets[22], FRAME_SAMPLES, &mut out),
                false => decoder.conceal(FRAME_SAMPLES, &mut out),
            });
            assert_eq!(out.len(), 22 * FRAME_SAMPLES);
            level(&out[21 * FRAME_SAMPLES..]).0
        };
        let (with, without) = (after_loss(true), after_loss(false));
        assert!(
            with > -40.0 && without < -90.0,
            "{with} dBFS with redundancy, {without} dBFS without"
        );
    }

    #[test]
    fn a_frame_is_960_ticks_and_rubbish_is_none() {
        let packet = OpusEncoder::new().unwrap().encode(&tone(1)[0]).unwrap();
        assert_eq!(OpusDecoder::ticks(&packet), Some(OPUS_FRAME_TICKS));
        assert_eq!(OpusDecoder::ticks(&[]), None);
    }

    #[test]
    fn damaged_packets_are_refused_or_decoded_and_never_panic() {
        let mut decoder = OpusDecoder::new().unwrap();
        let mut seed = 11_u32;
        let mut refused = 0;
        for length in 0..600_usize {
            let bytes: Vec<u8> = (0..length % 130)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            let mut samples = Vec::new();
            refused += usize::from(decoder.decode(&bytes, &mut samples).is_err());
            assert!(samples.len() <= 960);
        }
        assert!(refused > 0);
    }

    /// RFC 7587 §3.1.3: silence is said now and then only, and the sound after it in full.
    #[test]
    fn silence_is_skipped_where_it_may_be() {
        let sent = |skips_silence: bool| {
            let settings = OpusSettings {
                skips_silence,
                ..OpusSettings::default()
            };
            let mut encoder = OpusEncoder::with(Rate::Narrow, settings).unwrap();
            let frames = [tone(20), vec![SILENCE; 100], tone(20)].concat();
            let packets = frames.iter().map(|frame| encoder.encode(frame).unwrap());
            packets.map(|packet| !packet.is_empty()).collect::<Vec<_>>()
        };
        assert!(sent(false).into_iter().all(|sent| sent));
        let sent = sent(true);
        let quiet = sent[20..120].iter().filter(|sent| **sent).count();
        assert!(quiet < 35, "{quiet} of 100 silent packets");
        assert!(sent[..20].iter().all(|sent| *sent));
        assert!(sent[122..].iter().all(|sent| *sent));
    }

    #[test]
    fn a_lower_bitrate_is_kept_to() {
        let bits = |bits_per_second| {
            let settings = OpusSettings {
                bits_per_second,
                repeats: false,
                ..OpusSettings::default()
            };
            let mut encoder = OpusEncoder::with(Rate::Wide, settings).unwrap();
            let mut music = crate::HoldMusic::new();
            let packets = (0..100).map(|_| {
                let mut frame = Frame::silence(Rate::Wide, 20);
                music.fill(&mut frame);
                encoder.encode(&frame).unwrap().len() * 8
            });
            packets.sum::<usize>() / 2
        };
        let (low, high) = (bits(8_000), bits(32_000));
        assert!(low < 10_000 && high > 20_000, "{low} and {high} bit/s");
    }
}
