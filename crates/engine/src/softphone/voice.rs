use std::collections::VecDeque;
use std::time::{Duration, Instant};

use housecall_bridge::{EarFrame, EarPacket};
use housecall_media::coder::CodecError;
use housecall_media::opus::OPUS_FRAME_TICKS;
use housecall_media::{FRAME_MS, OpusDecoder, OpusEncoder, Sine, dominant_frequency, level};

/// What a telephone without a person says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Voice {
    /// Frames of silence, every 20 ms: carriers hang up on a leg that sends nothing.
    Silence,
    /// A tone at -12 dBFS.
    Tone {
        /// In hertz.
        hertz: f32,
    },
}

/// Says it, as a browser would: in Opus, and on a clock of its own.
pub(super) struct Mouth {
    tone: Option<Sine>,
    encoder: OpusEncoder,
    sequence: u16,
    timestamp: u32,
    next: Instant,
}

impl Mouth {
    const FRAME: Duration = Duration::from_millis(FRAME_MS);
    /// What is older than this is said no more.
    const BEHIND_MAX: Duration = Duration::from_secs(1);

    /// Begins to speak `now`.
    pub(super) fn new(now: Instant, voice: Voice) -> Result<Self, CodecError> {
        let tone = match voice {
            Voice::Silence => None,
            Voice::Tone { hertz } => Some(Sine::new(hertz, -12.0)),
        };
        Ok(Self {
            tone,
            encoder: OpusEncoder::new()?,
            sequence: 0,
            timestamp: 0,
            next: now,
        })
    }

    /// The next 20 ms that are due. After a late wake there are several: the clock of a browser does not stop because we sleep. None of
    /// silence, which the media path makes by itself.
    pub(super) fn speak(&mut self, now: Instant) -> Option<EarPacket> {
        let late = now.checked_duration_since(self.next)?;
        if late > Self::BEHIND_MAX {
            self.pass(late);
        }
        let frame = self.tone.as_mut()?.frame();
        let payload = self.encoder.encode(&frame).ok()?;
        self.sequence = self.sequence.wrapping_add(1);
        self.pass(Self::FRAME);
        Some(EarPacket {
            ssrc: 1,
            sequence: self.sequence,
            timestamp: self.timestamp,
            payload,
        })
    }

    /// Lets the whole frames in `time` pass.
    fn pass(&mut self, time: Duration) {
        let frames = time.as_millis() / Self::FRAME.as_millis();
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.next += Self::FRAME.saturating_mul(frames);
        let ticks = OPUS_FRAME_TICKS.wrapping_mul(frames);
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }
}

/// Measures the last second of what is heard.
pub(super) struct Ear {
    decoder: OpusDecoder,
    last: VecDeque<i16>,
}

impl Ear {
    /// One second at 8 kHz.
    const MEASURED: usize = 8_000;

    pub(super) fn new() -> Result<Self, CodecError> {
        Ok(Self {
            decoder: OpusDecoder::new()?,
            last: VecDeque::with_capacity(Self::MEASURED),
        })
    }

    /// Forgets what was heard, such as our own ringing tone.
    pub(super) fn begin(&mut self) {
        self.last.clear();
    }

    pub(super) fn hear(&mut self, frame: &EarFrame) {
        let mut samples = Vec::new();
        if self.decoder.decode(&frame.payload, &mut samples).is_err() {
            return;
        }
        self.last.extend(samples);
        let surplus = self.last.len().saturating_sub(Self::MEASURED);
        self.last.drain(..surplus);
    }

    /// In dBFS; none before anything was heard.
    pub(super) fn level_dbfs(&mut self) -> Option<f32> {
        let samples = self.last.make_contiguous();
        (!samples.is_empty()).then(|| level(samples).0)
    }

    /// In hertz; none of silence and noise.
    pub(super) fn frequency_hz(&mut self) -> Option<f32> {
        dominant_frequency(self.last.make_contiguous())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The timestamps, in frames, of what is due at that many milliseconds.
    fn said(mouth: &mut Mouth, begun: Instant, at_ms: u64) -> Vec<u32> {
        let now = begun + Duration::from_millis(at_ms);
        std::iter::from_fn(|| mouth.speak(now))
            .map(|packet| packet.timestamp / OPUS_FRAME_TICKS)
            .collect()
    }

    #[test]
    fn a_voice_keeps_its_time_however_late_we_wake() {
        let begun = Instant::now();
        let mut mouth = Mouth::new(begun, Voice::Tone { hertz: 440.0 }).unwrap();
        assert_eq!(said(&mut mouth, begun, 0), [1]);
        assert!(said(&mut mouth, begun, 19).is_empty());
        assert_eq!(said(&mut mouth, begun, 20), [2]);
        assert_eq!(said(&mut mouth, begun, 105), [3, 4, 5, 6]);
        assert_eq!(
            said(&mut mouth, begun, 3_605_000),
            [180_251],
            "not an hour at once"
        );
        assert_eq!(said(&mut mouth, begun, 3_605_020), [180_252]);
    }

    #[test]
    fn silence_is_not_said() {
        let begun = Instant::now();
        let mut mouth = Mouth::new(begun, Voice::Silence).unwrap();
        assert!(said(&mut mouth, begun, 1_000).is_empty());
    }
}
