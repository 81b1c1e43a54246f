use bytes::Bytes;
use housecall_media::opus::OpusSettings;
use housecall_media::{Frame, OpusEncoder, Rate};

/// Encodes frames to Opus, each at its own rate.
#[derive(Debug, Default)]
pub(super) struct FrameEncoder(Option<(Rate, OpusEncoder)>);

impl FrameEncoder {
    /// What is assumed of a whole room, of 256: there is always somebody who loses something.
    const LOST: u8 = 13;

    /// Encodes a frame. None without memory for the encoder, or if the frame has a length that Opus has not.
    pub(super) fn encode(&mut self, frame: &Frame) -> Option<Bytes> {
        self.at(frame.rate())?.encode(frame).ok()
    }

    fn at(&mut self, rate: Rate) -> Option<&mut OpusEncoder> {
        let encoder = match self.0.take() {
            Some((before, encoder)) if before == rate => encoder,
            _ => Self::begin(rate)?,
        };
        Some(&mut self.0.insert((rate, encoder)).1)
    }

    fn begin(rate: Rate) -> Option<OpusEncoder> {
        let mut encoder = OpusEncoder::with(rate, OpusSettings::default()).ok()?;
        encoder.expect_loss(Self::LOST).ok()?;
        Some(encoder)
    }
}
