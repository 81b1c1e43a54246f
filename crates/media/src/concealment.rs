use crate::{FRAME_MS, Frame, Rate};

/// Bridges lost sound of G.711 and G.722 by repeating the last pitch period, fading to silence (after ITU-T G.711 appendix I).
#[derive(Clone, Debug)]
pub struct Concealment {
    rate: Rate,
    /// The last 40 ms that were really heard, or made up; at 8 kHz the second half of the array.
    history: [i16; Self::HISTORY_MAX],
    /// Samples made up since.
    concealed: usize,
    /// The period that is repeated, in samples.
    period: usize,
}

impl Default for Concealment {
    fn default() -> Self {
        Self::new(Rate::Narrow)
    }
}

impl Concealment {
    const HISTORY_MAX: usize = 2 * Frame::SAMPLES_MAX;
    /// Pitch periods searched: 200 Hz down to 66 Hz, in samples at 8 kHz.
    const PERIOD_MIN: usize = 40;
    const PERIOD_MAX: usize = 120;
    /// How long what was made up and what is real melt into each other.
    const OVERLAP_MS: u64 = 5;
    /// After so long nothing is left.
    const FADED_MS: u64 = 60;

    /// Makes one for sound of a rate.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            history: [0; Self::HISTORY_MAX],
            concealed: 0,
            period: Self::PERIOD_MAX * scale(rate),
        }
    }

    /// Takes sound that arrived. After a loss its beginning is blended with what was made up.
    pub fn heard(&mut self, sound: &mut [i16]) {
        if self.concealed > 0 {
            let overlap = self.rate.samples(Self::OVERLAP_MS);
            let made_up = self.made_up(overlap);
            for (n, (real, made)) in sound.iter_mut().zip(made_up).enumerate() {
                let (part, whole) = (n as i32, overlap as i32);
                *real =
                    ((i32::from(*real) * part + i32::from(made) * (whole - part)) / whole) as i16;
            }
        }
        self.concealed = 0;
        self.remember(sound);
    }

    /// Makes up `length` samples onto the end of `samples`.
    pub fn conceal(&mut self, length: usize, samples: &mut Vec<i16>) {
        if self.concealed == 0 {
            self.period = self.pitch();
        }
        let end = samples.len() + length;
        while samples.len() < end {
            let frame = self.made_up(end - samples.len());
            self.concealed = self.concealed.saturating_add(frame.len());
            self.remember(&frame);
            samples.extend_from_slice(&frame);
        }
    }

    /// The last period again and again, quieter with each sample; 20 ms at most.
    fn made_up(&self, length: usize) -> Frame {
        let from = Self::HISTORY_MAX.saturating_sub(self.period);
        let period = self.history.get(from..).unwrap_or_default();
        // What is repeated has faded already, to where this begins.
        let from = self.gain(self.concealed);
        let samples = period.iter().cycle().take(length).enumerate();
        let faded = samples.map(|(n, sample)| {
            let gain = self.gain(self.concealed + n);
            if gain > 0.0 {
                (f32::from(*sample) * gain / from) as i16
            } else {
                0
            }
        });
        Frame::new(self.rate, faded)
    }

    /// How loud the sound still is after so many samples made up.
    fn gain(&self, concealed: usize) -> f32 {
        let whole = self.rate.samples(Self::FADED_MS);
        1.0 - concealed.min(whole) as f32 / whole as f32
    }

    fn remember(&mut self, sound: &[i16]) {
        let length = sound.len().min(Self::HISTORY_MAX);
        let (_, sound) = sound.split_at(sound.len() - length);
        self.history.rotate_left(length);
        let (_, latest) = self.history.split_at_mut(Self::HISTORY_MAX - length);
        for (place, sample) in latest.iter_mut().zip(sound) {
            *place = *sample;
        }
    }

    /// The distance at which the last 20 ms are most like what was before them.
    fn pitch(&self) -> usize {
        let scale = scale(self.rate);
        let likeness = |period: &usize| self.likeness(*period);
        (Self::PERIOD_MIN * scale..=Self::PERIOD_MAX * scale)
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .unwrap_or(Self::PERIOD_MAX)
    }

    fn likeness(&self, period: usize) -> f32 {
        let length = self.rate.samples(FRAME_MS);
        let recent = self.history.iter().rev().take(length);
        let before = self.history.iter().rev().skip(period).take(length);
        let (mut product, mut energy) = (0.0_f32, 1.0_f32);
        for (a, b) in recent.zip(before) {
            product += f32::from(*a) * f32::from(*b);
            energy += f32::from(*b) * f32::from(*b);
        }
        product / energy.sqrt()
    }
}

/// Samples at a rate for each at 8 kHz.
const fn scale(rate: Rate) -> usize {
    (rate.hertz() / Rate::Narrow.hertz()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FRAME_SAMPLES, SILENCE, Sine, dominant_frequency, level};

    #[test]
    fn one_lost_frame_of_a_tone_sounds_on_without_a_click() {
        let (mut sine, mut conceal) = (Sine::new(200.0, -12.0), Concealment::default());
        let mut out = Vec::new();
        for n in 0..30 {
            let mut frame = sine.frame();
            if n % 10 == 9 {
                conceal.conceal(FRAME_SAMPLES, &mut out);
                continue;
            }
            conceal.heard(&mut frame);
            out.extend(frame);
        }
        let heard = dominant_frequency(&out).unwrap();
        assert!((heard - 200.0).abs() < 2.0, "{heard} Hz");
        let steepest = out
            .windows(2)
            .map(|two| (i32::from(two[1]) - i32::from(two[0])).abs())
            .max()
            .unwrap();
        // The tone itself rises by 1290 a sample at most.
        assert!(steepest < 2_600, "a click of {steepest}");
        assert!(
            out.chunks(FRAME_SAMPLES)
                .all(|frame| level(frame).0 > -20.0)
        );
    }

    #[test]
    fn a_long_loss_fades_to_nothing() {
        let (mut sine, mut conceal) = (Sine::new(300.0, -12.0), Concealment::default());
        for _ in 0..5 {
            conceal.heard(&mut sine.frame());
        }
        let mut made_up = Vec::new();
        conceal.conceal(6 * FRAME_SAMPLES, &mut made_up);
        let levels: Vec<f32> = made_up
            .chunks(FRAME_SAMPLES)
            .map(|frame| level(frame).0)
            .collect();
        assert!(
            levels[0] > -18.0 && levels[0] > levels[1] && levels[1] > levels[2],
            "{levels:?}"
        );
        assert_eq!(*SILENCE, made_up[5 * FRAME_SAMPLES..]);
    }
}
