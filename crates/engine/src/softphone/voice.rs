use std::collections::VecDeque;
use std::time::{Duration, Instant};

use housecall_bridge::{EarFrame, EarPacket};
use housecall_media::coder::CodecError;
use housecall_media::opus::OPUS_FRAME_TICKS;
use housecall_media::sound::Playback;
use housecall_media::{
    FRAME_MS, FRAME_SAMPLES, Frame, OpusDecoder, OpusEncoder, Sine, Sound, dominant_frequency,
    level,
};

/// What a telephone without a person says.
#[derive(Clone, Debug, PartialEq)]
pub enum Voice {
    /// Frames of silence, every 20 ms: carriers hang up on a leg that sends nothing.
    Silence,
    /// A tone at -12 dBFS.
    Tone {
        /// In hertz.
        hertz: f32,
    },
    /// A recording, once, from the answer on; then silence.
    Recording(Sound),
}

/// Says it, as a browser would: in Opus, and on a clock of its own.
pub(super) struct Mouth {
    voice: Speech,
    encoder: OpusEncoder,
    sequence: u16,
    timestamp: u32,
    next: Instant,
}

/// What is said next.
enum Speech {
    Silence,
    Tone(Sine),
    /// Nobody is there yet to hear it.
    Unsaid(Sound),
    Recording(Playback),
}

impl Speech {
    fn frame(&mut self) -> Option<Frame> {
        match self {
            Self::Silence | Self::Unsaid(_) => None,
            Self::Tone(tone) => Some(tone.frame()),
            Self::Recording(playback) => playback.frame(),
        }
    }
}

impl Mouth {
    const FRAME: Duration = Duration::from_millis(FRAME_MS);
    /// What is older than this is said no more.
    const BEHIND_MAX: Duration = Duration::from_secs(1);

    /// Begins to speak `now`.
    pub(super) fn new(now: Instant, voice: Voice) -> Result<Self, CodecError> {
        let voice = match voice {
            Voice::Silence => Speech::Silence,
            Voice::Tone { hertz } => Speech::Tone(Sine::new(hertz, -12.0)),
            Voice::Recording(sound) => Speech::Unsaid(sound),
        };
        Ok(Self {
            voice,
            encoder: OpusEncoder::new()?,
            sequence: 0,
            timestamp: 0,
            next: now,
        })
    }

    /// Somebody hears it from `now` on.
    pub(super) fn answered(&mut self, now: Instant) {
        if let Speech::Unsaid(sound) = &self.voice {
            self.voice = Speech::Recording(sound.play());
            self.next = now;
        }
    }

    /// The next 20 ms that are due. After a late wake there are several: the clock of a browser does not stop because we sleep. None of
    /// silence, which the media path makes by itself.
    pub(super) fn speak(&mut self, now: Instant) -> Option<EarPacket> {
        let late = now.checked_duration_since(self.next)?;
        if late > Self::BEHIND_MAX {
            self.pass(late);
        }
        let frame = self.voice.frame()?;
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
    /// The timestamp of the frame that follows the last one, if nothing is left out.
    next: Option<u32>,
}

impl Ear {
    /// One second at 8 kHz.
    const MEASURED: usize = 8_000;
    /// Of Opus in a sample at 8 kHz.
    const TICKS: u32 = OPUS_FRAME_TICKS / FRAME_SAMPLES as u32;
    /// A longer silence is told as this long, in samples at 8 kHz: a minute.
    const SILENCE_MAX: u32 = 60 * 8_000;

    pub(super) fn new() -> Result<Self, CodecError> {
        Ok(Self {
            decoder: OpusDecoder::new()?,
            last: VecDeque::with_capacity(Self::MEASURED),
            next: None,
        })
    }

    /// Forgets what was heard, such as our own ringing tone.
    pub(super) fn begin(&mut self) {
        self.last.clear();
        self.next = None;
    }

    /// Returns what a frame sounds like, at 8 kHz, after the silence since the one before, which is not sent; none of one that cannot be
    /// decoded.
    pub(super) fn hear(&mut self, frame: &EarFrame) -> Option<Vec<i16>> {
        let mut samples = Vec::new();
        self.decoder.decode(&frame.payload, &mut samples).ok()?;
        self.last.extend(&samples);
        let surplus = self.last.len().saturating_sub(Self::MEASURED);
        self.last.drain(..surplus);
        let silence = self.silence_before(frame.timestamp);
        Some([vec![0; silence], samples].concat())
    }

    fn silence_before(&mut self, timestamp: u32) -> usize {
        let next = self.next.replace(timestamp.wrapping_add(OPUS_FRAME_TICKS));
        let left_out = next.map_or(0, |next| timestamp.wrapping_sub(next));
        // One that comes late, in a place of its own, looks like half of all time.
        let left_out = if left_out > u32::MAX / 2 { 0 } else { left_out };
        (left_out / Self::TICKS).min(Self::SILENCE_MAX) as usize
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
    use housecall_media::sound::to_wav;

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
    fn what_is_left_out_is_silence() {
        let mut ear = Ear::new().unwrap();
        let at = |frames: u32| frames.wrapping_mul(OPUS_FRAME_TICKS);
        let told =
            [at(u32::MAX - 1), at(u32::MAX), at(3), at(1), at(2)].map(|it| ear.silence_before(it));
        assert_eq!(
            told,
            [0, 0, 3 * FRAME_SAMPLES, 0, 0],
            "frames 0 to 2 are left out"
        );
        ear.begin();
        assert_eq!(ear.silence_before(at(500)), 0);
        assert_eq!(
            ear.silence_before(at(500_000)),
            480_000,
            "a minute, and no more"
        );
    }

    #[test]
    fn a_recording_is_said_once_from_the_answer_on() {
        let begun = Instant::now();
        let recording = Sound::read(&to_wav(&[1_000; 320])).unwrap();
        let mut mouth = Mouth::new(begun, Voice::Recording(recording)).unwrap();
        assert!(said(&mut mouth, begun, 5_000).is_empty());
        mouth.answered(begun + Duration::from_secs(6));
        assert_eq!(said(&mut mouth, begun, 6_500).len(), 2);
        assert!(said(&mut mouth, begun, 9_000).is_empty());
    }

    #[test]
    fn silence_is_not_said() {
        let begun = Instant::now();
        let mut mouth = Mouth::new(begun, Voice::Silence).unwrap();
        assert!(said(&mut mouth, begun, 1_000).is_empty());
    }
}
