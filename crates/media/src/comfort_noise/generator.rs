use super::NoiseShape;
use crate::Rate;

/// Makes noise of a shape, without end and without a step when the shape changes.
#[derive(Clone, Debug)]
pub struct ComfortNoise {
    shape: NoiseShape,
    /// What white noise is multiplied by now; it glides to what the shape asks for.
    excitation: f32,
    excitation_wanted: f32,
    /// How much of the way it glides in a sample.
    glide: f32,
    /// What each stage of the lattice keeps from the sample before.
    backward: [f32; NoiseShape::ORDER],
    random: u32,
}

impl ComfortNoise {
    /// A tenth of the way from one level to another takes so many parts of a second: changes are over in 20 ms.
    const GLIDE_HERTZ: f32 = 200.0;

    /// Makes silence until a shape is set; the same noise for the same seed.
    pub fn new(rate: Rate, seed: u32) -> Self {
        Self {
            shape: NoiseShape::default(),
            excitation: 0.0,
            excitation_wanted: 0.0,
            glide: Self::GLIDE_HERTZ / rate.hertz() as f32,
            backward: [0.0; NoiseShape::ORDER],
            random: seed,
        }
    }

    /// Sets what it is to sound like from here on.
    pub fn shape(&mut self, shape: NoiseShape) {
        self.shape = shape;
        self.excitation_wanted = shape.excitation();
    }

    /// The next sample, in sample steps.
    pub fn sample(&mut self) -> f32 {
        self.excitation += (self.excitation_wanted - self.excitation) * self.glide;
        let white = self.white() * self.excitation;
        self.lattice(white)
    }

    /// A random number of mean 0 and variance 1: the sum of three even ones is near enough to a normal one.
    fn white(&mut self) -> f32 {
        let sum: f32 = (0..3).map(|_| self.even()).sum();
        // The variance of one is 1/12, of three a quarter.
        sum * 2.0
    }

    /// An even random number of -1/2 to 1/2.
    fn even(&mut self) -> f32 {
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.random >> 8) as f32 / 16_777_216.0 - 0.5
    }

    /// The all-pole filter of the reflection coefficients, from its last stage to its first.
    fn lattice(&mut self, input: f32) -> f32 {
        let mut forward = input;
        let mut above: Option<&mut f32> = None;
        let stages = self.shape.reflection.iter().zip(self.backward.iter_mut());
        for (reflection, backward) in stages.rev() {
            forward -= reflection * *backward;
            let raised = *backward + reflection * forward;
            if let Some(above) = above {
                *above = raised;
            }
            above = Some(backward);
        }
        if let Some(first) = above {
            *first = forward;
        }
        forward
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{level, level_at};

    fn second(shape: NoiseShape) -> Vec<i16> {
        let mut noise = ComfortNoise::new(Rate::Narrow, 1);
        noise.shape(shape);
        let sound: Vec<i16> = (0..9_600).map(|_| noise.sample() as i16).collect();
        sound[1_600..].to_vec()
    }

    #[test]
    fn noise_has_its_level_and_its_colour() {
        // A sine at full scale is 3 dB below a square wave, which dBov are relative to.
        let white = level(&second(NoiseShape::white(-40.0))).0;
        assert!((white + 37.0).abs() < 0.5, "{white} dBFS");
        let mut shape = NoiseShape::white(-40.0);
        shape.reflection[0] = -0.9;
        let dark = second(shape);
        assert!((level(&dark).0 + 37.0).abs() < 1.5, "{:?}", level(&dark));
        let band = |from: u16| -> f32 {
            let levels = (0..40).map(|n| level_at(&dark, f32::from(from + 10 * n)).0);
            levels.sum::<f32>() / 40.0
        };
        assert!(
            band(100) > band(3_000) + 15.0,
            "{} {}",
            band(100),
            band(3_000)
        );
    }

    #[test]
    fn no_shape_on_the_wire_makes_it_explode() {
        for seed in 0..200_u32 {
            let mut bytes = vec![0];
            bytes.extend(
                (0..12).map(|n| (seed.wrapping_mul(2_654_435_761).rotate_left(n * 5) >> 24) as u8),
            );
            let shape = NoiseShape::parse(&bytes).unwrap();
            let mut noise = ComfortNoise::new(Rate::Wide, seed);
            noise.shape(shape);
            assert!(
                (0..16_000).all(|_| noise.sample().is_finite()),
                "seed {seed}"
            );
        }
    }
}
