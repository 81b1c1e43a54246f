use bytes::Bytes;
use housecall_media::coder::{CodecError, Encoder, encoder};
use housecall_media::opus::OpusSettings;
use housecall_media::sdp::Codec;
use housecall_media::{Frame, Rate};

/// Gathers frames into packets of the length that the listener asks for, and encodes them.
#[derive(Debug)]
pub(super) struct Packer {
    format: PackerFormat,
    encoder: Box<dyn Encoder>,
    samples: Vec<i16>,
    /// The RTP time of the first of them.
    began: u32,
}

/// What packets are made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PackerFormat {
    pub(super) codec: Codec,
    pub(super) rate: Rate,
    pub(super) opus: OpusSettings,
    /// How long a packet plays.
    pub(super) ms: u64,
}

/// What is to be sent, with the RTP time at which it begins. Empty if it need not be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Packed {
    pub(super) timestamp: u32,
    pub(super) payload: Bytes,
}

impl Packer {
    pub(super) fn new(format: PackerFormat) -> Result<Self, CodecError> {
        let encoder = encoder(format.codec, format.rate, format.opus)?;
        Ok(Self {
            format,
            encoder,
            samples: Vec::with_capacity(format.rate.samples(format.ms)),
            began: 0,
        })
    }

    pub(super) fn format(&self) -> PackerFormat {
        self.format
    }

    /// Goes on in another format. A packet under way is given up if the format is new.
    pub(super) fn change(&mut self, format: PackerFormat) -> Result<(), CodecError> {
        if self.format != format {
            *self = Self::new(format)?;
        }
        Ok(())
    }

    /// Adds a frame that begins at `timestamp`; gives a packet when it is full. Of a packet that cannot be encoded nothing is sent.
    pub(super) fn push(&mut self, timestamp: u32, frame: &Frame) -> Option<Packed> {
        if self.samples.is_empty() {
            self.began = timestamp;
        }
        self.samples.extend_from_slice(frame);
        if self.samples.len() < self.format.rate.samples(self.format.ms) {
            return None;
        }
        let payload = self.encoder.encode(&self.samples);
        self.samples.clear();
        payload.ok().map(|payload| Packed {
            timestamp: self.began,
            payload,
        })
    }

    /// Gives up the packet under way: something else goes in its place.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
    }

    pub(super) fn expect_loss(&mut self, fraction_lost: u8) {
        self.encoder.expect_loss(fraction_lost);
    }
}
