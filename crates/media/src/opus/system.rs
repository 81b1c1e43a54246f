//! The distribution's libopus, as the crate `audiopus` binds it.

use audiopus::coder::{Decoder, Encoder};
use audiopus::packet::Packet;
use audiopus::{Application, Bitrate, Channels, Error, MutSignals, SampleRate, Signal};

use super::OpusSettings;
use super::encoder::Mode;

#[derive(Debug)]
pub(super) struct RawEncoder(Encoder);

#[derive(Debug)]
pub(super) struct RawDecoder(Decoder);

impl RawEncoder {
    pub(super) fn new(hertz: u32, mode: Mode) -> Result<Self, String> {
        Encoder::new(rate(hertz)?, Channels::Mono, application(mode))
            .map(Self)
            .map_err(reason)
    }

    pub(super) fn set(&mut self, settings: &OpusSettings, complexity: u8) -> Result<(), String> {
        let Self(encoder) = self;
        let bits = i32::try_from(settings.bits_per_second).unwrap_or(i32::MAX);
        encoder
            .set_bitrate(Bitrate::BitsPerSecond(bits))
            .and_then(|()| encoder.set_complexity(complexity))
            .and_then(|()| encoder.set_signal(Signal::Voice))
            .and_then(|()| encoder.set_inband_fec(settings.repeats))
            .and_then(|()| encoder.set_dtx(settings.skips_silence))
            .map_err(reason)
    }

    pub(super) fn expect_loss(&mut self, percent: u8) -> Result<(), String> {
        self.0.set_packet_loss_perc(percent).map_err(reason)
    }

    pub(super) fn encode(&mut self, samples: &[i16], packet: &mut [u8]) -> Result<usize, String> {
        self.0.encode(samples, packet).map_err(reason)
    }
}

impl RawDecoder {
    pub(super) fn new(hertz: u32) -> Result<Self, String> {
        Decoder::new(rate(hertz)?, Channels::Mono)
            .map(Self)
            .map_err(reason)
    }

    /// Decodes; conceals if the packet is empty.
    pub(super) fn decode(
        &mut self,
        packet: &[u8],
        samples: &mut [i16],
        fec: bool,
    ) -> Result<usize, String> {
        let packet = match packet {
            [] => None,
            bytes => Some(Packet::try_from(bytes).map_err(reason)?),
        };
        let samples = MutSignals::try_from(samples).map_err(reason)?;
        self.0.decode(packet, samples, fec).map_err(reason)
    }
}

fn rate(hertz: u32) -> Result<SampleRate, String> {
    i32::try_from(hertz)
        .map_err(|error| error.to_string())
        .and_then(|hertz| SampleRate::try_from(hertz).map_err(reason))
}

/// What libopus has to be used for to code in a mode.
fn application(mode: Mode) -> Application {
    match mode {
        Mode::Celt => Application::LowDelay,
        Mode::Silk => Application::Voip,
    }
}

fn reason(error: Error) -> String {
    error.to_string()
}
