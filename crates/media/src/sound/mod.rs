//! Sound from files: music to hold by and prompts, read and converted once, then played as often as is wanted.
//!
//! WAV (PCM of 8, 16 or 24 bits, A-law, µ-law) and Ogg Opus, mono or stereo. Whoever has the file brings its bytes: nothing is opened here.

mod ogg;
mod wav;

use std::sync::Arc;

pub use wav::to_wav;

use crate::coder::CodecError;
use crate::resample::resample;
use crate::{Frame, Rate, SAMPLE_RATE, SILENCE, level};

/// Some sound of a telephone's bandwidth, ready to be played at either rate. Clones share it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sound {
    narrow: Arc<[i16]>,
    wide: Arc<[i16]>,
}

/// Plays a sound, frame by frame.
#[derive(Clone, Debug)]
pub struct Playback {
    sound: Sound,
    /// Samples at 16 kHz played so far.
    at: usize,
    again: bool,
}

/// What is wrong with a file, for whoever made it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SoundError {
    /// It begins like neither kind.
    #[error("neither a WAV nor an Ogg Opus file")]
    UnknownKind,
    /// More than is kept in memory for it.
    #[error("{bytes} bytes, at most {cap} are read")]
    TooLarge {
        /// Bytes there are.
        bytes: usize,
        /// The cap.
        cap: usize,
    },
    /// It plays for longer than anybody is held.
    #[error("more than {cap} seconds long")]
    TooLong {
        /// The cap.
        cap: usize,
    },
    /// There is no sound in it.
    #[error("no sound in it")]
    Empty,
    /// It ends in the middle of something.
    #[error("cut short: its {what} needs {needs} bytes and has {bytes}")]
    CutShort {
        /// What ends too early.
        what: &'static str,
        /// Bytes it speaks of.
        needs: usize,
        /// Bytes there are.
        bytes: usize,
    },
    /// A part that every such file has is missing.
    #[error("has no {0}")]
    Missing(&'static str),
    /// Coded in a way that is not read.
    #[error("WAV format {tag} with {bits} bits is not read: save it as 16 bit PCM")]
    WavFormat {
        /// The format's number.
        tag: u16,
        /// Bits in a sample.
        bits: u16,
    },
    /// Surround sound.
    #[error("{0} channels, one or two are read")]
    Channels(u16),
    /// A sampling rate that is not converted.
    #[error("{0} samples a second: save it with 8000, 16000, 44100 or 48000")]
    Rate(u32),
    /// A checksum or a number in an Ogg file is wrong.
    #[error("damaged at page {page}")]
    DamagedPage {
        /// From 0.
        page: usize,
    },
    /// An Ogg file of Vorbis, FLAC or video.
    #[error("an Ogg file, but not of Opus")]
    NotOpus,
    /// An Opus packet cannot be decoded.
    #[error("packet {packet}: {why}")]
    Packet {
        /// From 0, head and tags not counted.
        packet: usize,
        /// What libopus says.
        why: CodecError,
    },
}

impl Sound {
    /// The largest file read: ten minutes of stereo at 44.1 kHz and 16 bits are 106 MB, at 8 kHz and mono 10 MB.
    pub const BYTES_MAX: usize = 128 << 20;
    /// The longest sound kept, in seconds; 48 kB each.
    pub const SECONDS_MAX: usize = 600;
    /// What is louder on the whole is turned down to this, in dBFS: networks expect speech, not masters of records.
    const LOUDEST_DBFS: f32 = -16.0;
    /// How long the sound takes to come and to go, so that repeating it does not click: 5 ms.
    const RAMP: usize = SAMPLE_RATE as usize / 200;
    const SAMPLES_MAX: usize = Self::SECONDS_MAX * SAMPLE_RATE as usize;

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`SoundError`], which says what is wrong with the file.
    pub fn read(file: &[u8]) -> Result<Self, SoundError> {
        if file.len() > Self::BYTES_MAX {
            return Err(SoundError::TooLarge {
                bytes: file.len(),
                cap: Self::BYTES_MAX,
            });
        }
        let samples = match file.first_chunk::<4>() {
            Some(b"RIFF") => wav::read(file)?,
            Some(b"OggS") => ogg::read(file)?,
            _ => return Err(SoundError::UnknownKind),
        };
        Self::of(samples)
    }

    fn of(mut samples: Vec<i16>) -> Result<Self, SoundError> {
        if samples.len() > Self::SAMPLES_MAX {
            return Err(too_long());
        }
        if samples.is_empty() {
            return Err(SoundError::Empty);
        }
        turn_down(&mut samples);
        ramp(samples.iter_mut());
        ramp(samples.iter_mut().rev());
        let wide = resample(&samples, SAMPLE_RATE, Rate::Wide.hertz());
        Ok(Self {
            narrow: samples.into(),
            wide: wide.into(),
        })
    }

    /// Its samples at 8 kHz.
    pub fn samples(&self) -> &[i16] {
        &self.narrow
    }

    fn at(&self, rate: Rate) -> &[i16] {
        match rate {
            Rate::Narrow => &self.narrow,
            Rate::Wide => &self.wide,
        }
    }

    /// Plays it once, as a prompt.
    pub fn play(&self) -> Playback {
        Playback {
            sound: self.clone(),
            at: 0,
            again: false,
        }
    }

    /// Plays it again and again, as music.
    pub fn repeat(&self) -> Playback {
        Playback {
            again: true,
            ..self.play()
        }
    }
}

impl Playback {
    /// The next 20 ms at 8 kHz, padded with silence at the end; none once a prompt is over.
    pub fn frame(&mut self) -> Option<Frame> {
        let mut frame = SILENCE;
        self.fill(&mut frame).then_some(frame)
    }

    /// Plays on for as long as a frame is, padded with silence at the end; false, and nothing, once a prompt is over.
    pub fn fill(&mut self, frame: &mut Frame) -> bool {
        let end = self.sound.wide.len();
        if self.at >= end {
            return false;
        }
        let step = frame.rate().step() as usize;
        let samples = self.sound.at(frame.rate());
        for place in frame.iter_mut() {
            *place = samples.get(self.at / step).copied().unwrap_or(0);
            self.at += step;
            if self.again && self.at >= end {
                self.at = 0;
            }
        }
        true
    }
}

fn too_long() -> SoundError {
    SoundError::TooLong {
        cap: Sound::SECONDS_MAX,
    }
}

fn turn_down(samples: &mut [i16]) {
    let too_loud = level(samples).0 - Sound::LOUDEST_DBFS;
    if too_loud > 0.0 {
        let factor = 10_f32.powf(-too_loud / 20.0);
        for sample in samples {
            *sample = (f32::from(*sample) * factor) as i16;
        }
    }
}

fn ramp<'a>(samples: impl Iterator<Item = &'a mut i16>) {
    for (sample, n) in samples.zip(0..Sound::RAMP) {
        *sample = (f32::from(*sample) * n as f32 / Sound::RAMP as f32) as i16;
    }
}

#[cfg(test)]
mod tests;
