use super::{Sound, SoundError, too_long};
use crate::SAMPLE_RATE;
use crate::g711::Law;
use crate::resample::resample;

/// The rates that are converted, in hertz.
const RATES: [u32; 9] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
];

/// What the `fmt ` chunk says.
#[derive(Clone, Copy)]
struct Format {
    coding: Coding,
    channels: u16,
    rate: u32,
}

#[derive(Clone, Copy)]
enum Coding {
    /// Linear, with so many bytes in a sample: 1 (unsigned), 2 or 3 (signed).
    Linear(usize),
    Law(Law),
}

/// What stands before the samples of a file of ours: mono, 16 bits, at 8 kHz.
const FORMAT: [u8; 16] = [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0];

/// Writes a WAV file: PCM, mono, 8 kHz, 16 bits. Of sound that no such file can hold, more than two days, the end is left out.
pub fn to_wav(samples: &[i16]) -> Vec<u8> {
    let longest = (u32::MAX as usize - 36) / 2;
    let samples = samples.get(..longest).unwrap_or(samples);
    let length = samples.len() as u32 * 2;
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend(b"RIFF");
    file.extend((length + 36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend((FORMAT.len() as u32).to_le_bytes());
    file.extend(FORMAT);
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// Reads a RIFF WAVE file to mono at 8 kHz.
pub(super) fn read(file: &[u8]) -> Result<Vec<i16>, SoundError> {
    if file.get(8..12) != Some(b"WAVE") {
        return Err(SoundError::UnknownKind);
    }
    let format = Format::parse(chunk(file, b"fmt ", "format")?)?;
    let sound = chunk(file, b"data", "sound")?;
    if sound.len() / format.frame_bytes() > Sound::SECONDS_MAX * format.rate as usize {
        return Err(too_long());
    }
    Ok(resample(&format.mono(sound), format.rate, SAMPLE_RATE))
}

/// The content of the first chunk of a kind. Chunks begin at even places.
fn chunk<'a>(file: &'a [u8], kind: &[u8; 4], what: &'static str) -> Result<&'a [u8], SoundError> {
    let mut at = 12;
    while let Some(&[a, b, c, d, l0, l1, l2, l3]) =
        file.get(at..).and_then(|rest| rest.first_chunk())
    {
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let content = file.get(at + 8..).unwrap_or_default();
        if [a, b, c, d] == *kind {
            return content.get(..length).ok_or(SoundError::CutShort {
                what,
                needs: length,
                bytes: content.len(),
            });
        }
        at = at.saturating_add(8 + length.next_multiple_of(2));
    }
    Err(SoundError::Missing(what))
}

impl Format {
    const PCM: u16 = 1;
    const A_LAW: u16 = 6;
    const MU_LAW: u16 = 7;
    /// The real format's number is in an extension.
    const EXTENSIBLE: u16 = 0xfffe;

    fn parse(chunk: &[u8]) -> Result<Self, SoundError> {
        let short = SoundError::CutShort {
            what: "format",
            needs: 16,
            bytes: chunk.len(),
        };
        let &[t0, t1, c0, c1, r0, r1, r2, r3, _, _, _, _, _, _, b0, b1] =
            chunk.first_chunk().ok_or(short)?;
        let mut tag = u16::from_le_bytes([t0, t1]);
        if let (Self::EXTENSIBLE, Some(&[s0, s1])) = (tag, chunk.get(24..26)) {
            tag = u16::from_le_bytes([s0, s1]);
        }
        let bits = u16::from_le_bytes([b0, b1]);
        let format = Self {
            coding: Coding::new(tag, bits)?,
            channels: u16::from_le_bytes([c0, c1]),
            rate: u32::from_le_bytes([r0, r1, r2, r3]),
        };
        format.check()
    }

    fn check(self) -> Result<Self, SoundError> {
        if !(1..=2).contains(&self.channels) {
            Err(SoundError::Channels(self.channels))
        } else if !RATES.contains(&self.rate) {
            Err(SoundError::Rate(self.rate))
        } else {
            Ok(self)
        }
    }

    fn frame_bytes(self) -> usize {
        self.coding.bytes() * usize::from(self.channels)
    }

    /// The mean of the channels. A frame that is cut short at the end is left out.
    fn mono(self, sound: &[u8]) -> Vec<i16> {
        let channels = usize::from(self.channels);
        let mean = |frame: &[i16]| {
            let sum: i32 = frame.iter().map(|sample| i32::from(*sample)).sum();
            (sum / i32::from(self.channels)) as i16
        };
        let samples = self.coding.decode(sound);
        samples.chunks_exact(channels).map(mean).collect()
    }
}

impl Coding {
    fn new(tag: u16, bits: u16) -> Result<Self, SoundError> {
        match (tag, bits) {
            (Format::PCM, 8) => Ok(Self::Linear(1)),
            (Format::PCM, 16) => Ok(Self::Linear(2)),
            (Format::PCM, 24) => Ok(Self::Linear(3)),
            (Format::A_LAW, 8) => Ok(Self::Law(Law::A)),
            (Format::MU_LAW, 8) => Ok(Self::Law(Law::Mu)),
            _ => Err(SoundError::WavFormat { tag, bits }),
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Linear(bytes) => bytes,
            Self::Law(_) => 1,
        }
    }

    fn decode(self, sound: &[u8]) -> Vec<i16> {
        match self {
            Self::Law(law) => {
                let mut samples = Vec::new();
                law.decode(sound, &mut samples);
                samples
            }
            Self::Linear(bytes) => sound.chunks_exact(bytes).map(linear).collect(),
        }
    }
}

/// A sample of 8 bits without sign, or the upper 16 of more.
fn linear(bytes: &[u8]) -> i16 {
    match *bytes {
        [byte] => (i16::from(byte) - 128) << 8,
        [.., low, high] => i16::from_le_bytes([low, high]),
        [] => 0,
    }
}
