use bytes::Bytes;

use super::OpusSettings;
use super::failed;
use super::libopus::RawEncoder;
use crate::Rate;
use crate::coder::{CodecError, Encoder};

/// Encodes packets of 10, 20, 40 or 60 ms: in CELT mode, and in SILK mode with redundancy while the listener loses packets.
///
/// CELT sounds better, costs half and looks 2.5 ms ahead where SILK looks 6.5 ms; but only SILK can tell again what was in the packet before
/// (RFC 6716 §2.1.7). PESQ of two voices at 0, 3 and 10 % loss: CELT at 48 kbit/s 4.42, 3.66, 2.70; SILK at 40 kbit/s 4.23, 4.15, 3.76.
#[derive(Debug)]
pub struct OpusEncoder {
    rate: Rate,
    settings: OpusSettings,
    mode: Mode,
    raw: RawEncoder,
    /// Samples since the listener last lost more than [`Self::LOST_MIN`].
    unharmed: usize,
}

/// How the sound is coded (RFC 6716 §2.1.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    Celt,
    Silk,
}

impl OpusEncoder {
    /// libopus' effort, 0 to 10: bits do more for a voice than effort. In SILK mode 40 kbit/s have a better PESQ with 0 than 32 kbit/s with 1
    /// (out of G.711 4.21 against 4.16, at 10 % loss 3.74 against 3.58; out of G.722 3.08 against 2.86), in a little less time.
    const COMPLEXITY: u8 = 0;
    /// More than this SILK makes nothing of.
    const SILK_BITS_MAX: u32 = 40_000;
    /// With less than this CELT sounds worse than SILK.
    const CELT_BITS_MIN: u32 = 32_000;
    /// Packets lost of 256 from which on redundancy is worth more than what it costs: 1.2 %.
    const LOST_MIN: u8 = 3;
    /// Milliseconds without such loss after which it is taken to be over: several reports.
    const UNHARMED_MS: u64 = 30_000;
    /// The loss told to libopus in percent, whatever is reported: redundancy is only written where loss is expected.
    const LOSS_PERCENT_MIN: u8 = 5;
    const LOSS_PERCENT_MAX: u8 = 40;
    /// Bytes of a packet at most; 60 ms of the highest bitrate used are about 500.
    const PACKET_BYTES_MAX: usize = 1_000;
    /// A packet that libopus says need not be sent (DTX) is no longer than this.
    const UNSENT_BYTES_MAX: usize = 2;

    /// Makes an encoder of speech at 8 kHz, with redundancy where it is needed.
    ///
    /// # Errors
    /// libopus found no memory.
    pub fn new() -> Result<Self, CodecError> {
        Self::with(Rate::Narrow, OpusSettings::default())
    }

    /// Makes an encoder of speech at a rate.
    ///
    /// # Errors
    /// libopus found no memory, or refused a setting.
    pub fn with(rate: Rate, settings: OpusSettings) -> Result<Self, CodecError> {
        let mode = Self::mode_of(&settings, false);
        Ok(Self {
            rate,
            settings,
            mode,
            raw: Self::raw(rate, &settings, mode)?,
            unharmed: 0,
        })
    }

    /// SILK alone has redundancy, knows silence from sound, and is at home where there are few bits.
    fn mode_of(settings: &OpusSettings, is_lossy: bool) -> Mode {
        let needs_silk = settings.skips_silence || settings.bits_per_second < Self::CELT_BITS_MIN;
        if needs_silk || settings.repeats && is_lossy {
            Mode::Silk
        } else {
            Mode::Celt
        }
    }

    fn raw(rate: Rate, settings: &OpusSettings, mode: Mode) -> Result<RawEncoder, CodecError> {
        let settings = match mode {
            Mode::Celt => *settings,
            Mode::Silk => OpusSettings {
                bits_per_second: settings.bits_per_second.min(Self::SILK_BITS_MAX),
                ..*settings
            },
        };
        let mut raw = RawEncoder::new(rate.hertz(), mode).map_err(failed("encoder"))?;
        raw.set(&settings, Self::COMPLEXITY)
            .and_then(|()| raw.expect_loss(Self::LOSS_PERCENT_MIN))
            .map_err(failed("encoder setting"))?;
        Ok(raw)
    }

    /// Tells the loss that the listener reports, so that redundancy is as much as is needed. `fraction_lost` as in RTCP, of 256.
    ///
    /// # Errors
    /// libopus refused, or found no memory; it goes on as before.
    pub fn expect_loss(&mut self, fraction_lost: u8) -> Result<(), CodecError> {
        let is_lossy = fraction_lost >= Self::LOST_MIN;
        if is_lossy {
            self.unharmed = 0;
        }
        if is_lossy || self.is_unharmed() {
            self.change(Self::mode_of(&self.settings, is_lossy))?;
        }
        let percent = (u16::from(fraction_lost) * 100 / 256) as u8;
        self.raw
            .expect_loss(percent.clamp(Self::LOSS_PERCENT_MIN, Self::LOSS_PERCENT_MAX))
            .map_err(failed("encoder setting"))
    }

    fn is_unharmed(&self) -> bool {
        self.unharmed >= self.rate.samples(Self::UNHARMED_MS)
    }

    /// Goes on in another mode. The decoder fades from one to the other by itself (RFC 6716 §4.5).
    fn change(&mut self, mode: Mode) -> Result<(), CodecError> {
        if mode != self.mode {
            self.raw = Self::raw(self.rate, &self.settings, mode)?;
            self.mode = mode;
        }
        Ok(())
    }

    /// Encodes one packet. Empty if it need not be sent, which only happens where silence is skipped.
    ///
    /// # Errors
    /// libopus refused; send nothing for this packet.
    pub fn encode(&mut self, samples: &[i16]) -> Result<Bytes, CodecError> {
        let mut packet = [0; Self::PACKET_BYTES_MAX];
        let length = self
            .raw
            .encode(samples, &mut packet)
            .map_err(failed("encode"))?;
        self.unharmed = self.unharmed.saturating_add(samples.len());
        let packet = packet.get(..length).unwrap_or_default();
        Ok(if packet.len() <= Self::UNSENT_BYTES_MAX {
            Bytes::new()
        } else {
            Bytes::copy_from_slice(packet)
        })
    }
}

impl Encoder for OpusEncoder {
    fn encode(&mut self, samples: &[i16]) -> Result<Bytes, CodecError> {
        Self::encode(self, samples)
    }

    fn expect_loss(&mut self, fraction_lost: u8) {
        // Without the hint there is as much redundancy as before.
        let _ = Self::expect_loss(self, fraction_lost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opus::OpusDecoder;
    use crate::{Frame, Sine, dominant_frequency_at, level};

    fn mode(packet: &[u8]) -> Mode {
        // RFC 6716 §3.1: the configurations from 16 on are CELT.
        match packet.first().unwrap() >> 3 {
            16.. => Mode::Celt,
            _ => Mode::Silk,
        }
    }

    /// Encodes so many frames of a tone, hears what the listener reports after each, and tells in which mode each packet is.
    fn said(
        encoder: &mut OpusEncoder,
        sine: &mut Sine,
        frames: usize,
        lost: Option<u8>,
    ) -> Vec<Bytes> {
        (0..frames)
            .map(|_| {
                if let Some(lost) = lost {
                    encoder.expect_loss(lost).unwrap();
                }
                encoder.encode(&sine.frame()).unwrap()
            })
            .collect()
    }

    fn all_in(packets: &[Bytes], expected: Mode) -> bool {
        packets.iter().all(|packet| mode(packet) == expected)
    }

    #[test]
    fn redundancy_comes_with_the_first_loss_and_goes_half_a_minute_after_the_last() {
        let mut encoder = OpusEncoder::new().unwrap();
        let mut sine = Sine::new(440.0, -12.0);
        let mut say = |frames, lost| said(&mut encoder, &mut sine, frames, lost);
        assert!(all_in(&say(50, Some(0)), Mode::Celt));
        assert!(all_in(&say(50, Some(2)), Mode::Celt));
        assert!(all_in(&say(1, Some(8)), Mode::Silk));
        assert!(all_in(&say(1_499, Some(0)), Mode::Silk));
        assert!(all_in(&say(1, Some(3)), Mode::Silk));
        assert!(all_in(&say(1_499, Some(0)), Mode::Silk));
        assert!(all_in(&say(10, Some(0)), Mode::Celt));
    }

    #[test]
    fn who_takes_no_repeats_skips_silence_or_has_few_bits_is_not_changed_for() {
        let mut sine = Sine::new(440.0, -12.0);
        let ours = OpusSettings::default();
        let plain = OpusSettings {
            repeats: false,
            ..ours
        };
        let quiet = OpusSettings {
            skips_silence: true,
            ..ours
        };
        let thin = OpusSettings {
            bits_per_second: 20_000,
            ..ours
        };
        for (settings, expected) in [(plain, Mode::Celt), (quiet, Mode::Silk), (thin, Mode::Silk)] {
            let mut encoder = OpusEncoder::with(Rate::Narrow, settings).unwrap();
            for lost in [0, 30] {
                let packets = said(&mut encoder, &mut sine, 20, Some(lost));
                assert!(
                    all_in(&packets, expected),
                    "{settings:?}, {lost} of 256 lost"
                );
            }
        }
    }

    /// RFC 6716 §4.5: the decoder carries the sound over.
    #[test]
    fn a_change_of_mode_is_not_heard() {
        for rate in [Rate::Narrow, Rate::Wide] {
            let mut encoder = OpusEncoder::with(rate, OpusSettings::default()).unwrap();
            let mut decoder = OpusDecoder::at(rate).unwrap();
            let (mut sine, mut heard) = (Sine::new(440.0, -12.0), Vec::new());
            let mut modes = Vec::new();
            for frame in 0..3_400 {
                let mut sound = Frame::silence(rate, 20);
                sine.fill(&mut sound);
                if frame % 250 == 100 {
                    let lost = if frame == 100 { 20 } else { 0 };
                    encoder.expect_loss(lost).unwrap();
                    modes.push(encoder.mode);
                }
                let packet = encoder.encode(&sound).unwrap();
                decoder.decode(&packet, &mut heard).unwrap();
            }
            assert_eq!(modes.first(), Some(&Mode::Silk));
            assert_eq!(modes.last(), Some(&Mode::Celt));
            // The steepest that the tone itself is, and an eighth more.
            let step_max = 3_200 * 8_000 / rate.hertz();
            let second = rate.samples(1_000);
            for part in heard[second..].chunks_exact(second) {
                let hertz = dominant_frequency_at(rate, part).unwrap();
                assert!((hertz - 440.0).abs() < 3.0, "{rate:?}: {hertz} Hz");
                assert!((level(part).0 + 12.0).abs() < 1.0, "{rate:?}");
                let steps = part.windows(2).map(|pair| pair[1].abs_diff(pair[0]));
                let step = u32::from(steps.max().unwrap());
                assert!(step < step_max, "{rate:?}: a click of {step}");
            }
        }
    }
}
