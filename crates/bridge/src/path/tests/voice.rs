use super::*;

/// Both directions of a codec at one end.
pub(super) struct Voice {
    pub(super) rate: Rate,
    pub(super) encoder: Box<dyn Encoder>,
    pub(super) decoder: Box<dyn Decoder>,
}

impl Voice {
    pub(super) fn new(codec: Codec, rate: Rate) -> Self {
        Self {
            rate,
            encoder: encoder(codec, rate, OpusSettings::default()).unwrap(),
            decoder: decoder(codec, rate).unwrap(),
        }
    }

    pub(super) fn says(&mut self, hum: &mut Sine, ms: u64) -> Bytes {
        let mut samples = Vec::new();
        for _ in 0..ms / 10 {
            let mut frame = Frame::silence(self.rate, 10);
            hum.fill(&mut frame);
            samples.extend(frame);
        }
        self.encoder.encode(&samples).unwrap()
    }
}
