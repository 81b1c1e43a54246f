use super::NoiseShape;
use crate::Rate;

/// Listens to a sound for what is there when nobody speaks.
///
/// The level falls with the quietest stretches of 10 ms and rises slowly, so that words do not lift it; the colour is that of stretches
/// near this level.
#[derive(Clone, Debug)]
pub struct Background {
    stretch: usize,
    rms: f32,
    correlation: [f32; NoiseShape::ORDER + 1],
}

impl Background {
    /// Before anything was heard: a quiet room.
    const RMS_START: f32 = 16.0;
    /// Louder than this is no background but something to be heard: -45 dBov.
    const RMS_MAX: f32 = 184.0;
    /// How fast the estimate falls in a stretch: by a quarter of what it is too high.
    const FALL: f32 = 0.25;
    /// How fast it rises in a stretch: 3 dB in a second.
    const RISE: f32 = 1.003_5;
    /// What a stretch may be louder than the level to tell the colour.
    const NEAR: f32 = 1.5;
    /// What is kept of the colour with each stretch.
    const KEEP: f32 = 0.9;

    /// Nothing heard so far, of a sound at a rate.
    pub fn new(rate: Rate) -> Self {
        Self {
            stretch: rate.samples(10),
            rms: Self::RMS_START,
            correlation: [0.0; NoiseShape::ORDER + 1],
        }
    }

    /// Takes sound that arrived.
    pub fn heard(&mut self, sound: &[i16]) {
        for stretch in sound.chunks_exact(self.stretch) {
            self.stretch(stretch);
        }
    }

    /// What it sounds like.
    pub fn shape(&self) -> NoiseShape {
        NoiseShape::of_correlation(self.rms, &self.correlation)
    }

    fn stretch(&mut self, sound: &[i16]) {
        let energy: f32 = sound.iter().map(|s| f32::from(*s) * f32::from(*s)).sum();
        let rms = (energy / sound.len() as f32).sqrt();
        if rms < self.rms * Self::NEAR {
            self.remember_colour(sound);
        }
        self.rms = if rms < self.rms {
            self.rms + (rms - self.rms) * Self::FALL
        } else {
            (self.rms * Self::RISE).clamp(0.1, Self::RMS_MAX).min(rms)
        };
    }

    fn remember_colour(&mut self, sound: &[i16]) {
        for (lag, kept) in self.correlation.iter_mut().enumerate() {
            let later = sound.iter().skip(lag);
            let now: f32 = later
                .zip(sound)
                .map(|(a, b)| f32::from(*a) * f32::from(*b))
                .sum();
            *kept = *kept * Self::KEEP + now * (1.0 - Self::KEEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ComfortNoise, Sine};

    fn noise(dbov: f32, samples: usize) -> Vec<i16> {
        let mut noise = ComfortNoise::new(Rate::Narrow, 7);
        noise.shape(NoiseShape::white(dbov));
        (0..samples).map(|_| noise.sample() as i16).collect()
    }

    #[test]
    fn the_background_is_heard_between_words() {
        let mut background = Background::new(Rate::Narrow);
        let mut voice = Sine::new(300.0, -12.0);
        for _ in 0..30 {
            let word: Vec<i16> = (0..3_200).map(|_| voice.sample() as i16).collect();
            background.heard(&word);
            background.heard(&noise(-55.0, 3_200));
        }
        let rms = background.shape().rms;
        assert!((40.0..80.0).contains(&rms), "{rms}, and it is 58");
    }

    #[test]
    fn a_lasting_tone_never_becomes_a_loud_background() {
        let mut background = Background::new(Rate::Wide);
        let mut voice = Sine::new(300.0, -3.0);
        for _ in 0..6_000 {
            let tone: Vec<i16> = (0..160).map(|_| voice.sample() as i16).collect();
            background.heard(&tone);
        }
        assert!(background.shape().rms <= Background::RMS_MAX);
        background.heard(&[0; 160 * 60]);
        assert!(background.shape().rms < 0.5, "{:?}", background.shape());
    }
}
