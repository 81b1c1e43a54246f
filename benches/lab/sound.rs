//! What the legs say: a voice, and bursts of a tone by which delay is seen.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::codec::{Ear, HEARD_RATE};
use crate::leg::{Coded, LegLog};
use crate::{FRAME_MS, Result};

/// Programs that make a voice.
pub const VOICE_PROGRAMS: [&str; 2] = ["espeak-ng", "sox"];

/// A text read aloud by espeak-ng, at `rate` samples a second. The same text always sounds the same.
///
/// # Errors
/// espeak-ng or sox is missing or fails.
pub fn voice(folder: &Path, text: &str, speaker: &str, rate: u32) -> Result<Vec<i16>> {
    fs::create_dir_all(folder)?;
    let (wav, raw) = (folder.join("voice.wav"), folder.join("voice.raw"));
    run(Command::new("espeak-ng")
        .args(["-v", speaker, "-s", "150", "-w"])
        .arg(&wav)
        .arg(text))?;
    run(Command::new("sox")
        .arg(&wav)
        .args([
            "-r",
            &rate.to_string(),
            "-c",
            "1",
            "-b",
            "16",
            "-e",
            "signed",
            "-L",
            "-t",
            "raw",
        ])
        .arg(&raw)
        .args(["norm", "-6"]))?;
    let bytes = fs::read(&raw)?;
    let samples = bytes.as_chunks::<2>().0.iter();
    Ok(samples.map(|sample| i16::from_le_bytes(*sample)).collect())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{:?}: {words}", command.get_program()).into())
}

/// A tone that is said for a moment and then not, over and over.
#[derive(Clone, Copy, Debug)]
pub struct Bursts {
    /// In hertz.
    pub hertz: f64,
}

/// What bursts told of a way through a server.
#[derive(Clone, Debug, Default)]
pub struct Passage {
    /// How much later each burst came out than it went in.
    pub delays: Vec<Duration>,
    /// Bursts that did not come out, or in another tone.
    pub wrong: usize,
}

impl Bursts {
    /// From one burst to the next: whole frames, and so long that one is not taken for another.
    pub const PERIOD: Duration = Duration::from_millis(500);
    const TONE_MS: u64 = 100;
    /// In the middle of a frame, so that it is not the frame that is seen.
    const BEGINS_MS: u64 = 210;
    /// At -9 dBFS.
    const PEAK: f64 = 11_600.0;
    const PERIOD_MS: u64 = Self::PERIOD.as_millis() as u64;

    /// One period at `rate` samples a second.
    pub fn samples(self, rate: u32) -> Vec<i16> {
        let per_ms = u64::from(rate) / 1_000;
        let tone = Self::BEGINS_MS * per_ms..(Self::BEGINS_MS + Self::TONE_MS) * per_ms;
        let sample = |at: u64| {
            let turns = self.hertz * (at as f64 - tone.start as f64) / f64::from(rate);
            let heard = if tone.contains(&at) { Self::PEAK } else { 0.0 };
            (heard * (TAU * turns).sin()) as i16
        };
        (0..Self::PERIOD_MS * per_ms).map(sample).collect()
    }

    /// How the bursts of sound number `sound`, said by `from`, came to `to`, apart from those of the first and last half second.
    ///
    /// # Errors
    /// What `to` heard is not of its codec.
    pub fn passage(
        self,
        from: &LegLog,
        sound: usize,
        coded: &Coded,
        mut own: Ear,
        to: &LegLog,
        mut ear: Ear,
    ) -> Result<Passage> {
        let said = said_onsets(from, sound, coded, &mut own)?;
        let heard = heard_samples(to, &mut ear)?;
        let mut passage = Passage::default();
        let inner = said
            .get(1..said.len().saturating_sub(1))
            .unwrap_or_default();
        for onset in inner {
            match self.find(&heard, *onset) {
                Some(delay) => passage.delays.push(delay),
                None => passage.wrong += 1,
            }
        }
        Ok(passage)
    }

    /// How long after `onset` this tone begins.
    fn find(self, heard: &[(Instant, Vec<i16>)], onset: Instant) -> Option<Duration> {
        // A server that passes a packet on at once does so before the burst within it would have begun.
        let earliest = onset.checked_sub(Duration::from_millis(FRAME_MS))?;
        let from = heard.partition_point(|(at, _)| *at < earliest);
        let until = heard.partition_point(|(at, _)| *at < onset + Self::PERIOD);
        let packets = heard.get(from..until)?;
        let samples: Vec<i16> = packets
            .iter()
            .flat_map(|(_, samples)| samples)
            .copied()
            .collect();
        let first = first_loud(&samples)?;
        let is_ours = (frequency(samples.get(first..)?)? - self.hertz).abs() < 0.02 * self.hertz;
        let (at, within) = locate(packets, first)?;
        is_ours.then(|| (at + millis(within)).saturating_duration_since(onset))
    }
}

/// When each burst of a sound was said: its packet's time and its place in it, as an ear beside the mouth would hear it.
fn said_onsets(from: &LegLog, sound: usize, coded: &Coded, own: &mut Ear) -> Result<Vec<Instant>> {
    let mut direct = Vec::new();
    // Twice, since a codec that has just begun is not yet as it goes on.
    for payload in coded.iter().chain(coded.iter()) {
        direct.push(own.hear(payload)?);
    }
    let again: Vec<i16> = direct.split_off(coded.len()).concat();
    let first = first_loud(&again).ok_or("the bursts are silent")?;
    let (frame, within) = (first / FRAME_SAMPLES, first % FRAME_SAMPLES);
    let begins = from
        .sent
        .iter()
        .filter(|sent| sent.sound == sound && sent.frame % coded.len() == frame);
    Ok(begins.map(|sent| sent.at + millis(within)).collect())
}

fn heard_samples(to: &LegLog, ear: &mut Ear) -> Result<Vec<(Instant, Vec<i16>)>> {
    let packets = to.heard.iter();
    packets
        .map(|heard| Ok((heard.at, ear.hear(&heard.payload)?)))
        .collect()
}

/// The packet that sample `index` of them all is in, and its place there.
fn locate(packets: &[(Instant, Vec<i16>)], mut index: usize) -> Option<(Instant, usize)> {
    for (at, samples) in packets {
        if index < samples.len() {
            return Some((*at, index));
        }
        index -= samples.len();
    }
    None
}

const FRAME_SAMPLES: usize = (HEARD_RATE as u64 * FRAME_MS / 1_000) as usize;

fn millis(samples: usize) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(HEARD_RATE))
}

/// A quarter of a burst's peak: louder than what any codec makes of silence.
const LOUD: i16 = 2_900;

fn first_loud(samples: &[i16]) -> Option<usize> {
    samples
        .iter()
        .position(|sample| sample.unsigned_abs() >= LOUD.unsigned_abs())
}

/// The frequency of a tone that begins here, by its crossings of zero after 20 ms and before 80.
fn frequency(samples: &[i16]) -> Option<f64> {
    let steady = samples.get(FRAME_SAMPLES..4 * FRAME_SAMPLES)?;
    let crossings: Vec<f64> = steady
        .array_windows::<2>()
        .zip(0_u32..)
        .filter_map(crossing)
        .collect();
    let (first, last) = (crossings.first()?, crossings.last()?);
    let turns = crossings.len() as f64 - 1.0;
    (last > first).then(|| turns * f64::from(HEARD_RATE) / (last - first))
}

/// Where a pair of samples crosses zero upwards.
fn crossing((pair, index): (&[i16; 2], u32)) -> Option<f64> {
    let [before, after] = pair.map(f64::from);
    (before < 0.0 && after >= 0.0).then(|| f64::from(index) + before / (before - after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_begins_where_it_begins_and_has_its_tone() {
        for hertz in [440.0, 1_004.0] {
            let samples = Bursts { hertz }.samples(HEARD_RATE);
            assert_eq!(samples.len(), 4_000);
            let first = first_loud(&samples).unwrap();
            assert!((1_680..1_684).contains(&first), "{first}");
            let heard = frequency(&samples[first..]).unwrap();
            assert!((heard - hertz).abs() < 1.0, "{heard}");
        }
    }
}
