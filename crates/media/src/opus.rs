//! Opus at the phone's own rate: 8 kHz mono, so that nothing between the two legs is resampled (RFC 6716).
//!
//! The RTP clock of Opus is 48 kHz all the same (RFC 7587 §4.1): a frame of 20 ms is 160 samples and 960 ticks.

use ::opus::{Application, Bitrate, Channels, Decoder, Encoder, Signal};
use bytes::Bytes;

use crate::{FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// Ticks of the RTP clock in one frame of 20 ms.
pub const OPUS_FRAME_TICKS: u32 = 960;

/// libopus would not do what was asked. Not the peer's doing, except for [`OpusDecoder::decode`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("opus {action}: {reason}")]
pub struct OpusError {
    action: &'static str,
    reason: String,
}

fn failed(action: &'static str) -> impl Fn(opus::Error) -> OpusError {
    move |error| OpusError {
        action,
        reason: error.description().to_owned(),
    }
}

/// Encodes frames of 20 ms.
#[derive(Debug)]
pub struct OpusEncoder {
    encoder: Encoder,
}

impl OpusEncoder {
    /// Bits in a second: narrow-band speech with room for redundancy.
    pub const BITS_PER_SECOND: i32 = 24_000;
    /// libopus' effort, 0 to 10. At 8 kHz more than 5 is not heard.
    pub const COMPLEXITY: i32 = 5;
    /// Bytes of a packet at most; 20 ms at the bitrate above are about 60.
    const PACKET_BYTES_MAX: usize = 400;

    /// Makes an encoder for speech with in-band redundancy.
    ///
    /// # Errors
    /// libopus found no memory.
    pub fn new() -> Result<Self, OpusError> {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)
            .map_err(failed("encoder"))?;
        let set = failed("encoder setting");
        encoder
            .set_bitrate(Bitrate::Bits(Self::BITS_PER_SECOND))
            .map_err(&set)?;
        encoder.set_complexity(Self::COMPLEXITY).map_err(&set)?;
        encoder.set_signal(Signal::Voice).map_err(&set)?;
        encoder.set_inband_fec(true).map_err(&set)?;
        // Redundancy is only written where loss is expected.
        encoder.set_packet_loss_perc(10).map_err(&set)?;
        Ok(Self { encoder })
    }

    /// Tells the loss that the listener reports, so that redundancy is as much as is needed. `fraction_lost` as in RTCP, of 256.
    ///
    /// # Errors
    /// libopus refused.
    pub fn expect_loss(&mut self, fraction_lost: u8) -> Result<(), OpusError> {
        let percent = (i32::from(fraction_lost) * 100 / 256).clamp(5, 40);
        self.encoder
            .set_packet_loss_perc(percent)
            .map_err(failed("encoder setting"))
    }

    /// Encodes one frame.
    ///
    /// # Errors
    /// libopus refused; send nothing for this frame.
    pub fn encode(&mut self, frame: &Frame) -> Result<Bytes, OpusError> {
        let packet = self.encoder.encode_vec(frame, Self::PACKET_BYTES_MAX);
        packet.map(Bytes::from).map_err(failed("encode"))
    }
}

/// Decodes packets of any rate and channel count to 8 kHz mono.
#[derive(Debug)]
pub struct OpusDecoder {
    decoder: Decoder,
}

impl OpusDecoder {
    /// Samples of the longest packet, 120 ms (RFC 6716 §3.2.5).
    const PACKET_SAMPLES_MAX: usize = 960;

    /// Makes a decoder.
    ///
    /// # Errors
    /// libopus found no memory.
    pub fn new() -> Result<Self, OpusError> {
        let decoder = Decoder::new(SAMPLE_RATE, Channels::Mono).map_err(failed("decoder"))?;
        Ok(Self { decoder })
    }

    /// How long a packet plays, in ticks of the RTP clock, without decoding it. None if it is no Opus packet.
    pub fn ticks(packet: &[u8]) -> Option<u32> {
        let ticks = ::opus::packet::get_nb_samples(packet, 48_000).ok()?;
        u32::try_from(ticks)
            .ok()
            .filter(|ticks| (120..=5_760).contains(ticks))
    }

    /// Decodes a packet onto the end of `samples`.
    ///
    /// # Errors
    /// The packet is damaged; conceal it.
    pub fn decode(&mut self, packet: &[u8], samples: &mut Vec<i16>) -> Result<(), OpusError> {
        // An empty packet would mean "conceal" to libopus.
        if packet.is_empty() {
            return Err(OpusError {
                action: "decode",
                reason: "empty packet".to_owned(),
            });
        }
        self.run(packet, Self::PACKET_SAMPLES_MAX, false, samples)
            .map_err(failed("decode"))
    }

    /// Decodes a lost packet of `ticks` from the redundancy in the packet after it; conceals where there is none.
    ///
    /// # Errors
    /// The packet is damaged; conceal.
    pub fn recover(
        &mut self,
        next: &[u8],
        ticks: u32,
        samples: &mut Vec<i16>,
    ) -> Result<(), OpusError> {
        if next.is_empty() {
            return self.conceal(ticks, samples);
        }
        self.run(next, samples_of(ticks), true, samples)
            .map_err(failed("recover"))
    }

    /// Continues the sound plausibly through `ticks` of loss; it fades by itself.
    ///
    /// # Errors
    /// libopus refused; play silence.
    pub fn conceal(&mut self, ticks: u32, samples: &mut Vec<i16>) -> Result<(), OpusError> {
        self.run(&[], samples_of(ticks), false, samples)
            .map_err(failed("conceal"))
    }

    fn run(
        &mut self,
        packet: &[u8],
        length: usize,
        fec: bool,
        samples: &mut Vec<i16>,
    ) -> ::opus::Result<()> {
        let mut buffer = [0; Self::PACKET_SAMPLES_MAX];
        let room = buffer.get_mut(..length).unwrap_or_default();
        let decoded = self.decoder.decode(packet, room, fec)?;
        samples.extend(buffer.iter().take(decoded));
        Ok(())
    }
}

/// Samples at 8 kHz of `ticks` at 48 kHz, in the steps of 2.5 ms that libopus conceals in.
fn samples_of(ticks: u32) -> usize {
    let samples = usize::try_from(ticks / 6).unwrap_or(FRAME_SAMPLES);
    (samples / 20 * 20).clamp(20, OpusDecoder::PACKET_SAMPLES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SILENCE, Sine, dominant_frequency, level};

    fn tone(frames: usize) -> Vec<Frame> {
        let mut sine = Sine::new(440.0, -12.0);
        (0..frames).map(|_| sine.frame()).collect()
    }

    fn encoded(frames: &[Frame]) -> Vec<Bytes> {
        let mut encoder = OpusEncoder::new().unwrap();
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
        let loss = level(&frames.concat()).0 - level(&out[1_600..]).0;
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
            decoder.conceal(960, &mut out).unwrap();
            match recover {
                true => decoder.recover(&packets[22], 960, &mut out).unwrap(),
                false => decoder.conceal(960, &mut out).unwrap(),
            }
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
}
