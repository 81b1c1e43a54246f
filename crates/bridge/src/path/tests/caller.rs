//! Who hums at a browser.

use super::*;

pub(super) struct Caller {
    pub(super) hum: Option<Sine>,
    pub(super) codec: Codec,
    pub(super) voice: Voice,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) heard: Vec<i16>,
    pub(super) timestamps: Vec<u32>,
    pub(super) frames: Vec<EarFrame>,
}

impl Caller {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            hum: Some(Sine::new(CALLER_HERTZ, SENT_DBFS)),
            codec,
            voice: Voice::new(codec, Rate::Narrow),
            sequence: 65_000,
            timestamp: 4_294_000_000,
            heard: Vec::new(),
            timestamps: Vec::new(),
            frames: Vec::new(),
        }
    }

    pub(super) fn packet(&mut self) -> Option<EarPacket> {
        let payload = self.hum.as_mut().map(|hum| self.voice.says(hum, 20));
        let packet = payload.map(|payload| EarPacket {
            ssrc: 7,
            sequence: self.sequence,
            timestamp: self.timestamp,
            payload,
        });
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.codec.clock_rate() / 50);
        packet
    }

    pub(super) fn hears(&mut self, frame: EarFrame) {
        self.timestamps.push(frame.timestamp);
        self.voice
            .decoder
            .decode(&frame.payload, &mut self.heard)
            .unwrap();
        self.frames.push(frame);
    }
}
