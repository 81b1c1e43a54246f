use crate::key::{COLUMNS, ROWS};
use crate::level::goertzel;
use crate::{Key, level};

/// Hears keys that are played as tones in the voice itself (ITU-T Q.23, Q.24).
///
/// A key counts once two blocks in a row agree on it (about 50 ms), and again only after a block without it.
#[derive(Clone, Debug, Default)]
pub struct KeyDetector {
    block: Vec<i16>,
    last: Option<Key>,
    told: Option<Key>,
}

impl KeyDetector {
    /// Samples that one decision is made from: 25.6 ms, which tells 697 Hz from 770 Hz.
    const BLOCK: usize = 205;
    /// The quietest tone that counts, in dBFS.
    const LEVEL_DBFS_MIN: f32 = -35.0;
    /// How far apart the two tones may be in level, as a ratio of energies (9 dB).
    const TWIST_MAX: f32 = 8.0;
    /// The part of all energy that the two tones must have; speech has less.
    const PURITY_MIN: f32 = 0.7;

    /// Listens to some sound; returns the keys that became clear in it.
    pub fn listen(&mut self, samples: &[i16]) -> Vec<Key> {
        let mut keys = Vec::new();
        for sample in samples {
            self.block.push(*sample);
            if self.block.len() == Self::BLOCK {
                let heard = decide(&self.block);
                self.block.clear();
                keys.extend(self.block_heard(heard));
            }
        }
        keys
    }

    fn block_heard(&mut self, heard: Option<Key>) -> Option<Key> {
        let twice = heard.filter(|key| self.last == Some(*key));
        self.last = heard;
        if heard != self.told {
            self.told = twice.or(self.told.filter(|_| heard.is_some()));
            return twice;
        }
        None
    }
}

fn decide(block: &[i16]) -> Option<Key> {
    if level(block).0 < KeyDetector::LEVEL_DBFS_MIN {
        return None;
    }
    let (row, low) = strongest(block, &ROWS)?;
    let (column, high) = strongest(block, &COLUMNS)?;
    let twist = (low / high).max(high / low);
    let whole: f32 = block.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    // A sine of energy E in N samples measures E·N/2.
    let purity = (low + high) * 2.0 / (whole * block.len() as f32);
    (twist <= KeyDetector::TWIST_MAX && purity >= KeyDetector::PURITY_MIN)
        .then(|| Key::at(row, column))?
}

/// The place and the energy of the strongest of four tones, if it is far above the others (6 dB).
fn strongest(block: &[i16], hertz: &[f32; 4]) -> Option<(usize, f32)> {
    let energies = hertz.map(|hertz| goertzel(block, hertz));
    let (place, best) = energies
        .into_iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let clear = energies
        .iter()
        .enumerate()
        .all(|(n, energy)| n == place || energy * 4.0 < best);
    clear.then_some((place, best))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::Law;
    use crate::{FRAME_SAMPLES, HoldMusic, KeyTone};

    #[test]
    fn every_key_is_heard_once_through_g711() {
        let dialled = "0123456789*#ABCD5500";
        let mut detector = KeyDetector::default();
        let mut heard = String::new();
        for name in dialled.chars() {
            let mut tone = KeyTone::new(Key::new(name).unwrap(), 100);
            let mut samples: Vec<i16> = std::iter::from_fn(|| tone.frame()).flatten().collect();
            samples.extend([0; 4 * FRAME_SAMPLES]);
            let mut through = Vec::new();
            Law::A.decode(&Law::A.encode(&samples), &mut through);
            heard.extend(detector.listen(&through).into_iter().map(Key::name));
        }
        assert_eq!(heard, dialled);
    }

    #[test]
    fn music_is_no_key() {
        let mut music = HoldMusic::new();
        let mut detector = KeyDetector::default();
        for _ in 0..1_600 {
            assert_eq!(detector.listen(&music.frame()), []);
        }
    }
}
