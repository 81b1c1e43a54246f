use crate::{FRAME_SAMPLES, Frame};

/// Bridges lost G.711 frames by repeating the last pitch period, fading to silence (after ITU-T G.711 appendix I).
#[derive(Clone, Debug)]
pub struct Concealment {
    /// The last sound that was really heard, or made up.
    history: [i16; Self::HISTORY],
    /// Frames made up since.
    concealed: u32,
    /// The period that is repeated, in samples.
    period: usize,
}

impl Default for Concealment {
    fn default() -> Self {
        Self {
            history: [0; Self::HISTORY],
            concealed: 0,
            period: Self::PERIOD_MAX,
        }
    }
}

impl Concealment {
    /// Pitch periods searched: 200 Hz down to 66 Hz; twice the longest is kept.
    const PERIOD_MIN: usize = 40;
    const PERIOD_MAX: usize = 120;
    const HISTORY: usize = 2 * FRAME_SAMPLES;
    /// Samples over which what was made up and what is real melt into each other: 5 ms.
    const OVERLAP: usize = 40;
    /// Frames after which nothing is left: 60 ms.
    const FRAMES_MAX: u32 = 3;

    /// Takes a frame that arrived. After a loss its beginning is blended with what was made up.
    pub fn heard(&mut self, frame: &mut Frame) {
        if self.concealed > 0 {
            let made_up = self.made_up();
            for (n, (real, made)) in frame
                .iter_mut()
                .zip(made_up)
                .take(Self::OVERLAP)
                .enumerate()
            {
                let (part, whole) = (n as i32, Self::OVERLAP as i32);
                *real =
                    ((i32::from(*real) * part + i32::from(made) * (whole - part)) / whole) as i16;
            }
        }
        self.concealed = 0;
        self.remember(frame);
    }

    /// Makes a frame up.
    pub fn conceal(&mut self) -> Frame {
        if self.concealed == 0 {
            self.period = self.pitch();
        }
        let frame = self.made_up();
        self.concealed = self.concealed.saturating_add(1);
        self.remember(&frame);
        frame
    }

    /// The last period again and again, quieter with each sample.
    fn made_up(&self) -> Frame {
        let from = Self::HISTORY.saturating_sub(self.period);
        let period = self.history.get(from..).unwrap_or_default();
        let mut frame = [0; FRAME_SAMPLES];
        // Each frame starts where its predecessor faded to, so the fading is a ratio within the frame.
        let (from, to) = (gain(self.concealed), gain(self.concealed + 1));
        for ((n, sample), source) in frame.iter_mut().enumerate().zip(period.iter().cycle()) {
            let gain = from + (to - from) * n as f32 / FRAME_SAMPLES as f32;
            *sample = if from > 0.0 {
                (f32::from(*source) * gain / from) as i16
            } else {
                0
            };
        }
        frame
    }

    fn remember(&mut self, frame: &Frame) {
        self.history.rotate_left(FRAME_SAMPLES);
        for (place, sample) in self
            .history
            .iter_mut()
            .skip(Self::HISTORY - FRAME_SAMPLES)
            .zip(frame)
        {
            *place = *sample;
        }
    }

    /// The distance at which the last 20 ms are most like what was before them.
    fn pitch(&self) -> usize {
        let likeness = |period: &usize| self.likeness(*period);
        (Self::PERIOD_MIN..=Self::PERIOD_MAX)
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .unwrap_or(Self::PERIOD_MAX)
    }

    fn likeness(&self, period: usize) -> f32 {
        let recent = self.history.iter().rev().take(FRAME_SAMPLES);
        let before = self.history.iter().rev().skip(period).take(FRAME_SAMPLES);
        let (mut product, mut energy) = (0.0_f32, 1.0_f32);
        for (a, b) in recent.zip(before) {
            product += f32::from(*a) * f32::from(*b);
            energy += f32::from(*b) * f32::from(*b);
        }
        product / energy.sqrt()
    }
}

/// How loud the sound still is at the beginning of the frame after `frames` made up.
fn gain(frames: u32) -> f32 {
    1.0 - frames.min(Concealment::FRAMES_MAX) as f32 / Concealment::FRAMES_MAX as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SILENCE, Sine, dominant_frequency, level};

    #[test]
    fn one_lost_frame_of_a_tone_sounds_on_without_a_click() {
        let (mut sine, mut conceal) = (Sine::new(200.0, -12.0), Concealment::default());
        let mut out = Vec::new();
        for n in 0..30 {
            let mut frame = sine.frame();
            if n % 10 == 9 {
                frame = conceal.conceal();
            } else {
                conceal.heard(&mut frame);
            }
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
        let levels: Vec<f32> = (0..5).map(|_| level(&conceal.conceal()).0).collect();
        assert!(
            levels[0] > -18.0 && levels[0] > levels[1] && levels[1] > levels[2],
            "{levels:?}"
        );
        assert_eq!(conceal.conceal(), SILENCE);
    }
}
